//! Rules that judge hand-offs, and what they say.
//!
//! Knows nothing of what the rules check: the server does.

mod from_wire;
mod list;
mod switch;

use serde::Serialize;

pub(crate) use self::from_wire::{rule_from_wire, verdict_from_wire};
pub use self::{
    list::ListRules,
    switch::{DisableRule, EnableRule},
};

/// A rule that every hand-off of a namespace is judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// The name.
    pub name: String,
    /// What it checks.
    pub description: String,
    /// Whether it is in force.
    pub enabled: bool,
    /// Whether it may be switched off. Rules that guard the log's own truth may not.
    pub switchable: bool,
    /// The bound that it checks against, in the unit that its description names, if it has one.
    pub limit: Option<u64>,
}

/// What the rules said of one hand-off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// No rule had an error.
    pub valid: bool,
    /// Why not: all violations, not just the first.
    pub errors: Vec<Violation>,
    /// What does not forbid the hand-off.
    pub warnings: Vec<Violation>,
}

/// One thing that one rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The rule's name.
    pub rule: String,
    /// What is wrong and what to do, with the values.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.rule, self.message)
    }
}
