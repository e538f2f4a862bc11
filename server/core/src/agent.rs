//! An agent's state as of its revision.

use crate::{AgentId, HandoffId, Object, Revision, UpdateMode, knowledge::Knowledge};

/// What one agent knows. Times are microseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentState {
    /// The agent.
    pub agent_id: AgentId,
    /// What it knows.
    pub knowledge: Knowledge,
    /// The event that last changed it.
    pub revision: Revision,
    /// When it last changed.
    pub updated_us: i64,
    /// Whose state came in with the last change, if that was a transfer.
    pub transferred_from: Option<AgentId>,
}

/// One line of the history of an agent's state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    /// The event.
    pub revision: Revision,
    /// When.
    pub time_us: i64,
    /// How.
    pub how: StateChangeKind,
    /// The state after it: shared with the present state and with other agents.
    pub after: Knowledge,
}

/// How a state was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum StateChangeKind {
    /// By an update.
    Updated {
        /// How.
        mode: UpdateMode,
        /// What was sent.
        update: Object,
    },
    /// By a transfer.
    Transferred {
        /// The sender.
        from: AgentId,
        /// The hand-off it was part of, if it was.
        handoff: Option<HandoffId>,
    },
}
