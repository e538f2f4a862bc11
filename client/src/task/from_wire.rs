//! Reads tasks and their history from the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1;

use super::{Task, TaskHistoryEntry, TaskHistoryType, TaskProgress, TaskStatus};
use crate::{
    from_wire::{promised_time, some_text},
    value::from_struct,
};

pub(crate) fn task_from_wire(task: v1::Task) -> Task {
    Task {
        namespace: task.namespace,
        task_id: task.task_id,
        description: task.description,
        status: TaskStatus::from_wire(task.status),
        assigned_agent: task.assigned_agent,
        created_at: promised_time(task.created_at),
        updated_at: promised_time(task.updated_at),
        metadata: from_struct(task.metadata),
        revision: task.revision,
        owner_epoch: task.owner_epoch,
        handoff_count: task.handoff_count,
        open_handoff_id: some_text(task.open_handoff_id),
        progress: task
            .progress
            .map(|progress| TaskProgress { percent: progress.percent, note: progress.note }),
        outcome: some_text(task.outcome),
    }
}

pub(super) fn history_entry_from_wire(entry: v1::TaskHistoryEntry) -> TaskHistoryEntry {
    TaskHistoryEntry {
        revision: entry.revision,
        timestamp: promised_time(entry.timestamp),
        kind: TaskHistoryType::from_wire(entry.r#type),
        status: TaskStatus::from_wire(entry.status),
        assigned_agent: entry.assigned_agent,
        owner_epoch: entry.owner_epoch,
        from_agent: some_text(entry.from_agent),
        to_agent: some_text(entry.to_agent),
        reason: some_text(entry.reason),
        handoff_id: some_text(entry.handoff_id),
        errors: entry.errors,
    }
}
