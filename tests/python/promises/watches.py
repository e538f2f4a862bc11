"""Promises about watching: nothing missed, nothing twice, and a clear word when that cannot be."""

from baton_v1 import v1
from promise import equal, holds, promise, refused
from promises.handoffs import initiate

HANDOFF_TYPES = {value for name, value in v1.EventType.items() if name.startswith("EVENT_TYPE_HANDOFF_")}


def every_revision_once(run, events):
    """Checks that `events` are all of the namespace's events."""
    revisions = [event.revision for event in events]
    equal("revisions", revisions, list(range(1, run.head() + 1)))
    times = [event.timestamp.ToNanoseconds() for event in events]
    equal("times never run backwards", times, sorted(times))


@promise("a watch of all events gets every revision once")
def all_events(run):
    events = run.all_events.until(run.head())
    every_revision_once(run, events)
    equal("the first", (events[0].type, events[0].task.task_id), (v1.EVENT_TYPE_TASK_CREATED, "ticket-1"))


@promise("a watch of hand-offs gets all of them and nothing else")
def handoff_events(run):
    head = run.head()
    expected = [event for event in run.all_events.until(head) if event.type in HANDOFF_TYPES]
    equal("events", run.handoff_events.until(head), expected)
    completed = expected[0]
    equal("the first", (completed.type, completed.handoff.to_agent), (v1.EVENT_TYPE_HANDOFF_COMPLETED, "billing"))
    equal("the task after it", (completed.task.assigned_agent, completed.task.owner_epoch), ("billing", 2))
    run.handoff_events.close()


@promise("a watch can go on at any revision")
def resumed(run):
    head, log_id = run.head(), run.all_events.log_id
    everything = run.all_events.until(head)
    for start in (2, head // 2, head):
        rest = run.watch(start_revision=start, all_events=True, log_id=log_id)
        equal(f"events from {start}", rest.until(head), everything[start - 1 :])
        rest.close()
    next_one = run.watch(start_revision=head + 1, all_events=True, log_id=log_id)
    equal("events after the newest", next_one.until(head), [])
    next_one.close()
    some = run.watch(start_revision=1, filter=v1.WatchFilter(task_ids=["ticket-2"]))
    equal("tasks of a filtered watch", {event.handoff.task_id for event in some.until(head)}, {"ticket-2"})
    some.close()


@promise("a watch from the future or of another log is refused")
def out_of_reach(run):
    head = run.head()
    future = v1.WatchHandoffsRequest(namespace=run.namespace, start_revision=head + 1000)
    refusal = refused("OUT_OF_RANGE", "REVISION_IN_FUTURE", run.baton.handoffs.WatchHandoffs, future)
    reach = (refusal.metadata["oldest_revision"], refusal.metadata["newest_revision"])
    equal("oldest and newest", reach, ("1", str(head)))
    foreign = v1.WatchHandoffsRequest(namespace=run.namespace, start_revision=1, log_id="another")
    refusal = refused("FAILED_PRECONDITION", "LOG_MISMATCH", run.baton.handoffs.WatchHandoffs, foreign)
    equal("log", refusal.metadata["log_id"], run.all_events.log_id)


@promise("a snapshot shows what is open and then what happens")
def snapshot(run):
    opened = initiate(run, "ticket-5", "triage", "billing").handoff
    watch = run.watch(snapshot=True)
    equal("events up to the snapshot", watch.until(opened.revision), [])
    equal("open hand-offs", watch.open_handoffs, [opened])
    request = v1.WithdrawHandoffRequest(
        namespace=run.namespace, request_id="withdraw ticket-5", handoff_id=opened.handoff_id
    )
    withdrawn = run.baton.handoffs.WithdrawHandoff(request).handoff
    events = watch.until(withdrawn.revision)
    equal("events after it", [event.handoff for event in events], [withdrawn])
    watch.close()
    everything = run.all_events.until(withdrawn.revision)
    holds("the watch of all events has it too", everything[-1].handoff == withdrawn, everything[-1])
    run.all_events.close()


ALL = [all_events, handoff_events, resumed, out_of_reach, snapshot]
