//! What the plain world answers.

use super::{
    op::Moving,
    world::{Handoff, Status, Task},
};

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "plain before small")]
pub(crate) enum Reply {
    Task(Task),
    Handoff(Handoff, Task),
    State { agent: String, revision: u64, time_us: i64, moved: Option<Moved> },
    Rule { rule: &'static str, on: bool },
    Refused(Refusal),
}

/// What a transfer outside of a hand-off moved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moved {
    pub(crate) from: String,
    pub(crate) from_revision: u64,
    pub(crate) moving: Moving,
}

/// Why nothing happened, with the values that the caller is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Refusal {
    TaskNotFound {
        task: String,
    },
    HandoffOfUnknownTask {
        task: String,
        errors: Vec<&'static str>,
    },
    HandoffNotFound {
        handoff: u64,
    },
    AgentNotFound {
        agent: String,
    },
    TaskExists {
        task: String,
        revision: u64,
    },
    RequestIdReused {
        request: String,
    },
    NotOwner {
        task: String,
        owner: String,
        epoch: u64,
        agent: String,
    },
    StaleOwner {
        task: String,
        owner: String,
        epoch: u64,
        given: u64,
    },
    WrongTaskStatus {
        task: String,
        status: Status,
        wanted: Status,
    },
    WrongHandoffStatus {
        handoff: u64,
        status: &'static str,
        wanted: &'static str,
    },
    RevisionMismatch {
        revision: u64,
        expected: u64,
    },
    KeysMissing {
        from: String,
        to: String,
        keys: Vec<String>,
    },
    KeysInConflict {
        from: String,
        to: String,
        keys: Vec<String>,
    },
    RuleNotSwitchable {
        rule: &'static str,
    },
    /// A refusal that no operation of the plain world can meet, in the core's words.
    Other(String),
}
