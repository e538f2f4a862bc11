//! What an error can be about.
//!
//! Knows nothing of errors.

/// What a [`Error::NotFound`](crate::Error::NotFound) or [`Error::AlreadyExists`](crate::Error::AlreadyExists) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceKind {
    /// A task.
    Task,
    /// A hand-off.
    Handoff,
    /// An agent, or rather its state.
    Agent,
    /// A validation rule.
    Rule,
}

impl ResourceKind {
    /// What is the case when it is not found.
    pub(super) fn absence(self) -> &'static str {
        match self {
            Self::Agent => "has no state",
            Self::Task | Self::Handoff | Self::Rule => "does not exist",
        }
    }
}

impl std::fmt::Display for ResourceKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Task => "task",
            Self::Handoff => "hand-off",
            Self::Agent => "agent",
            Self::Rule => "rule",
        })
    }
}
