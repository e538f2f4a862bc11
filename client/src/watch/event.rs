//! What a watcher is told.
//!
//! Knows nothing of how it gets here.

use baton_proto::v1;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{handoff::Handoff, rule::Rule, task::Task, wire_enum::wire_enum};

/// Something that happened, at one revision of a namespace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// Its position in the namespace's log.
    pub revision: u64,
    /// When it was recorded. Never runs backwards along the revisions.
    pub timestamp: DateTime<Utc>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// The hand-off after it, for events of hand-offs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handoff: Option<Handoff>,
    /// The task after it, for events of hand-offs and tasks. Description and metadata are left out, except where a task is created.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The agent whose state changed, for events of states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The agent whose state came in, for transfers of state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transferred_from: Option<String>,
    /// The rule, for events of rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

wire_enum! {
    /// What happened.
    pub enum EventType ("type of event") is v1::EventType {
        /// A hand-off was initiated.
        HandoffInitiated = "handoff_initiated",
        /// A hand-off was completed: owner, epoch and state have changed.
        HandoffCompleted = "handoff_completed",
        /// A hand-off could not be executed.
        HandoffFailed = "handoff_failed",
        /// The rules refused a hand-off.
        HandoffRejected = "handoff_rejected",
        /// A hand-off was declined.
        HandoffDeclined = "handoff_declined",
        /// A hand-off expired.
        HandoffExpired = "handoff_expired",
        /// A hand-off was withdrawn.
        HandoffWithdrawn = "handoff_withdrawn",
        /// A task was created.
        TaskCreated = "task_created",
        /// A task's description, metadata or progress changed, or it was started.
        TaskUpdated = "task_updated",
        /// A task was completed.
        TaskCompleted = "task_completed",
        /// A task failed.
        TaskFailed = "task_failed",
        /// A task was cancelled.
        TaskCancelled = "task_cancelled",
        /// An agent's state was updated.
        StateUpdated = "state_updated",
        /// State was transferred outside of a hand-off.
        StateTransferred = "state_transferred",
        /// A rule was added or switched on.
        RuleAdded = "rule_added",
        /// A rule was removed or switched off.
        RuleRemoved = "rule_removed",
    }
}
