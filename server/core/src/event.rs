//! What happened: the content of the log.
//!
//! Field numbers are part of the log's format: they are never used twice.

use std::sync::Arc;

use minicbor::{Decode, Encode};

use crate::{
    AgentId, BuiltInRule, Handoff, LastChange, Object, Progress, Task, TaskAfter, TaskId, TaskStatus, Text,
    Transfer, UpdateMode, codec,
};

/// One thing that happened, at one revision.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub enum Event {
    /// A task was created.
    #[n(0)]
    TaskCreated(#[n(0)] TaskCreated),
    /// A task was changed or started.
    #[n(1)]
    TaskUpdated(#[n(0)] TaskUpdated),
    /// A task ended; how stands in `after.status`.
    #[n(2)]
    TaskEnded(#[n(0)] TaskEnded),
    /// An agent's state was updated.
    #[n(3)]
    StateUpdated(#[n(0)] StateUpdated),
    /// State was transferred outside of a hand-off.
    #[n(4)]
    StateTransferred(#[n(0)] StateTransferred),
    /// A hand-off was initiated or closed; which stands in its status.
    #[n(5)]
    Handoff(#[n(0)] HandoffEvent),
    /// A rule was switched.
    #[n(6)]
    RuleSwitched(#[n(0)] RuleSwitched),
}

/// See [`Event::TaskCreated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TaskCreated {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// What is to be done.
    #[n(1)]
    pub description: Text,
    /// Its first owner.
    #[n(2)]
    pub owner: AgentId,
    /// Free-form data.
    #[n(3)]
    pub metadata: Object,
}

impl TaskCreated {
    /// The task as it is created.
    pub(crate) fn task(&self, at: LastChange) -> Task {
        Task {
            id: self.task_id.clone(),
            description: self.description.clone(),
            status: TaskStatus::Pending,
            owner: self.owner.clone(),
            owner_epoch: 1,
            created_us: at.time_us,
            updated_us: at.time_us,
            metadata: self.metadata.clone(),
            revision: at.revision,
            handoff_count: 0,
            open_handoff: None,
            progress: None,
            outcome: Text::default(),
            recent_pairs: Default::default(),
            metadata_bytes: self.metadata.size() as u64,
        }
    }
}

/// See [`Event::TaskUpdated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TaskUpdated {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// The new description, if it changed.
    #[n(1)]
    pub description: Option<Text>,
    /// The new metadata, if they changed.
    #[n(2)]
    pub metadata: Option<Object>,
    /// The new progress, if it changed.
    #[n(3)]
    pub progress: Option<Progress>,
    /// Whether it was started.
    #[n(4)]
    pub started: bool,
    /// The task after it.
    #[n(5)]
    pub after: TaskAfter,
}

/// See [`Event::TaskEnded`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct TaskEnded {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// What came of it, or why.
    #[n(1)]
    pub outcome: Text,
    /// The task after it.
    #[n(2)]
    pub after: TaskAfter,
}

/// See [`Event::StateUpdated`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct StateUpdated {
    /// The agent.
    #[n(0)]
    pub agent_id: AgentId,
    /// How.
    #[n(1)]
    pub mode: UpdateMode,
    /// What was merged, put or patched.
    #[n(2)]
    pub update: Object,
}

/// See [`Event::StateTransferred`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct StateTransferred {
    /// The sender.
    #[n(0)]
    pub from: AgentId,
    /// The receiver.
    #[n(1)]
    pub to: AgentId,
    /// What moved.
    #[n(2)]
    pub transfer: Transfer,
}

/// See [`Event::Handoff`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct HandoffEvent {
    /// The hand-off after it.
    #[cbor(n(0), with = "codec::shared")]
    pub handoff: Arc<Handoff>,
    /// The task after it.
    #[n(1)]
    pub after: TaskAfter,
}

/// See [`Event::RuleSwitched`].
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct RuleSwitched {
    /// The rule.
    #[n(0)]
    pub rule: BuiltInRule,
    /// On or off.
    #[n(1)]
    pub on: bool,
}
