//! Tasks and their histories.

use baton_core::HandoffStatus;
use baton_core::{
    LastChange, Progress, Revision, Task, TaskAfter, TaskChange, TaskEntry, TaskId, TaskStatus,
};
use baton_proto::v1;

use super::{timestamp, value::object};

pub(in crate::service) fn task(namespace: &str, task: &Task) -> v1::Task {
    v1::Task {
        namespace: namespace.to_owned(),
        task_id: task.id.to_string(),
        description: task.description.to_string(),
        status: task_status(task.status).into(),
        assigned_agent: task.owner.to_string(),
        created_at: Some(timestamp(task.created_us)),
        updated_at: Some(timestamp(task.updated_us)),
        metadata: Some(object(&task.metadata)),
        revision: task.revision.0,
        owner_epoch: task.owner_epoch,
        handoff_count: task.handoff_count,
        open_handoff_id: open_handoff(task.open_handoff),
        progress: task.progress.as_ref().map(progress),
        outcome: task.outcome.to_string(),
    }
}

/// A task as an event leaves it: without description and metadata.
pub(in crate::service) fn task_after(
    namespace: &str,
    id: &TaskId,
    after: &TaskAfter,
    revision: Revision,
    time_us: i64,
) -> v1::Task {
    let changed = after.untouched_since.unwrap_or(LastChange { revision, time_us });
    v1::Task {
        namespace: namespace.to_owned(),
        task_id: id.to_string(),
        description: String::new(),
        status: task_status(after.status).into(),
        assigned_agent: after.owner.to_string(),
        created_at: Some(timestamp(after.created_us)),
        updated_at: Some(timestamp(changed.time_us)),
        metadata: None,
        revision: changed.revision.0,
        owner_epoch: after.owner_epoch,
        handoff_count: after.handoff_count,
        open_handoff_id: open_handoff(after.open_handoff),
        progress: after.progress.as_ref().map(progress),
        outcome: after.outcome.as_deref().unwrap_or_default().to_owned(),
    }
}

fn open_handoff(id: Option<baton_core::HandoffId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

pub(super) fn progress(progress: &Progress) -> v1::TaskProgress {
    v1::TaskProgress { percent: progress.percent, note: progress.note.to_string() }
}

pub(super) fn task_status(status: TaskStatus) -> v1::TaskStatus {
    match status {
        TaskStatus::Pending => v1::TaskStatus::Pending,
        TaskStatus::InProgress => v1::TaskStatus::InProgress,
        TaskStatus::Completed => v1::TaskStatus::Completed,
        TaskStatus::Failed => v1::TaskStatus::Failed,
        TaskStatus::HandedOff => v1::TaskStatus::HandedOff,
        TaskStatus::Cancelled => v1::TaskStatus::Cancelled,
    }
}

pub(in crate::service) fn task_entry(entry: &TaskEntry) -> v1::TaskHistoryEntry {
    let told = v1::TaskHistoryEntry {
        revision: entry.revision.0,
        timestamp: Some(timestamp(entry.time_us)),
        r#type: history_type(entry).into(),
        status: task_status(entry.status).into(),
        assigned_agent: entry.owner.to_string(),
        owner_epoch: entry.owner_epoch,
        ..Default::default()
    };
    match &entry.what {
        TaskChange::Created | TaskChange::Started | TaskChange::Updated => told,
        TaskChange::Ended(outcome) => v1::TaskHistoryEntry { reason: outcome.to_string(), ..told },
        TaskChange::Handoff(handoff) => v1::TaskHistoryEntry {
            from_agent: handoff.from.to_string(),
            to_agent: handoff.to.to_string(),
            reason: handoff.reason.to_string(),
            handoff_id: handoff.id.to_string(),
            errors: match handoff.status {
                HandoffStatus::Rejected => handoff.verdict.error_lines(),
                HandoffStatus::Failed => vec![handoff.error.to_string()],
                _ => Vec::new(),
            },
            ..told
        },
    }
}

fn history_type(entry: &TaskEntry) -> v1::TaskHistoryType {
    match &entry.what {
        TaskChange::Created => v1::TaskHistoryType::Created,
        TaskChange::Started => v1::TaskHistoryType::Started,
        TaskChange::Updated => v1::TaskHistoryType::Updated,
        TaskChange::Ended(_) => match entry.status {
            TaskStatus::Completed => v1::TaskHistoryType::Completed,
            TaskStatus::Failed => v1::TaskHistoryType::Failed,
            _ => v1::TaskHistoryType::Cancelled,
        },
        TaskChange::Handoff(handoff) => match handoff.status {
            HandoffStatus::Initiated => v1::TaskHistoryType::HandoffInitiated,
            HandoffStatus::Completed => v1::TaskHistoryType::HandoffCompleted,
            HandoffStatus::Failed => v1::TaskHistoryType::HandoffFailed,
            HandoffStatus::Rejected => v1::TaskHistoryType::HandoffRejected,
            HandoffStatus::Withdrawn => v1::TaskHistoryType::HandoffWithdrawn,
        },
    }
}
