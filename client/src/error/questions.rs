//! What can be asked of every error, whichever it is.
//!
//! Knows nothing of the wire, but for the codes that it names.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Error;

impl Error {
    /// The gRPC status behind the error.
    #[must_use]
    pub fn status(&self) -> &Status {
        match self {
            Self::StaleOwner { status, .. }
            | Self::NotOwner { status, .. }
            | Self::Rejected { status, .. }
            | Self::HandoffFailed { status, .. }
            | Self::NotFound { status, .. }
            | Self::AlreadyExists { status, .. }
            | Self::RequestIdReused { status, .. }
            | Self::WrongTaskStatus { status, .. }
            | Self::WrongHandoffStatus { status, .. }
            | Self::StateConflict { status, .. }
            | Self::StateTooLarge { status, .. }
            | Self::RuleNotSwitchable { status, .. }
            | Self::RevisionMismatch { status, .. }
            | Self::Compacted { status, .. }
            | Self::RevisionInFuture { status, .. }
            | Self::LogMismatch { status, .. }
            | Self::Invalid { status, .. }
            | Self::QueueFull { status, .. }
            | Self::QuotaExceeded { status, .. }
            | Self::Unavailable { status, .. }
            | Self::DeadlineExceeded { status, .. }
            | Self::LogDamaged { status, .. }
            | Self::Other { status, .. } => status,
        }
    }

    /// The canonical gRPC code.
    ///
    /// A broken connection is [`Code::Unavailable`] and a deadline that passed here is [`Code::DeadlineExceeded`], whatever the transport calls them.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Unavailable { .. } => Code::Unavailable,
            Self::DeadlineExceeded { .. } => Code::DeadlineExceeded,
            other => other.status().code(),
        }
    }

    /// The reason as the contract names it, such as `STALE_OWNER`; nothing if the server gave none.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        self.status().get_details_error_info().map(|info| info.reason)
    }

    /// Whether the same call may succeed later. The client has by then repeated it as often as its [`RetryPolicy`](crate::RetryPolicy) allows.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.code(), Code::Unavailable | Code::ResourceExhausted)
    }

    /// Whether a mutation may have been done although it failed here: its answer was lost.
    ///
    /// Send it again with the [`request_id`](Self::request_id) to get the answer.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::DeadlineExceeded { .. })
    }

    /// The request id to send again where [the outcome is unknown](Self::is_outcome_unknown), if the call was a mutation.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Unavailable { request_id, .. } | Self::DeadlineExceeded { request_id, .. } => {
                request_id.as_deref()
            }
            _ => None,
        }
    }

    /// How long the server wants to be left alone, if it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::QueueFull { retry_after, .. } | Self::QuotaExceeded { retry_after, .. } => {
                Some(*retry_after)
            }
            Self::Unavailable { retry_after, .. } => *retry_after,
            other => other.status().get_details_retry_info().and_then(|info| info.retry_delay),
        }
    }

    pub(crate) fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// The name of a code as the contract writes it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
