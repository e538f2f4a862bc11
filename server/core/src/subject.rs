//! What a command or an event is about, as far as that may be kept outside of the state.
//!
//! Knows nothing of where that is.

use crate::{Action, Event, HandoffId, TaskId};

/// A task or a hand-off that is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// The task of that id, whether there is one or not.
    Task(&'a TaskId),
    /// The hand-off of that id, and so its task.
    Handoff(HandoffId),
}

impl Action {
    /// What has to be looked at to decide it; `None`: neither a task nor a hand-off.
    pub fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self::CreateTask(create) => Some(Subject::Task(&create.task_id)),
            Self::UpdateTask(update) => Some(Subject::Task(&update.task_id)),
            Self::EndTask(end) => Some(Subject::Task(&end.task_id)),
            Self::HandOff(proposal) | Self::InitiateHandoff(proposal) => {
                Some(Subject::Task(&proposal.task_id))
            }
            Self::ExecuteHandoff(close) | Self::WithdrawHandoff(close) => {
                Some(Subject::Handoff(close.handoff_id))
            }
            Self::UpdateState(_) | Self::TransferState(_) | Self::SwitchRule(_) => None,
        }
    }
}

impl Event {
    /// The task that it changes, if that was there before it.
    pub fn changed_task(&self) -> Option<&TaskId> {
        match self {
            Self::TaskUpdated(updated) => Some(&updated.task_id),
            Self::TaskEnded(ended) => Some(&ended.task_id),
            Self::Handoff(event) => Some(&event.handoff.task_id),
            Self::TaskCreated(_)
            | Self::StateUpdated(_)
            | Self::StateTransferred(_)
            | Self::RuleSwitched(_) => None,
        }
    }
}
