//! The exit codes, in one table, and which refusal ends in which.
//!
//! Knows the reasons of the contract, not how they reach the client.

use std::fmt::Write as _;

use baton_proto::v1::ErrorReason;

/// How the process ends, for scripts that must tell one end from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok,
    /// Any failure that has no code of its own.
    Failure,
    /// The command line, a file or a value is malformed. clap's own code for usage errors.
    Usage,
    /// The server cannot be reached, or cannot serve now.
    Unreachable,
    /// No such task, hand-off, agent or rule.
    NotFound,
    /// The world has moved on, or was never as the caller believed.
    Conflict,
    /// The rules refused the hand-off, or it could not be executed.
    Rejected,
    /// A log does not verify.
    Damaged,
}

/// Every exit code with what it tells; the help is made from it.
const TABLE: [(Exit, u8, &str); 8] = [
    (Exit::Ok, 0, "done"),
    (Exit::Failure, 1, "any other failure"),
    (Exit::Usage, 2, "usage: a malformed argument, file or value"),
    (Exit::Unreachable, 3, "the server cannot be reached, or cannot serve now"),
    (Exit::NotFound, 4, "no such task, hand-off, agent or rule"),
    (Exit::Conflict, 5, "conflict: id taken, not the owner, stale owner, wrong status, revision mismatch"),
    (Exit::Rejected, 6, "the rules refuse the hand-off, or it failed"),
    (Exit::Damaged, 7, "verification failed"),
];

impl Exit {
    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        TABLE.iter().find(|(exit, ..)| *exit == self).map_or(1, |(_, code, _)| *code)
    }

    /// The code for a refusal of the server.
    pub(crate) fn of_reason(reason: ErrorReason) -> Self {
        use ErrorReason as R;
        match reason {
            R::InvalidField => Self::Usage,
            R::TaskNotFound | R::HandoffNotFound | R::AgentNotFound | R::RuleNotFound => Self::NotFound,
            R::TaskExists
            | R::RequestIdReused
            | R::NotOwner
            | R::StaleOwner
            | R::WrongTaskStatus
            | R::WrongHandoffStatus
            | R::StateConflict
            | R::RevisionMismatch
            | R::LogMismatch => Self::Conflict,
            R::HandoffRejected | R::HandoffFailed => Self::Rejected,
            R::QueueFull
            | R::QuotaExceeded
            | R::LogFull
            | R::LogUnavailable
            | R::ShuttingDown
            | R::DeadlineExceeded => Self::Unreachable,
            R::LogDamaged => Self::Damaged,
            R::Unspecified
            | R::StateTooLarge
            | R::RuleNotSwitchable
            | R::RevisionCompacted
            | R::RevisionInFuture
            | R::Internal => Self::Failure,
        }
    }
}

/// The table as the help shows it.
pub(crate) fn help() -> String {
    let mut text = String::from("Exit codes:");
    for (_, code, what) in TABLE {
        let _infallible = write!(text, "\n  {code}  {what}");
    }
    text.push_str("\n\nData goes to stdout, messages to stderr. With -o json or jsonl, an error is one JSON object on stderr too.");
    text
}
