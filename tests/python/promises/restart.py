"""Promises about a server that was stopped and started again on the same log."""

from baton_v1 import v1
from promise import equal, promise
from promises import handoffs, histories, server, tasks, watches
from promises.states import PATCHED, content


@promise("a request from before the restart gets its first answer")
def first_answer(run):
    head = run.head()
    task = run.baton.tasks.CreateTask(tasks.create_first(run)).task
    equal("the task as it was created", (task.revision, task.assigned_agent, task.owner_epoch), (1, "triage", 1))
    done = run.baton.handoffs.HandOff(handoffs.first_hand_off(run))
    equal("the task as it was handed off", (done.task.assigned_agent, done.task.owner_epoch), ("billing", 2))
    equal("newest revision", run.head(), head)


@promise("tasks, states and histories are as they were")
def as_they_were(run):
    task = run.task("ticket-1")
    owner = (task.status, task.assigned_agent, task.owner_epoch, task.outcome)
    equal("ticket-1", owner, (v1.TASK_STATUS_COMPLETED, "engineering", 3, "refunded"))
    equal("its history", [histories.told(entry) for entry in histories.task_history(run, "ticket-1")], histories.TICKET_1)
    equal("triage", content(run.state("triage")), PATCHED)
    equal("billing came from", run.state("billing").transferred_from, "triage")


@promise("a watch from the first revision gets every revision once")
def watched(run):
    watch = run.watch(start_revision=1, all_events=True)
    watches.every_revision_once(run, watch.until(run.head()))
    watch.close()


ALL = [first_answer, as_they_were, histories.summary, watched, server.verifies]
