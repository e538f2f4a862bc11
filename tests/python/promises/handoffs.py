"""Promises about hand-offs: what moves, what is refused, what is taken back."""

import grpc
from baton_v1 import v1
from google.protobuf.json_format import MessageToDict
from promise import equal, holds, promise, refused
from promises.states import PATCHED, content, update

CONTEXT = {
    "summary": "Two charges, one order",
    "completed": ["found the order"],
    "remaining": ["refund the second charge"],
    "decisions": ["no voucher: Ada asked for money"],
    "pitfalls": ["the order is in two currencies"],
    "references": ["orders/1017"],
}


def hand_off(run, task_id, sender, receiver, **fields):
    """The request that hands a task from one agent to another."""
    fields = {"reason": "a refund is needed", **fields}
    return v1.HandOffRequest(
        namespace=run.namespace, task_id=task_id, from_agent=sender, to_agent=receiver, **fields
    )


def first_hand_off(run):
    """Ticket-1 goes from triage to billing, with one of triage's two keys."""
    some = v1.TransferSpec(scope=v1.TRANSFER_SCOPE_SOME, keys=["customer"])
    context = v1.HandoffContext(**CONTEXT)
    fields = {"request_id": "hand off ticket-1", "owner_epoch": 1, "transfer": some, "context": context}
    return hand_off(run, "ticket-1", "triage", "billing", **fields)


def rules_of(verdict):
    """The names of the rules that a verdict's errors are of."""
    return {violation.rule for violation in verdict.errors}


@promise("a dry run judges and changes nothing")
def dry_run(run):
    def judge(sender, receiver, reason):
        request = v1.ValidateHandoffRequest(
            namespace=run.namespace, task_id="ticket-1", from_agent=sender, to_agent=receiver, reason=reason
        )
        return run.baton.rules.ValidateHandoff(request)

    head = run.head()
    good, bad = judge("triage", "billing", "a refund is needed"), judge("billing", "billing", "")
    equal("the good one's verdict", (good.verdict.valid, len(good.verdict.errors)), (True, 0))
    equal("the bad one is valid", bad.verdict.valid, False)
    equal("rules against the bad one", rules_of(bad.verdict), {"not_owner", "self_handoff", "empty_reason"})
    equal("revisions judged, newest revision", (good.revision, bad.revision, run.head()), (head, head, head))
    equal("hand-offs", run.handoffs(), [])


@promise("a hand-off moves the task, the chosen keys and the context")
def handed_off(run):
    run.baton.states.UpdateAgentState(update(run, "billing", {"queue": "invoices"}, request_id="billing 1"))
    sent = run.state("triage")
    done = run.baton.handoffs.HandOff(first_hand_off(run))
    task, handoff = done.task, done.handoff
    equal("owner and epoch", (task.assigned_agent, task.owner_epoch), ("billing", 2))
    equal("task status and count", (task.status, task.handoff_count), (v1.TASK_STATUS_HANDED_OFF, 1))
    equal("hand-off status and epoch", (handoff.status, handoff.owner_epoch), (v1.HANDOFF_STATUS_COMPLETED, 2))
    steps = [(step.step, step.status) for step in handoff.steps]
    names = ["validation", "state_transfer", "task_transfer"]
    equal("steps", steps, [(name, v1.STEP_STATUS_COMPLETED) for name in names])
    equal("context", MessageToDict(handoff.context), CONTEXT)
    transfer = handoff.transfer
    equal("what moved", (transfer.from_agent, transfer.from_revision), ("triage", sent.revision))
    equal("the task as read", run.task("ticket-1").owner_epoch, 2)
    read = v1.GetHandoffRequest(namespace=run.namespace, handoff_id=handoff.handoff_id)
    equal("the hand-off as read", run.baton.handoffs.GetHandoff(read).handoff, handoff)


@promise("a repeated hand-off happens once")
def repeated(run):
    head = run.head()
    again = run.baton.handoffs.HandOff(first_hand_off(run))
    equal("epoch and revision", (again.task.owner_epoch, again.handoff.revision), (2, head))
    equal("newest revision", run.head(), head)


@promise("the receiver keeps its own keys and the sender keeps its state")
def states_after(run):
    received = run.state("billing")
    equal("billing", content(received), {"queue": "invoices", "customer": PATCHED["customer"]})
    equal("transferred from", received.transferred_from, "triage")
    equal("triage", content(run.state("triage")), PATCHED)


@promise("a stale owner epoch is refused with the owner and its epoch")
def stale_owner(run):
    expected = {"task_id": "ticket-1", "owner": "billing", "owner_epoch": "2", "given_epoch": "1"}
    late = v1.UpdateTaskRequest(namespace=run.namespace, task_id="ticket-1", owner_epoch=1, start=True)
    refusal = refused("FAILED_PRECONDITION", "STALE_OWNER", run.baton.tasks.UpdateTask, late)
    equal("metadata", refusal.metadata, expected)

    request = hand_off(run, "ticket-1", "billing", "person", owner_epoch=1)
    refusal = refused("FAILED_PRECONDITION", "STALE_OWNER", run.baton.handoffs.HandOff, request)
    handoff_id = refusal.metadata.pop("handoff_id")
    equal("metadata of the hand-off", refusal.metadata, expected)
    equal("violations", set(refusal.violations), {"stale_owner"})
    kept = run.handoffs(status=v1.HANDOFF_STATUS_REJECTED)
    equal("rejected hand-offs", [handoff.handoff_id for handoff in kept], [handoff_id])


@promise("a refused hand-off tells all that is wrong with it")
def rejected(run):
    by_owner = hand_off(run, "ticket-1", "billing", "billing", reason="")
    refusal = refused("FAILED_PRECONDITION", "HANDOFF_REJECTED", run.baton.handoffs.HandOff, by_owner)
    equal("rules", set(refusal.violations), {"self_handoff", "empty_reason"})
    owner = (refusal.metadata["owner"], refusal.metadata["owner_epoch"])
    equal("owner and epoch", owner, ("billing", "2"))

    by_stranger = hand_off(run, "ticket-1", "person", "person", reason="")
    refusal = refused("FAILED_PRECONDITION", "NOT_OWNER", run.baton.handoffs.HandOff, by_stranger)
    equal("rules", set(refusal.violations), {"not_owner", "self_handoff", "empty_reason"})
    holds("each says what is wrong", all(refusal.violations.values()), refusal.violations)
    read = v1.GetHandoffRequest(namespace=run.namespace, handoff_id=refusal.metadata["handoff_id"])
    kept = run.baton.handoffs.GetHandoff(read).handoff
    equal("rules in the record", (kept.status, rules_of(kept.validation)), (v1.HANDOFF_STATUS_REJECTED, set(refusal.violations)))


@promise("a hand-off of an unknown task is not found")
def unknown_task(run):
    head = run.head()
    request = hand_off(run, "ticket-0", "triage", "billing")
    refused("NOT_FOUND", "TASK_NOT_FOUND", run.baton.handoffs.HandOff, request)
    equal("newest revision", run.head(), head)


def initiate(run, task_id, sender, receiver):
    """Initiates a hand-off and returns hand-off and task."""
    request = v1.InitiateHandoffRequest(
        namespace=run.namespace,
        request_id=f"initiate {task_id}",
        task_id=task_id,
        from_agent=sender,
        to_agent=receiver,
        reason="the ledger is wrong",
    )
    return run.baton.handoffs.InitiateHandoff(request)


@promise("an initiated hand-off moves nothing until it is executed")
def two_steps(run):
    opened = initiate(run, "ticket-1", "billing", "engineering")
    handoff_id = opened.handoff.handoff_id
    equal("status", opened.handoff.status, v1.HANDOFF_STATUS_INITIATED)
    owner = (opened.task.assigned_agent, opened.task.owner_epoch, opened.task.open_handoff_id)
    equal("owner, epoch and open hand-off", owner, ("billing", 2, handoff_id))

    request = v1.ExecuteHandoffRequest(
        namespace=run.namespace, request_id="execute ticket-1", handoff_id=handoff_id, owner_epoch=2
    )
    done = run.baton.handoffs.ExecuteHandoff(request)
    equal("status", (done.handoff.handoff_id, done.handoff.status), (handoff_id, v1.HANDOFF_STATUS_COMPLETED))
    owner = (done.task.assigned_agent, done.task.owner_epoch, done.task.open_handoff_id)
    equal("owner, epoch and open hand-off", owner, ("engineering", 3, ""))
    equal("engineering", content(run.state("engineering")), content(run.state("billing")))


@promise("a closed hand-off cannot be executed again")
def closed(run):
    handoff_id = run.handoffs(status=v1.HANDOFF_STATUS_COMPLETED)[-1].handoff_id
    request = v1.ExecuteHandoffRequest(namespace=run.namespace, handoff_id=handoff_id)
    refusal = refused("FAILED_PRECONDITION", "WRONG_HANDOFF_STATUS", run.baton.handoffs.ExecuteHandoff, request)
    equal("hand-off", refusal.metadata["handoff_id"], handoff_id)


@promise("a withdrawn hand-off leaves the owner alone")
def withdrawn(run):
    handoff_id = initiate(run, "ticket-2", "triage", "billing").handoff.handoff_id
    request = v1.WithdrawHandoffRequest(
        namespace=run.namespace, request_id="withdraw ticket-2", handoff_id=handoff_id, reason="found the answer"
    )
    after = run.baton.handoffs.WithdrawHandoff(request)
    equal("status", after.handoff.status, v1.HANDOFF_STATUS_WITHDRAWN)
    owner = (after.task.assigned_agent, after.task.owner_epoch, after.task.open_handoff_id)
    equal("owner, epoch and open hand-off", owner, ("triage", 1, ""))


@promise("a hand-off that meets a conflict fails and moves nothing")
def conflict(run):
    run.baton.states.UpdateAgentState(update(run, "person", {"secret": 1.0}, request_id="person 1"))
    before = run.state("person")
    strict = v1.TransferSpec(on_conflict=v1.CONFLICT_POLICY_FAIL)
    request = hand_off(run, "ticket-2", "triage", "person", request_id="hand off ticket-2", transfer=strict)
    refusal = refused("FAILED_PRECONDITION", "HANDOFF_FAILED", run.baton.handoffs.HandOff, request)
    holds("the message names the key", "secret" in refusal.message, refusal.message)
    failed = run.handoffs(status=v1.HANDOFF_STATUS_FAILED)
    equal("failed hand-offs", [handoff.handoff_id for handoff in failed], [refusal.metadata["handoff_id"]])
    last = failed[0].steps[-1]
    equal("last step", (last.step, last.status), ("state_transfer", v1.STEP_STATUS_FAILED))
    equal("owner", run.task("ticket-2").assigned_agent, "triage")
    equal("state", run.state("person"), before)


@promise("a batch of hand-offs settles each on its own")
def batch(run):
    senders = {"ticket-3": "triage", "ticket-4": "billing"}
    items = [
        hand_off(run, task_id, sender, "engineering", request_id=f"hand off {task_id}")
        for task_id, sender in senders.items()
    ]
    request = v1.BatchHandOffRequest(namespace=run.namespace, items=items)
    good, bad = run.baton.handoffs.BatchHandOff(request).results
    equal("the good one", (good.handoff.task_id, good.handoff.status), ("ticket-3", v1.HANDOFF_STATUS_COMPLETED))
    equal("the bad one's code", bad.error.code, grpc.StatusCode.FAILED_PRECONDITION.value[0])
    equal("the bad one's reason and owner", (bad.error.reason, bad.error.metadata["owner"]), ("NOT_OWNER", "triage"))


@promise("state can be transferred outside of a hand-off")
def transferred(run):
    def transfer(policy):
        keys = v1.TransferSpec(scope=v1.TRANSFER_SCOPE_SOME, keys=["customer", "secret"], on_conflict=policy)
        return v1.TransferStateRequest(
            namespace=run.namespace, from_agent="triage", to_agent="person", transfer=keys
        )

    strict = transfer(v1.CONFLICT_POLICY_FAIL)
    refused("FAILED_PRECONDITION", "STATE_CONFLICT", run.baton.states.TransferState, strict)
    run.baton.states.TransferState(transfer(v1.CONFLICT_POLICY_KEEP))
    after = run.state("person")
    equal("person", content(after), {"secret": 1.0, "customer": PATCHED["customer"]})
    equal("transferred from", after.transferred_from, "triage")


@promise("a finished task cannot be handed on")
def finished(run):
    acting = {"namespace": run.namespace, "task_id": "ticket-1", "agent_id": "engineering", "owner_epoch": 3}
    early = v1.CompleteTaskRequest(**acting)
    refusal = refused("FAILED_PRECONDITION", "WRONG_TASK_STATUS", run.baton.tasks.CompleteTask, early)
    equal("task", refusal.metadata["task_id"], "ticket-1")

    run.baton.tasks.UpdateTask(v1.UpdateTaskRequest(request_id="start ticket-1 again", start=True, **acting))
    done = v1.CompleteTaskRequest(request_id="complete ticket-1", outcome="refunded", **acting)
    task = run.baton.tasks.CompleteTask(done).task
    equal("status and outcome", (task.status, task.outcome), (v1.TASK_STATUS_COMPLETED, "refunded"))
    late = hand_off(run, "ticket-1", "engineering", "person")
    refusal = refused("FAILED_PRECONDITION", "HANDOFF_REJECTED", run.baton.handoffs.HandOff, late)
    equal("rules", set(refusal.violations), {"finished_task"})


ALL = [
    dry_run,
    handed_off,
    repeated,
    states_after,
    stale_owner,
    rejected,
    unknown_task,
    two_steps,
    closed,
    withdrawn,
    conflict,
    batch,
    transferred,
    finished,
]
