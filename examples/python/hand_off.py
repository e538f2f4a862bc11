"""Creates a task, keeps state, hands both to another agent, and reads a refusal. Usage: hand_off.py [TASK_ID]

Against the server at BATON_ADDR (http://127.0.0.1:7420 if unset), in the namespace `default`.
"""

import sys
import uuid

import grpc
from baton_v1 import Baton, v1
from google.protobuf.json_format import MessageToDict
from refusal import read_refusal


def main():
    task_id = sys.argv[1] if len(sys.argv) > 1 else f"ticket-{uuid.uuid4().hex[:8]}"
    with Baton() as baton:
        hand_over(baton, task_id)
        act_too_late(baton, task_id)
        look_back(baton, task_id)


def hand_over(baton, task_id):
    """The agent triage looks at a ticket and hands it to billing with what it has found out."""
    baton.tasks.CreateTask(
        v1.CreateTaskRequest(
            request_id=f"create {task_id}",
            task_id=task_id,
            description="Charged twice in May",
            assigned_agent="triage",
            metadata={"channel": "mail"},
        )
    )
    baton.states.UpdateAgentState(
        v1.UpdateAgentStateRequest(
            request_id=f"note {task_id}", agent_id="triage", state={"customer": "ACME", "mood": "cross"}
        )
    )
    done = baton.handoffs.HandOff(
        v1.HandOffRequest(
            request_id=f"hand off {task_id}",
            task_id=task_id,
            from_agent="triage",
            to_agent="billing",
            reason="a refund is needed",
            owner_epoch=1,
            context=v1.HandoffContext(summary="Two charges, one order", remaining=["refund the second charge"]),
        )
    )
    state = baton.states.GetAgentState(v1.GetAgentStateRequest(agent_id="billing")).agent_state
    print(f"{task_id} belongs to {done.task.assigned_agent} at epoch {done.task.owner_epoch}")
    print(f"billing knows {MessageToDict(state.state)}")


def act_too_late(baton, task_id):
    """Triage has not noticed that the task is no longer its own. Its epoch gives it away."""
    try:
        progress = v1.TaskProgress(percent=50)
        baton.tasks.UpdateTask(v1.UpdateTaskRequest(task_id=task_id, owner_epoch=1, progress=progress))
    except grpc.RpcError as error:
        refusal = read_refusal(error)
        owner, epoch = refusal.metadata["owner"], refusal.metadata["owner_epoch"]
        print(f"refused: {refusal.reason}, the owner is {owner} at epoch {epoch}")


def look_back(baton, task_id):
    """Prints what happened to the task."""
    history = baton.tasks.GetTaskHistory(v1.GetTaskHistoryRequest(task_id=task_id))
    for entry in history.entries:
        what = v1.TaskHistoryType.Name(entry.type).removeprefix("TASK_HISTORY_TYPE_")
        print(f"{entry.revision} {what} {entry.assigned_agent} {entry.reason}".rstrip())


if __name__ == "__main__":
    main()
