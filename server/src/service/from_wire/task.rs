//! Requests of `TaskService` into commands and questions.

use std::sync::Arc;

use baton_core::{
    Action, AgentId, Claim, Command, CreateTask, End, EndTask, Progress, Revision, TaskId, TaskStatus,
    UpdateTask,
    limits::{DESCRIPTION_BYTES_MAX, METADATA_BYTES_MAX, REASON_BYTES_MAX},
};
use baton_proto::v1;
use prost::Message as _;

use super::{Asked, Check, value::object};
use crate::status::Refusal;

/// Which tasks are asked for.
#[derive(Debug)]
pub(in crate::service) struct TaskQuery {
    pub(in crate::service) namespace: Arc<str>,
    pub(in crate::service) owner: Option<String>,
    pub(in crate::service) status: Option<TaskStatus>,
    pub(in crate::service) page_size: usize,
}

pub(in crate::service) fn create_task(
    request: v1::CreateTaskRequest,
    mut check: Check,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let bytes = request.encoded_len();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    check.id("task_id", &request.task_id);
    check.id("assigned_agent", &request.assigned_agent);
    let create = CreateTask {
        task_id: TaskId::from(request.task_id),
        description: check.text("description", &request.description, DESCRIPTION_BYTES_MAX),
        owner: AgentId::from(request.assigned_agent),
        metadata: object(&mut check, "metadata", request.metadata, METADATA_BYTES_MAX),
    };
    let command = Command::new(&request.request_id, now_us, Action::CreateTask(create));
    check.finish(Asked { namespace, command, bytes })
}

pub(in crate::service) fn update_task(request: v1::UpdateTaskRequest, now_us: i64) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let bytes = request.encoded_len();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    check.id("task_id", &request.task_id);
    let claim = claim(&mut check, &request.agent_id, request.owner_epoch);
    let nothing = request.description.is_none()
        && request.metadata.is_none()
        && request.progress.is_none()
        && !request.start;
    if nothing {
        check.wrong("request", "changes nothing; give a description, metadata, progress or start");
    }
    let update = UpdateTask {
        task_id: TaskId::from(request.task_id),
        claim,
        expected_revision: request.expected_revision.map(Revision),
        description: request.description.map(|text| check.text("description", &text, DESCRIPTION_BYTES_MAX)),
        metadata: request
            .metadata
            .map(|metadata| object(&mut check, "metadata", Some(metadata), METADATA_BYTES_MAX)),
        progress: request.progress.map(|given| progress(&mut check, given)),
        start: request.start,
    };
    let command = Command::new(&request.request_id, now_us, Action::UpdateTask(update));
    check.finish(Asked { namespace, command, bytes })
}

pub(in crate::service) fn complete_task(
    request: v1::CompleteTaskRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let bytes = request.encoded_len();
    let v1::CompleteTaskRequest { namespace, request_id, task_id, agent_id, owner_epoch, outcome } = request;
    end_task(
        Ending { namespace, request_id, task_id, agent_id, owner_epoch, outcome, bytes },
        End::Complete,
        now_us,
    )
}

pub(in crate::service) fn fail_task(request: v1::FailTaskRequest, now_us: i64) -> Result<Asked, Refusal> {
    let bytes = request.encoded_len();
    let v1::FailTaskRequest { namespace, request_id, task_id, agent_id, owner_epoch, outcome } = request;
    end_task(
        Ending { namespace, request_id, task_id, agent_id, owner_epoch, outcome, bytes },
        End::Fail,
        now_us,
    )
}

pub(in crate::service) fn cancel_task(request: v1::CancelTaskRequest, now_us: i64) -> Result<Asked, Refusal> {
    let bytes = request.encoded_len();
    let v1::CancelTaskRequest { namespace, request_id, task_id, agent_id, owner_epoch, outcome } = request;
    end_task(
        Ending { namespace, request_id, task_id, agent_id, owner_epoch, outcome, bytes },
        End::Cancel,
        now_us,
    )
}

/// What the three requests that end a task have in common.
struct Ending {
    namespace: String,
    request_id: String,
    task_id: String,
    agent_id: String,
    owner_epoch: Option<u64>,
    outcome: String,
    bytes: usize,
}

fn end_task(ending: Ending, end: End, now_us: i64) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&ending.namespace);
    check.request_id(&ending.request_id);
    check.id("task_id", &ending.task_id);
    let action = Action::EndTask(EndTask {
        task_id: TaskId::from(ending.task_id),
        claim: claim(&mut check, &ending.agent_id, ending.owner_epoch),
        end,
        outcome: check.text("outcome", &ending.outcome, REASON_BYTES_MAX),
    });
    let command = Command::new(&ending.request_id, now_us, action);
    check.finish(Asked { namespace, command, bytes: ending.bytes })
}

pub(in crate::service) fn list_tasks(request: &v1::ListTasksRequest) -> Result<TaskQuery, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.optional_id("assigned_agent", &request.assigned_agent);
    let status = check.known("status", request.status, v1::TaskStatus::try_from(request.status));
    let query = TaskQuery {
        namespace,
        owner: (!request.assigned_agent.is_empty()).then(|| request.assigned_agent.clone()),
        status: status.and_then(task_status),
        page_size: check.page_size(request.page_size),
    };
    check.finish(query)
}

fn task_status(status: v1::TaskStatus) -> Option<TaskStatus> {
    Some(match status {
        v1::TaskStatus::Unspecified => return None,
        v1::TaskStatus::Pending => TaskStatus::Pending,
        v1::TaskStatus::InProgress => TaskStatus::InProgress,
        v1::TaskStatus::Completed => TaskStatus::Completed,
        v1::TaskStatus::Failed => TaskStatus::Failed,
        v1::TaskStatus::HandedOff => TaskStatus::HandedOff,
        v1::TaskStatus::Cancelled => TaskStatus::Cancelled,
    })
}

fn claim(check: &mut Check, agent_id: &str, owner_epoch: Option<u64>) -> Claim {
    check.optional_id("agent_id", agent_id);
    Claim {
        agent: (!agent_id.is_empty()).then(|| AgentId::from(agent_id)),
        owner_epoch: check.owner_epoch(owner_epoch),
    }
}

fn progress(check: &mut Check, given: v1::TaskProgress) -> Progress {
    if given.percent > 100 {
        check.wrong("progress.percent", format!("is {}; give 0 to 100", given.percent));
    }
    Progress { percent: given.percent, note: check.text("progress.note", &given.note, REASON_BYTES_MAX) }
}
