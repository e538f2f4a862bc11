//! Reads a typed error from a gRPC status and its details.
//!
//! Knows the wire: `google.rpc.ErrorInfo` and its companions, and the metadata keys that `errors.proto` documents.

use std::{collections::HashMap, error::Error as _, time::Duration};

use baton_proto::v1::{self, ErrorReason};
use tonic::{Code, Status, TimeoutExpired};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{Error, FieldViolation, ResourceKind};
use crate::rule::Violation;

/// Whose reasons are read; those of others are left alone.
const DOMAIN: &str = "baton.v1";

/// What the call knows of itself, for errors that have no answer to tell it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) endpoint: String,
    pub(crate) attempts: u32,
    pub(crate) request_id: Option<String>,
}

/// Reads the error that an attempt ended with.
pub(crate) fn from_status(status: Status, origin: Origin) -> Error {
    let details = status.get_error_details();
    let known = details.error_info().filter(|info| info.domain == DOMAIN);
    let reason = known.and_then(|info| ErrorReason::from_str_name(&format!("ERROR_REASON_{}", info.reason)));
    match reason {
        Some(reason) => from_reason(reason, status, &details, origin),
        None => from_code(status, &details, origin),
    }
}

/// Reads the error of one item of a batch, as if its own call had failed.
pub(crate) fn from_item(item: v1::ItemError) -> Error {
    let metadata: HashMap<String, String> = item.metadata.into_iter().collect();
    let details = ErrorDetails::with_error_info(item.reason, DOMAIN, metadata);
    let status = Status::with_error_details(Code::from(item.code), item.message, details);
    from_status(status, Origin::default())
}

/// The values of an error, as ErrorInfo has them.
struct Values<'a>(&'a ErrorDetails);

impl Values<'_> {
    fn text(&self, key: &str) -> String {
        let info = self.0.error_info();
        info.and_then(|info| info.metadata.get(key)).cloned().unwrap_or_default()
    }

    fn some_text(&self, key: &str) -> Option<String> {
        Some(self.text(key)).filter(|text| !text.is_empty())
    }

    /// 0, which is never a revision or an epoch, where the server sent no number.
    fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or_default()
    }

    fn violations(&self) -> Vec<Violation> {
        let listed =
            self.0.precondition_failure().map(|failure| failure.violations.as_slice()).unwrap_or_default();
        listed
            .iter()
            .map(|violation| Violation {
                rule: violation.r#type.clone(),
                message: violation.description.clone(),
            })
            .collect()
    }

    fn field_violations(&self) -> Vec<FieldViolation> {
        let listed =
            self.0.bad_request().map(|request| request.field_violations.as_slice()).unwrap_or_default();
        listed.iter().map(|violation| FieldViolation::new(&violation.field, &violation.description)).collect()
    }

    fn retry_after(&self) -> Option<Duration> {
        self.0.retry_info().and_then(|info| info.retry_delay)
    }
}

fn from_reason(reason: ErrorReason, status: Status, details: &ErrorDetails, origin: Origin) -> Error {
    let values = Values(details);
    match reason {
        ErrorReason::Unspecified | ErrorReason::Internal => from_code(status, details, origin),
        ErrorReason::InvalidField => Error::Invalid { violations: values.field_violations(), status },
        ErrorReason::TaskNotFound => not_found(ResourceKind::Task, "task_id", &values, status),
        ErrorReason::HandoffNotFound => not_found(ResourceKind::Handoff, "handoff_id", &values, status),
        ErrorReason::AgentNotFound => not_found(ResourceKind::Agent, "agent_id", &values, status),
        ErrorReason::RuleNotFound => not_found(ResourceKind::Rule, "rule", &values, status),
        ErrorReason::TaskExists => {
            Error::AlreadyExists { kind: ResourceKind::Task, id: values.text("task_id"), status }
        }
        ErrorReason::RequestIdReused => {
            Error::RequestIdReused { request_id: values.text("request_id"), status }
        }
        ErrorReason::NotOwner | ErrorReason::StaleOwner => ownership(reason, &values, status),
        ErrorReason::WrongTaskStatus | ErrorReason::WrongHandoffStatus => {
            wrong_status(reason, &values, status)
        }
        ErrorReason::HandoffRejected | ErrorReason::HandoffFailed => handoff(reason, &values, status),
        ErrorReason::StateConflict | ErrorReason::StateTooLarge => state(reason, &values, status),
        ErrorReason::RuleNotSwitchable => Error::RuleNotSwitchable { rule: values.text("rule"), status },
        ErrorReason::RevisionMismatch
        | ErrorReason::RevisionCompacted
        | ErrorReason::RevisionInFuture
        | ErrorReason::LogMismatch
        | ErrorReason::LogDamaged => log(reason, &values, status),
        ErrorReason::QueueFull | ErrorReason::QuotaExceeded => exhausted(reason, &values, status),
        ErrorReason::LogFull | ErrorReason::LogUnavailable | ErrorReason::ShuttingDown => {
            unavailable(values.retry_after(), status, origin)
        }
        ErrorReason::DeadlineExceeded => deadline_exceeded(status, origin),
    }
}

fn not_found(kind: ResourceKind, key: &str, values: &Values<'_>, status: Status) -> Error {
    Error::NotFound { kind, id: values.text(key), status }
}

fn ownership(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    let (task_id, owner) = (values.text("task_id"), values.text("owner"));
    let (epoch, handoff_id) = (values.number("owner_epoch"), values.some_text("handoff_id"));
    if reason == ErrorReason::StaleOwner {
        let given_epoch = values.number("given_epoch");
        return Error::StaleOwner { task_id, owner, epoch, given_epoch, handoff_id, status };
    }
    Error::NotOwner { task_id, owner, epoch, agent_id: values.text("agent_id"), handoff_id, status }
}

fn wrong_status(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    let (current, wanted) = (values.text("status"), values.text("wanted"));
    if reason == ErrorReason::WrongTaskStatus {
        return Error::WrongTaskStatus { task_id: values.text("task_id"), current, wanted, status };
    }
    Error::WrongHandoffStatus { handoff_id: values.text("handoff_id"), current, wanted, status }
}

fn handoff(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    let (handoff_id, task_id) = (values.text("handoff_id"), values.text("task_id"));
    let violations = values.violations();
    if reason == ErrorReason::HandoffRejected {
        return Error::Rejected { handoff_id, task_id, violations, status };
    }
    Error::HandoffFailed { handoff_id, task_id, violations, status }
}

fn state(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    if reason == ErrorReason::StateTooLarge {
        return Error::StateTooLarge {
            agent_id: values.text("agent_id"),
            limit: values.text("limit"),
            status,
        };
    }
    Error::StateConflict {
        from_agent: values.text("from_agent"),
        to_agent: values.text("to_agent"),
        violations: values.violations(),
        status,
    }
}

fn log(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    let (oldest, newest) = (values.number("oldest_revision"), values.number("newest_revision"));
    match reason {
        ErrorReason::RevisionCompacted => Error::Compacted { oldest, newest, status },
        ErrorReason::RevisionInFuture => Error::RevisionInFuture { oldest, newest, status },
        ErrorReason::LogMismatch => Error::LogMismatch { log_id: values.text("log_id"), status },
        ErrorReason::LogDamaged => Error::LogDamaged {
            namespace: values.text("namespace"),
            revision: values.number("revision"),
            status,
        },
        _ => {
            let (expected, actual) = (values.number("expected_revision"), values.number("revision"));
            Error::RevisionMismatch { expected, actual, status }
        }
    }
}

fn exhausted(reason: ErrorReason, values: &Values<'_>, status: Status) -> Error {
    let (limit, retry_after) = (values.text("limit"), values.retry_after().unwrap_or_default());
    if reason == ErrorReason::QueueFull {
        return Error::QueueFull { limit, retry_after, status };
    }
    Error::QuotaExceeded { name: values.text("name"), limit, retry_after, status }
}

fn unavailable(retry_after: Option<Duration>, status: Status, origin: Origin) -> Error {
    let Origin { endpoint, attempts, request_id } = origin;
    Error::Unavailable { endpoint, attempts, request_id, retry_after, status }
}

fn deadline_exceeded(status: Status, origin: Origin) -> Error {
    Error::DeadlineExceeded { endpoint: origin.endpoint, request_id: origin.request_id, status }
}

/// Reads a status without a reason: from the transport here, from a proxy, or from a server that knows more reasons than this client.
fn from_code(status: Status, details: &ErrorDetails, origin: Origin) -> Error {
    let values = Values(details);
    match status.code() {
        Code::DeadlineExceeded => deadline_exceeded(status, origin),
        _ if is_timeout(&status) => deadline_exceeded(status, origin),
        Code::Unavailable => unavailable(values.retry_after(), status, origin),
        Code::InvalidArgument => Error::Invalid { violations: values.field_violations(), status },
        Code::Unknown | Code::Cancelled | Code::Internal if is_broken_connection(&status) => {
            unavailable(None, status, origin)
        }
        code => Error::Other { code, message: status.message().to_owned(), status },
    }
}

/// tonic calls its own timeout CANCELLED, whether it passed here or at a server that uses tonic's.
fn is_timeout(status: &Status) -> bool {
    status.code() == Code::Cancelled && status.message() == TimeoutExpired(()).to_string()
}

/// A status that came over the wire has no source; one that the transport made up has.
fn is_broken_connection(status: &Status) -> bool {
    status.source().is_some()
}

#[cfg(test)]
mod tests;
