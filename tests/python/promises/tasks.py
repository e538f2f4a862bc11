"""Promises about tasks: creation, requests that repeat, bad fields, lists, progress."""

import grpc
from baton_v1 import v1
from google.protobuf.json_format import MessageToDict
from promise import equal, holds, promise, refused
from run import pages

METADATA = {"customer": "ACME", "priority": 2.0, "tags": ["refund", "vip"], "seen": {"by": None, "mail": True}}


def create_first(run):
    """The request of the whole scenario's first call."""
    return v1.CreateTaskRequest(
        namespace=run.namespace,
        request_id="create ticket-1",
        task_id="ticket-1",
        description="Charged twice in May",
        assigned_agent="triage",
        metadata=METADATA,
    )


@promise("a new task is pending and owned by its agent at epoch 1")
def created(run):
    task = run.baton.tasks.CreateTask(create_first(run)).task
    equal("status", task.status, v1.TASK_STATUS_PENDING)
    equal("owner and epoch", (task.assigned_agent, task.owner_epoch), ("triage", 1))
    equal("namespace and revision", (task.namespace, task.revision), (run.namespace, 1))
    equal("metadata", MessageToDict(task.metadata), METADATA)
    equal("as read", run.task("ticket-1"), task)
    # From here on two watches see everything as it happens; promises/watches.py reads them.
    run.all_events = run.watch(start_revision=1, all_events=True)
    run.handoff_events = run.watch(start_revision=1)


@promise("a repeated request gets the first answer")
def repeated(run):
    first = run.baton.tasks.CreateTask(create_first(run))
    equal("revision", first.task.revision, 1)
    equal("newest revision", run.head(), 1)


@promise("a request id used again with another body is refused")
def request_id_reused(run):
    request = create_first(run)
    request.description = "Something else"
    refusal = refused("ALREADY_EXISTS", "REQUEST_ID_REUSED", run.baton.tasks.CreateTask, request)
    equal("request id", refusal.metadata["request_id"], "create ticket-1")
    equal("description", run.task("ticket-1").description, "Charged twice in May")


@promise("a taken task id is refused")
def task_id_taken(run):
    request = create_first(run)
    request.request_id = "create ticket-1 once more"
    refusal = refused("ALREADY_EXISTS", "TASK_EXISTS", run.baton.tasks.CreateTask, request)
    equal("task id", refusal.metadata["task_id"], "ticket-1")


@promise("all bad fields are named at once")
def bad_fields(run):
    request = v1.CreateTaskRequest(
        namespace=run.namespace,
        request_id="r" * 257,
        task_id="",
        description="d" * (16 * 1024 + 1),
        assigned_agent="bad\nname",
    )
    refusal = refused("INVALID_ARGUMENT", "INVALID_FIELD", run.baton.tasks.CreateTask, request)
    equal("bad fields", set(refusal.fields), {"request_id", "task_id", "description", "assigned_agent"})
    equal("newest revision", run.head(), 1)


@promise("an unknown task is not found")
def unknown_task(run):
    request = v1.GetTaskRequest(namespace=run.namespace, task_id="ticket-0")
    refusal = refused("NOT_FOUND", "TASK_NOT_FOUND", run.baton.tasks.GetTask, request)
    equal("task id", refusal.metadata["task_id"], "ticket-0")


@promise("a batch creates what it can and says why not of the rest")
def batch(run):
    ids = ["ticket-2", "ticket-1", "ticket-3", "ticket-4", "ticket-5"]
    items = [v1.CreateTaskRequest(request_id=f"batch {id}", task_id=id, assigned_agent="triage") for id in ids]
    request = v1.BatchCreateTasksRequest(namespace=run.namespace, items=items)
    results = run.baton.tasks.BatchCreateTasks(request).results
    equal("created", [result.task.task_id for result in results], ["ticket-2", "", "ticket-3", "ticket-4", "ticket-5"])
    equal("code of the second", results[1].error.code, grpc.StatusCode.ALREADY_EXISTS.value[0])
    equal("reason of the second", results[1].error.reason, "TASK_EXISTS")


@promise("tasks are listed in pages, in order of their ids")
def listed(run):
    request = v1.ListTasksRequest(namespace=run.namespace, assigned_agent="triage", page_size=2)
    tasks = list(pages(run.baton.tasks.ListTasks, request, "tasks"))
    equal("ids", [task.task_id for task in tasks], [f"ticket-{n}" for n in range(1, 6)])
    foreign = v1.ListTasksRequest(namespace=run.namespace, page_token="from elsewhere")
    refusal = refused("INVALID_ARGUMENT", "INVALID_FIELD", run.baton.tasks.ListTasks, foreign)
    equal("bad fields", set(refusal.fields), {"page_token"})


@promise("an owner starts its task and tells its progress")
def started(run):
    def change(**fields):
        request = v1.UpdateTaskRequest(
            namespace=run.namespace, task_id="ticket-1", agent_id="triage", owner_epoch=1, **fields
        )
        return run.baton.tasks.UpdateTask(request).task

    before = change(request_id="start ticket-1", start=True)
    equal("status", before.status, v1.TASK_STATUS_IN_PROGRESS)
    progress = v1.TaskProgress(percent=40, note="order found")
    after = change(request_id="ticket-1 at 40", progress=progress, expected_revision=before.revision)
    equal("progress", after.progress, progress)
    holds("the revision has grown", after.revision > before.revision, after.revision)


ALL = [
    created,
    repeated,
    request_id_reused,
    task_id_taken,
    bad_fields,
    unknown_task,
    batch,
    listed,
    started,
]
