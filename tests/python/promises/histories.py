"""Promises about looking back: histories, lists, figures."""

from collections import Counter

from baton_v1 import v1
from promise import equal, holds, promise
from promises.states import PATCHED, content
from run import pages

TICKET_1 = [
    "CREATED triage 1",
    "STARTED triage 1",
    "UPDATED triage 1",
    "HANDOFF_COMPLETED billing 2",
    "HANDOFF_REJECTED billing 2",
    "HANDOFF_REJECTED billing 2",
    "HANDOFF_REJECTED billing 2",
    "HANDOFF_INITIATED billing 2",
    "HANDOFF_COMPLETED engineering 3",
    "STARTED engineering 3",
    "COMPLETED engineering 3",
    "HANDOFF_REJECTED engineering 3",
]
"""What happened to ticket-1: type, owner and epoch after it."""


def task_history(run, task_id):
    """All entries of a task's history, page by page."""
    request = v1.GetTaskHistoryRequest(namespace=run.namespace, task_id=task_id, page_size=5)
    return list(pages(run.baton.tasks.GetTaskHistory, request, "entries"))


def told(entry):
    """One entry as in TICKET_1."""
    name = v1.TaskHistoryType.Name(entry.type).removeprefix("TASK_HISTORY_TYPE_")
    return f"{name} {entry.assigned_agent} {entry.owner_epoch}"


@promise("the history of a task tells everything in order")
def of_a_task(run):
    entries = task_history(run, "ticket-1")
    equal("ticket-1", [told(entry) for entry in entries], TICKET_1)
    revisions = [entry.revision for entry in entries]
    equal("revisions in order, each once", revisions, sorted(set(revisions)))
    handed = entries[3]
    equal("who gave it to whom, and why", (handed.from_agent, handed.to_agent, handed.reason), ("triage", "billing", "a refund is needed"))
    holds("its hand-off is named", handed.handoff_id, handed)
    equal("lines of errors of the last refusal of a stranger", len(entries[6].errors), 3)
    equal("outcome", entries[10].reason, "refunded")
    failed = [told(entry) for entry in task_history(run, "ticket-2")]
    expected = ["CREATED", "HANDOFF_INITIATED", "HANDOFF_WITHDRAWN", "HANDOFF_FAILED"]
    equal("ticket-2", failed, [f"{name} triage 1" for name in expected])


@promise("the history of a state tells where it came from")
def of_a_state(run):
    request = v1.GetStateHistoryRequest(namespace=run.namespace, agent_id="billing", page_size=1)
    entries = list(pages(run.baton.states.GetStateHistory, request, "entries"))
    first, second = entries
    equal("first", (first.type, content(first), first.transferred_from), (v1.STATE_CHANGE_TYPE_MERGED, {"queue": "invoices"}, ""))
    equal("second", (second.type, second.transferred_from), (v1.STATE_CHANGE_TYPE_TRANSFERRED, "triage"))
    equal("state after it", content(second), {"queue": "invoices", "customer": PATCHED["customer"]})
    handoff = run.handoffs(task_id="ticket-1")[0]
    equal("its hand-off and revision", (second.handoff_id, second.revision), (handoff.handoff_id, handoff.revision))


@promise("hand-offs are listed in order of creation, and by status")
def handoffs(run):
    listed = run.handoffs()
    equal("tasks", [handoff.task_id for handoff in listed], [f"ticket-{n}" for n in (1, 1, 1, 1, 1, 2, 2, 3, 4, 1)])
    created = [handoff.created_at.ToNanoseconds() for handoff in listed]
    equal("times of creation", created, sorted(created))
    completed = run.handoffs(status=v1.HANDOFF_STATUS_COMPLETED)
    equal("completed", completed, [one for one in listed if one.status == v1.HANDOFF_STATUS_COMPLETED])
    of_person = run.handoffs(agent_id="person")
    equal("of person", of_person, [one for one in listed if "person" in (one.from_agent, one.to_agent)])


@promise("the summary agrees with the hand-offs")
def summary(run):
    listed = run.handoffs()
    by_status = Counter(v1.HandoffStatus.Name(handoff.status) for handoff in listed)
    request = v1.GetSummaryRequest(namespace=run.namespace, group_by=[v1.SUMMARY_GROUPING_PAIR])
    answer = run.baton.monitor.GetSummary(request)
    total = answer.total
    for status in ("completed", "failed", "rejected", "withdrawn"):
        equal(status, getattr(total, status), by_status[f"HANDOFF_STATUS_{status.upper()}"])
    equal("open", total.open, by_status["HANDOFF_STATUS_INITIATED"])

    ended = len(listed) - total.open
    equal("hand-off count", (total.hand_off_count.count, total.hand_off_count.total), (ended, ended))
    holds("success rate", abs(total.success_rate.average - total.completed / ended) < 1e-9, total.success_rate)
    errors = sum(len(handoff.validation.errors) for handoff in listed)
    equal("validation errors", total.validation_errors.total, errors)
    equal("durations", total.duration_seconds.count, total.completed + total.failed)
    duration = total.duration_seconds
    ordered = [0, duration.min, duration.p50, duration.p95, duration.p99, duration.max]
    equal("durations in order", ordered, sorted(ordered))
    pairs = {(group.agent_id, group.to_agent): group.summary.completed for group in answer.groups}
    equal("completed from triage to billing", pairs[("triage", "billing")], 1)


ALL = [of_a_task, of_a_state, handoffs, summary]
