"""Prints hand-offs as they happen and misses none, even while the server restarts.

Usage: watch.py [--namespace NAME] [--from-revision N] [--events COUNT]
Ends after COUNT events; without it, never.
"""

import argparse
import random
import sys
import time

import grpc
from baton_v1 import Baton, v1
from refusal import read_refusal

BACKOFF_SECONDS_MIN = 0.1
BACKOFF_SECONDS_MAX = 5.0


def events(baton, namespace, from_revision):
    """Yields every hand-off event from `from_revision` on (0: from now), once and in order, for ever.

    Keeps two things between connections: the revision up to which all was received, and the log it belongs to. With these the server can
    go on exactly there, or say that it cannot.
    """
    next_revision, log_id, backoff = from_revision, "", BACKOFF_SECONDS_MIN
    while True:
        request = v1.WatchHandoffsRequest(namespace=namespace, start_revision=next_revision, log_id=log_id)
        try:
            for response in baton.handoffs.WatchHandoffs(request, wait_for_ready=True):
                yield from response.events
                next_revision, log_id, backoff = response.revision + 1, response.log_id, BACKOFF_SECONDS_MIN
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            print(f"lost the server, going on at revision {next_revision}", file=sys.stderr)
        # A little luck keeps many watchers from coming back in the same moment.
        time.sleep(backoff * random.uniform(0.5, 1.0))
        backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)


def line(event):
    """One event for people, as in `8 HANDOFF_COMPLETED ticket-1 triage → billing: a refund is needed`."""
    handoff = event.handoff
    what = v1.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
    text = f"{event.revision} {what} {handoff.task_id} {handoff.from_agent} → {handoff.to_agent}"
    return f"{text}: {handoff.reason}" if handoff.reason else text


def main():
    parser = argparse.ArgumentParser(description="Prints hand-offs as they happen.")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--from-revision", type=int, default=0, help="the first wanted; 0: from now")
    parser.add_argument("--events", type=int, default=0, help="how many; 0: for ever")
    options = parser.parse_args()

    with Baton() as baton:
        seen = 0
        for event in events(baton, options.namespace, options.from_revision):
            print(line(event), flush=True)
            seen += 1
            if seen == options.events:
                return


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        sys.exit(f"the watch was refused: {refusal.reason} {refusal.message} {refusal.metadata}")
    except KeyboardInterrupt:
        pass
