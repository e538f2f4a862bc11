//! Decides what a command does to one task's life; hand-offs stand in `handoff`.

use std::sync::Arc;

use crate::{
    Draft, Event, Rejection, Task, TaskId, TaskStatus,
    command::{Claim, CreateTask, End, EndTask, UpdateTask},
    event::{TaskCreated, TaskEnded, TaskUpdated},
};

pub(super) fn create(draft: &Draft<'_>, create: &CreateTask) -> Result<Event, Rejection> {
    if let Some(present) = draft.task(&create.task_id) {
        let revision = present.revision;
        return Err(Rejection::TaskExists { task_id: create.task_id.clone(), revision });
    }
    Ok(Event::TaskCreated(TaskCreated {
        task_id: create.task_id.clone(),
        description: create.description.clone(),
        owner: create.owner.clone(),
        metadata: create.metadata.clone(),
    }))
}

pub(super) fn update(draft: &Draft<'_>, update: &UpdateTask) -> Result<Event, Rejection> {
    let task = claimed(draft, &update.task_id, &update.claim)?;
    if let Some(expected) = update.expected_revision.filter(|expected| *expected != task.revision) {
        let what = format!("task {}", task.id);
        return Err(Rejection::RevisionMismatch { what, revision: task.revision, expected });
    }
    // A change of a finished task would rewrite what is closed; it is named as a step back into progress.
    let may_start = matches!(task.status, TaskStatus::Pending | TaskStatus::HandedOff);
    if task.status.is_finished() || (update.start && !may_start) {
        return Err(wrong_status(&task, TaskStatus::InProgress));
    }
    let mut after = task.after();
    if update.start {
        after.status = TaskStatus::InProgress;
    }
    if let Some(progress) = &update.progress {
        after.progress = Some(progress.clone());
    }
    Ok(Event::TaskUpdated(TaskUpdated {
        task_id: task.id.clone(),
        description: update.description.clone(),
        metadata: update.metadata.clone(),
        progress: update.progress.clone(),
        started: update.start,
        after,
    }))
}

pub(super) fn end(draft: &Draft<'_>, end: &EndTask) -> Result<Event, Rejection> {
    let task = claimed(draft, &end.task_id, &end.claim)?;
    let wanted = match end.end {
        End::Complete => TaskStatus::Completed,
        End::Fail => TaskStatus::Failed,
        End::Cancel => TaskStatus::Cancelled,
    };
    let possible = match end.end {
        End::Complete | End::Fail => task.status == TaskStatus::InProgress,
        End::Cancel => !task.status.is_finished(),
    };
    if !possible {
        return Err(wrong_status(&task, wanted));
    }
    let mut after = task.after();
    after.status = wanted;
    Ok(Event::TaskEnded(TaskEnded { task_id: task.id.clone(), outcome: end.outcome.clone(), after }))
}

/// The task, if it exists and what the caller says of itself is true.
fn claimed(draft: &Draft<'_>, task_id: &TaskId, claim: &Claim) -> Result<Arc<Task>, Rejection> {
    let task = draft.task(task_id).ok_or_else(|| Rejection::TaskNotFound { task_id: task_id.clone() })?;
    check_epoch(&task, claim.owner_epoch)?;
    match &claim.agent {
        Some(agent) if *agent != task.owner => Err(Rejection::NotOwner {
            task_id: task.id.clone(),
            owner: task.owner.clone(),
            owner_epoch: task.owner_epoch,
            agent_id: agent.clone(),
        }),
        _ => Ok(task),
    }
}

/// Refuses an owner epoch that is not the present one.
pub(super) fn check_epoch(task: &Task, given: Option<u64>) -> Result<(), Rejection> {
    match given {
        Some(given_epoch) if given_epoch != task.owner_epoch => Err(Rejection::StaleOwner {
            task_id: task.id.clone(),
            owner: task.owner.clone(),
            owner_epoch: task.owner_epoch,
            given_epoch,
        }),
        _ => Ok(()),
    }
}

fn wrong_status(task: &Task, wanted: TaskStatus) -> Rejection {
    Rejection::WrongTaskStatus { task_id: task.id.clone(), status: task.status, wanted }
}
