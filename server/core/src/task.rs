//! A task: one piece of work with exactly one owner.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::{AgentId, HandoffId, Object, RecentPairs, Revision, TaskId, Text};

/// One piece of work as of its revision. Times are microseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Task {
    /// Unique in the namespace.
    #[n(0)]
    pub id: TaskId,
    /// What is to be done.
    #[n(1)]
    pub description: Text,
    /// Where it stands.
    #[n(2)]
    pub status: TaskStatus,
    /// The only agent that may act on it.
    #[n(3)]
    pub owner: AgentId,
    /// The fencing token: one more each time the owner changes.
    #[n(4)]
    pub owner_epoch: u64,
    /// When it was created.
    #[n(5)]
    pub created_us: i64,
    /// When it last changed.
    #[n(6)]
    pub updated_us: i64,
    /// Free-form data of its users.
    #[n(7)]
    pub metadata: Object,
    /// The event that last changed it.
    #[n(8)]
    pub revision: Revision,
    /// How many hand-offs were completed.
    #[n(9)]
    pub handoff_count: u32,
    /// The hand-off that waits for its execution.
    #[n(10)]
    pub open_handoff: Option<HandoffId>,
    /// How far its owner says it is.
    #[n(11)]
    pub progress: Option<Progress>,
    /// What came of it, once it ended.
    #[n(12)]
    pub outcome: Text,
    /// The last completed hand-offs: what the rule `ping_pong` looks at.
    #[n(13)]
    pub recent_pairs: RecentPairs,
    /// Size of the metadata in bytes, so that no hand-off has to walk it.
    #[n(14)]
    pub metadata_bytes: u64,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Progress {
    /// 0 to 100.
    #[n(0)]
    pub percent: u32,
    /// What was last done.
    #[n(1)]
    pub note: Text,
}

/// The life of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum TaskStatus {
    /// Created, not begun.
    #[n(1)]
    Pending,
    /// Its owner works on it.
    #[n(2)]
    InProgress,
    /// Done.
    #[n(3)]
    Completed,
    /// Given up.
    #[n(4)]
    Failed,
    /// With a new owner that has not begun.
    #[n(5)]
    HandedOff,
    /// Called off.
    #[n(6)]
    Cancelled,
}

impl TaskStatus {
    /// Whether nothing can follow.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::HandedOff => "handed_off",
            Self::Cancelled => "cancelled",
        })
    }
}

/// What an event leaves of a task, apart from description and metadata: enough to show the task to a watcher that
/// reads the log alone.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TaskAfter {
    /// Where it stands.
    #[n(0)]
    pub status: TaskStatus,
    /// Its owner.
    #[n(1)]
    pub owner: AgentId,
    /// Its owner epoch.
    #[n(2)]
    pub owner_epoch: u64,
    /// How many hand-offs were completed.
    #[n(3)]
    pub handoff_count: u32,
    /// The hand-off that waits for its execution.
    #[n(4)]
    pub open_handoff: Option<HandoffId>,
    /// How far its owner says it is.
    #[n(5)]
    pub progress: Option<Progress>,
    /// When it was created.
    #[n(6)]
    pub created_us: i64,
    /// The event that last changed it, if this one did not: a refused hand-off is told of, and leaves the task as it was.
    #[n(7)]
    pub untouched_since: Option<LastChange>,
    /// What came of it, if it ended before.
    #[n(8)]
    pub outcome: Option<Text>,
}

/// The event that last changed a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LastChange {
    /// Which.
    #[n(0)]
    pub revision: Revision,
    /// When, in microseconds since the Unix epoch.
    #[n(1)]
    pub time_us: i64,
}

impl Task {
    /// What a watcher is shown of it.
    pub fn after(&self) -> TaskAfter {
        TaskAfter {
            status: self.status,
            owner: self.owner.clone(),
            owner_epoch: self.owner_epoch,
            handoff_count: self.handoff_count,
            open_handoff: self.open_handoff,
            progress: self.progress.clone(),
            created_us: self.created_us,
            untouched_since: None,
            outcome: (!self.outcome.is_empty()).then(|| self.outcome.clone()),
        }
    }

    /// What a watcher is shown of it by an event that does not change it.
    pub fn untouched(&self) -> TaskAfter {
        let untouched_since = Some(LastChange { revision: self.revision, time_us: self.updated_us });
        TaskAfter { untouched_since, ..self.after() }
    }
}
