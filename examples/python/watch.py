"""Prints hand-offs as they happen and misses none, even while the server or this program restarts.

Usage: watch.py [--namespace NAME] [--from-revision N] [--cursor FILE] [--events COUNT]
With --cursor it goes on where the last run with the same FILE stopped. Ends after COUNT events; without it, never.
"""

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path

import grpc
from baton_v1 import Baton, v1
from refusal import read_refusal

BACKOFF_SECONDS_MIN = 0.1
BACKOFF_SECONDS_MAX = 5.0


class Watch:
    """The hand-off events after a revision, each once and in order, for ever: iterate over it.

    `revision` and `log_id` are its cursor: every event up to that revision of that log has been given. With both, the server can go on exactly
    there, or refuse to because it cannot: `what_is_gone` tells what that means. Store both to go on in another run.
    """

    def __init__(self, baton, namespace, revision=None, log_id=""):
        """Begins after `revision`; without one, now, which is when the first answer comes: it says which revision that is."""
        self.revision, self.log_id = revision, log_id
        self._baton, self._namespace = baton, namespace

    def __iter__(self):
        backoff = BACKOFF_SECONDS_MIN
        while True:
            try:
                for response in self._open():
                    self.log_id = response.log_id
                    for event in response.events:
                        self.revision = event.revision
                        yield event
                    # Nothing else matches up to here. Messages without events come now and then, and say only this.
                    self.revision = response.revision
                    backoff = BACKOFF_SECONDS_MIN
            except grpc.RpcError as error:
                # A server that stops says so; one that dies or hangs is noticed by the channel. Any other end is final.
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            where = "from now" if self.revision is None else f"at revision {self.revision + 1}"
            print(f"lost the server, going on {where}", file=sys.stderr)
            # A little luck keeps many watchers from coming back in the same moment.
            time.sleep(backoff * random.uniform(0.5, 1.0))
            backoff = min(backoff * 2, BACKOFF_SECONDS_MAX)

    def _open(self):
        start = 0 if self.revision is None else self.revision + 1
        request = v1.WatchHandoffsRequest(namespace=self._namespace, start_revision=start, log_id=self.log_id)
        return self._baton.handoffs.WatchHandoffs(request, wait_for_ready=True)


def what_is_gone(watch, refusal):
    """Says what a watch can never give, and how to go on; nothing if it was refused for another reason."""
    match refusal.reason:
        case "REVISION_COMPACTED":
            oldest = int(refusal.metadata["oldest_revision"])
            return (
                f"revisions {watch.revision + 1} to {oldest - 1} are gone: the server keeps them no longer. "
                f"Go on with what it keeps: --from-revision {oldest}"
            )
        case "REVISION_IN_FUTURE":
            newest = refusal.metadata["newest_revision"]
            return f"revision {watch.revision + 1} is not there yet: the log ends at {newest}"
        case "LOG_MISMATCH":
            log_id = refusal.metadata["log_id"]
            return (
                f"the server has another log, {log_id}, than the one that was watched, {watch.log_id}: "
                f"revisions mean something else in it. Begin anew: --from-revision 1"
            )
    return None


def stored_cursor(path):
    """The revision and the log id that the last run stored; nothing if there was none."""
    if path is None or not path.exists():
        return None, ""
    cursor = json.loads(path.read_text())
    return cursor["revision"], cursor["log_id"]


def store_cursor(path, watch):
    """Writes beside and renames, so that a crash leaves the old cursor or the new one, never half of one."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps({"revision": watch.revision, "log_id": watch.log_id}))
    os.replace(beside, path)


def line(event):
    """One event for people, as in `8 HANDOFF_COMPLETED ticket-1 triage → billing: a refund is needed`."""
    handoff = event.handoff
    what = v1.EventType.Name(event.type).removeprefix("EVENT_TYPE_")
    text = f"{event.revision} {what} {handoff.task_id} {handoff.from_agent} → {handoff.to_agent}"
    return f"{text}: {handoff.reason}" if handoff.reason else text


def show(watch, events_max, cursor_path):
    """Prints the events as they come, and stores how far it is once each is dealt with."""
    for count, event in enumerate(watch, start=1):
        print(line(event), flush=True)
        if cursor_path:
            store_cursor(cursor_path, watch)
        if count == events_max:
            return


def main():
    parser = argparse.ArgumentParser(description="Prints hand-offs as they happen.")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--from-revision", type=int, help="the first wanted, 1 or more; otherwise from now")
    parser.add_argument("--cursor", type=Path, help="a file that keeps how far this is; --from-revision goes before it")
    parser.add_argument("--events", type=int, default=0, help="how many; 0: for ever")
    options = parser.parse_args()

    revision, log_id = stored_cursor(options.cursor)
    if options.from_revision:
        revision, log_id = options.from_revision - 1, ""
    with Baton() as baton:
        watch = Watch(baton, options.namespace, revision, log_id)
        try:
            show(watch, options.events, options.cursor)
        except grpc.RpcError as error:
            refusal = read_refusal(error)
            gone = what_is_gone(watch, refusal)
            sys.exit(gone or f"the watch was refused: {refusal.reason} {refusal.message} {refusal.metadata}")
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
