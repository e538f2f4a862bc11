//! A hand-off: one passage of one task from one agent to another.

use std::fmt;

use arrayvec::ArrayVec;
use minicbor::{Decode, Encode};

use crate::{AgentId, Context, HandoffId, Revision, TaskId, Text, Transfer, Verdict};

/// One hand-off as of its revision. Times are microseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Handoff {
    /// Unique in the namespace.
    #[n(0)]
    pub id: HandoffId,
    /// The task.
    #[n(1)]
    pub task_id: TaskId,
    /// The sender.
    #[n(2)]
    pub from: AgentId,
    /// The receiver.
    #[n(3)]
    pub to: AgentId,
    /// Why.
    #[n(4)]
    pub reason: Text,
    /// Where it stands.
    #[n(5)]
    pub status: HandoffStatus,
    /// What the rules last said of it.
    #[n(6)]
    pub verdict: Verdict,
    /// What moves, or moved.
    #[n(7)]
    pub transfer: Transfer,
    /// What the next agent must know.
    #[n(8)]
    pub context: Option<Context>,
    /// When the request for it arrived.
    #[n(9)]
    pub created_us: i64,
    /// When the rules last judged it.
    #[n(10)]
    pub judged_us: i64,
    /// When it was closed.
    #[n(11)]
    pub completed_us: Option<i64>,
    /// Which step failed.
    #[n(12)]
    pub failed_step: Option<StepName>,
    /// The task's owner epoch after it.
    #[n(13)]
    pub owner_epoch: u64,
    /// The event that last changed it.
    #[n(14)]
    pub revision: Revision,
    /// Why it failed or was withdrawn.
    #[n(15)]
    pub error: Text,
    /// The owner epoch that its sender held, if it said so.
    #[n(16)]
    pub given_epoch: Option<u64>,
}

/// The life of a hand-off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum HandoffStatus {
    /// Judged and recorded, not executed.
    #[n(1)]
    Initiated,
    /// State and task have moved.
    #[n(2)]
    Completed,
    /// It could not be executed.
    #[n(3)]
    Failed,
    /// The rules refused it.
    #[n(4)]
    Rejected,
    /// The sender took it back.
    #[n(7)]
    Withdrawn,
}

impl HandoffStatus {
    /// All of them, in the order of a hand-off's life.
    pub const ALL: [Self; 5] =
        [Self::Initiated, Self::Completed, Self::Failed, Self::Rejected, Self::Withdrawn];
}

impl fmt::Display for HandoffStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initiated => "initiated",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        })
    }
}

/// The steps of a hand-off, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum StepName {
    /// The rules judge it.
    #[n(0)]
    Validation,
    /// The sender's state moves.
    #[n(1)]
    StateTransfer,
    /// The task moves.
    #[n(2)]
    TaskTransfer,
}

impl StepName {
    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::StateTransfer => "state_transfer",
            Self::TaskTransfer => "task_transfer",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it ended.
    pub status: StepStatus,
    /// When.
    pub time_us: i64,
    /// Why it failed, if it did.
    pub error: Text,
}

/// How one step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// Done.
    Completed,
    /// Not done, nor any after it.
    Failed,
    /// Nothing to do.
    Skipped,
}

impl Handoff {
    /// The steps that were taken, in order. They follow from status, times and failed step, so they are not stored.
    pub fn steps(&self) -> ArrayVec<Step, 3> {
        let closed_us = self.completed_us.unwrap_or(self.judged_us);
        match self.status {
            HandoffStatus::Initiated | HandoffStatus::Withdrawn => {
                [Step::new(StepName::Validation, StepStatus::Completed, self.judged_us)].into_iter().collect()
            }
            HandoffStatus::Rejected => {
                let error = Text::new(self.verdict.error_lines().join("; "));
                let failed = Step::new(StepName::Validation, StepStatus::Failed, closed_us);
                [Step { error, ..failed }].into_iter().collect()
            }
            HandoffStatus::Completed | HandoffStatus::Failed => self.executed_steps(closed_us),
        }
    }

    fn executed_steps(&self, closed_us: i64) -> ArrayVec<Step, 3> {
        let mut steps = ArrayVec::new();
        for name in [StepName::Validation, StepName::StateTransfer, StepName::TaskTransfer] {
            if self.failed_step == Some(name) {
                let error = self.error.clone();
                steps.push(Step { error, ..Step::new(name, StepStatus::Failed, closed_us) });
                break;
            }
            let nothing_moved = name == StepName::StateTransfer && self.transfer.from_revision.0 == 0;
            let status = if nothing_moved { StepStatus::Skipped } else { StepStatus::Completed };
            let time_us = if name == StepName::Validation { self.judged_us } else { closed_us };
            steps.push(Step::new(name, status, time_us));
        }
        steps
    }
}

impl Step {
    fn new(name: StepName, status: StepStatus, time_us: i64) -> Self {
        Self { name, status, time_us, error: Text::default() }
    }
}
