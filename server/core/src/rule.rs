//! The built-in rules: their names, what they check, their limits, and which are in force.
//!
//! How each is checked stands in `judge`.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::limits::{
    HANDOFFS_PER_TASK_MAX, PING_PONG_MAX, RULE_CONTEXT_BYTES_MAX, RULE_METADATA_BYTES_MAX,
    RULE_STATE_BYTES_MAX,
};

/// A rule that is part of the server. In the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum BuiltInRule {
    /// The context is not too large.
    #[n(0)]
    ContextSize,
    /// The reason is not empty.
    #[n(1)]
    EmptyReason,
    /// The task is not finished.
    #[n(2)]
    FinishedTask,
    /// The task's metadata is not too large.
    #[n(3)]
    MetadataSize,
    /// The sender is the owner.
    #[n(4)]
    NotOwner,
    /// No other hand-off of the task is open.
    #[n(5)]
    OpenHandoff,
    /// The same two agents do not pass the task back and forth.
    #[n(6)]
    PingPong,
    /// Sender and receiver are two.
    #[n(7)]
    SelfHandoff,
    /// The owner epoch is the present one.
    #[n(8)]
    StaleOwner,
    /// The state that moves is not too large.
    #[n(9)]
    StateSize,
    /// The task was not handed on too often.
    #[n(10)]
    TooManyHandoffs,
    /// The task exists.
    #[n(11)]
    UnknownTask,
}

impl BuiltInRule {
    /// All of them, in the order of their names.
    pub const ALL: [Self; 12] = [
        Self::ContextSize,
        Self::EmptyReason,
        Self::FinishedTask,
        Self::MetadataSize,
        Self::NotOwner,
        Self::OpenHandoff,
        Self::PingPong,
        Self::SelfHandoff,
        Self::StaleOwner,
        Self::StateSize,
        Self::TooManyHandoffs,
        Self::UnknownTask,
    ];

    /// The rule of that name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ContextSize => "context_size",
            Self::EmptyReason => "empty_reason",
            Self::FinishedTask => "finished_task",
            Self::MetadataSize => "metadata_size",
            Self::NotOwner => "not_owner",
            Self::OpenHandoff => "open_handoff",
            Self::PingPong => "ping_pong",
            Self::SelfHandoff => "self_handoff",
            Self::StaleOwner => "stale_owner",
            Self::StateSize => "state_size",
            Self::TooManyHandoffs => "too_many_handoffs",
            Self::UnknownTask => "unknown_task",
        }
    }

    /// What it checks, in a line; `limit` is named with its unit.
    pub fn description(self) -> &'static str {
        match self {
            Self::ContextSize => "the context has at most `limit` bytes",
            Self::EmptyReason => "a reason is given",
            Self::FinishedTask => "the task is not completed, failed or cancelled",
            Self::MetadataSize => "the task's metadata has at most `limit` bytes",
            Self::NotOwner => "the sender owns the task",
            Self::OpenHandoff => "no other hand-off of the task is open",
            Self::PingPong => {
                "of the task's last 8 hand-offs, at most `limit` are between the same two agents"
            }
            Self::SelfHandoff => "sender and receiver are different agents",
            Self::StaleOwner => "the owner epoch, if given, is the present one",
            Self::StateSize => "the state that moves has at most `limit` bytes",
            Self::TooManyHandoffs => "the task has been handed on fewer than `limit` times",
            Self::UnknownTask => "the task exists",
        }
    }

    /// The bound it checks against; 0 if it has none.
    pub fn limit(self) -> u64 {
        match self {
            Self::ContextSize => RULE_CONTEXT_BYTES_MAX as u64,
            Self::MetadataSize => RULE_METADATA_BYTES_MAX as u64,
            Self::PingPong => PING_PONG_MAX as u64,
            Self::StateSize => RULE_STATE_BYTES_MAX as u64,
            Self::TooManyHandoffs => u64::from(HANDOFFS_PER_TASK_MAX),
            _ => 0,
        }
    }

    /// Whether it may be switched off. A task that does not exist cannot be handed on, fencing is never off, and a task has at most one open hand-off.
    pub fn is_switchable(self) -> bool {
        !matches!(self, Self::UnknownTask | Self::StaleOwner | Self::OpenHandoff)
    }
}

/// Which rules are in force in a namespace: all that were not switched off.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct RuleSet {
    #[n(0)]
    off: BTreeSet<BuiltInRule>,
}

impl RuleSet {
    /// Whether `rule` is in force.
    pub fn is_on(&self, rule: BuiltInRule) -> bool {
        !self.off.contains(&rule)
    }

    pub(crate) fn switch(&mut self, rule: BuiltInRule, on: bool) {
        if on {
            self.off.remove(&rule);
        } else {
            self.off.insert(rule);
        }
    }
}
