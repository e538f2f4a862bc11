//! Why the engine did not do what it was asked.
//!
//! Each says whether something may have been recorded.

use baton_core::Rejection;

/// Why a command was not committed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The state machine refused it; nothing was recorded.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// Too many commands wait; nothing was recorded.
    #[error(
        "too many commands are waiting (limit {limit} {unit}); retry after a moment with the same request id"
    )]
    QueueFull {
        /// The bound.
        limit: usize,
        /// What it bounds: `commands` or `bytes`.
        unit: &'static str,
    },
    /// There are as many namespaces as there may be; nothing was recorded.
    #[error(
        "there are {limit} namespaces already, which is the limit; use one of them or raise namespaces_max"
    )]
    TooManyNamespaces {
        /// The bound.
        limit: usize,
    },
    /// The caller's deadline had passed before it began; nothing was recorded.
    #[error("the deadline passed while the command was waiting; nothing was recorded")]
    DeadlinePassed,
    /// There is no room; nothing was recorded.
    #[error(
        "the log is full: {0}; nothing was recorded: free room on the server, then retry with the same request id"
    )]
    LogFull(String),
    /// The log cannot be written now; nothing was recorded.
    #[error("the log cannot be written: {0}; nothing was recorded: retry with the same request id")]
    LogRefused(String),
    /// What is archived of the task, or what was answered long ago, cannot be read; nothing was recorded.
    #[error("{0}; nothing was recorded: retry with the same request id")]
    PastUnreadable(String),
    /// The log failed while it was written.
    #[error(
        "the log failed while this was being written, so it may or may not be recorded; retry with the same request id"
    )]
    OutcomeUnknown,
    /// The engine has stopped, or is about to; nothing was recorded.
    #[error("the server is stopping; retry with the same request id")]
    Stopped,
}
