//! Turns what the client reports into failures: message, violations, values, hint, exit code.
//!
//! The only file that knows the client's errors.

use baton_client::{Error, FieldViolation, ResourceKind};
use baton_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    exit::Exit,
    failure::{Failure, Violation},
    session::set,
};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let info = error.status().get_details_error_info();
        let reason = info
            .as_ref()
            .map(|info| info.reason.clone())
            .unwrap_or_else(|| unnamed_reason(&error).to_owned());
        let violations = violations(&error);
        let message = message(&error, violations.is_empty());
        let failure = Self::new(exit_of(&reason, error.code()), &reason, message)
            .code(canonical(error.code()))
            .violations(violations)
            .metadata(info.map(|info| info.metadata).unwrap_or_default());
        set(failure, hint(&error), Self::hint)
    }
}

impl From<baton_client::Violation> for Violation {
    fn from(violation: baton_client::Violation) -> Self {
        Self { subject: violation.rule, message: violation.message }
    }
}

impl From<FieldViolation> for Violation {
    fn from(violation: FieldViolation) -> Self {
        Self { subject: violation.field, message: violation.description }
    }
}

/// The message; without the violations where those follow on lines of their own.
fn message(error: &Error, violations_are_in_it: bool) -> String {
    match error {
        // The server tells a state that is not there from one that was not there yet.
        Error::NotFound { kind: ResourceKind::Agent, status, .. } => status.message().to_owned(),
        other if violations_are_in_it => other.to_string(),
        Error::Rejected { handoff_id, task_id, .. } => {
            format!("the rules rejected hand-off {handoff_id} of task {task_id}")
        }
        Error::HandoffFailed { handoff_id, task_id, .. } => {
            format!("hand-off {handoff_id} of task {task_id} failed; nothing has moved")
        }
        Error::StateConflict { from_agent, to_agent, .. } => {
            format!("the state of {from_agent} cannot go to {to_agent}; nothing has moved")
        }
        Error::NotOwner { handoff_id: Some(handoff_id), task_id, .. }
        | Error::StaleOwner { handoff_id: Some(handoff_id), task_id, .. } => {
            format!("the rules rejected hand-off {handoff_id} of task {task_id}")
        }
        Error::Invalid { .. } => "the request is malformed".to_owned(),
        other => other.to_string(),
    }
}

fn violations(error: &Error) -> Vec<Violation> {
    match error {
        Error::Rejected { violations, .. }
        | Error::HandoffFailed { violations, .. }
        | Error::StateConflict { violations, .. } => {
            violations.iter().cloned().map(Violation::from).collect()
        }
        Error::Invalid { violations, .. } => violations.iter().cloned().map(Violation::from).collect(),
        // Of a hand-off that was refused, ownership may be only one of several things that are wrong.
        Error::NotOwner { handoff_id: Some(_), status, .. }
        | Error::StaleOwner { handoff_id: Some(_), status, .. } => listed(status),
        _ => Vec::new(),
    }
}

/// The violations that a status lists.
fn listed(status: &Status) -> Vec<Violation> {
    let failure = status.get_details_precondition_failure();
    let violations = failure.map(|failure| failure.violations).unwrap_or_default();
    violations
        .into_iter()
        .map(|violation| Violation { subject: violation.r#type, message: violation.description })
        .collect()
}

/// What to call a failure that no server gave a reason for.
fn unnamed_reason(error: &Error) -> &'static str {
    match error {
        Error::Unavailable { .. } => "UNREACHABLE",
        Error::DeadlineExceeded { .. } => {
            ErrorReason::DeadlineExceeded.as_str_name().trim_start_matches("ERROR_REASON_")
        }
        Error::Invalid { .. } => ErrorReason::InvalidField.as_str_name().trim_start_matches("ERROR_REASON_"),
        _ => "UNKNOWN",
    }
}

/// By the reason where there is one; otherwise by the code, for servers that are newer, or are not Baton at all.
fn exit_of(reason: &str, code: Code) -> Exit {
    match ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")) {
        Some(reason) => Exit::of_reason(reason),
        None => match code {
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => Exit::Unreachable,
            Code::NotFound => Exit::NotFound,
            Code::AlreadyExists | Code::FailedPrecondition | Code::Aborted => Exit::Conflict,
            Code::InvalidArgument => Exit::Usage,
            Code::DataLoss => Exit::Damaged,
            _ => Exit::Failure,
        },
    }
}

fn hint(error: &Error) -> Option<String> {
    let hint = match error {
        Error::Unavailable { status, .. } if status.get_details_error_info().is_none() => {
            "start one with: baton serve   (or name another with --addr or BATON_ADDR)".to_owned()
        }
        // Nothing was recorded, and the message says what to do.
        Error::Unavailable { .. } if error.reason().is_some_and(|reason| reason == "LOG_FULL") => {
            return None;
        }
        Error::Unavailable { request_id: Some(id), .. }
        | Error::DeadlineExceeded { request_id: Some(id), .. } => {
            format!("it may have been done all the same; to find out, repeat it with --request-id {id}")
        }
        Error::WrongTaskStatus { task_id, current, wanted, .. } => way(task_id, current, wanted)?,
        Error::LogMismatch { .. } | Error::Compacted { .. } => {
            "what is open now, and then what happens: baton watch --snapshot".to_owned()
        }
        Error::HandoffFailed { .. } | Error::StateConflict { .. } => {
            "choose what moves with --keys, or settle conflicts with --on-conflict overwrite|keep".to_owned()
        }
        Error::NotFound { kind: ResourceKind::Rule, .. } => "list them with: baton rule list".to_owned(),
        Error::NotFound { .. } => "ids are per namespace: name another with -n".to_owned(),
        _ => return None,
    };
    Some(hint)
}

/// What has to come first, where it is one step.
fn way(task_id: &str, current: &str, wanted: &str) -> Option<String> {
    let startable = matches!(current, "pending" | "handed_off");
    (startable && matches!(wanted, "completed" | "failed"))
        .then(|| format!("start it first: baton task start {task_id}"))
}

/// `FailedPrecondition` as gRPC writes it: `FAILED_PRECONDITION`.
fn canonical(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::{canonical, exit_of};
    use crate::exit::Exit;

    #[test]
    fn the_reason_decides_and_without_one_the_code() {
        let cases = [
            ("TASK_NOT_FOUND", Code::NotFound, Exit::NotFound),
            ("HANDOFF_REJECTED", Code::FailedPrecondition, Exit::Rejected),
            ("STALE_OWNER", Code::FailedPrecondition, Exit::Conflict),
            ("LOG_DAMAGED", Code::DataLoss, Exit::Damaged),
            ("UNREACHABLE", Code::Unavailable, Exit::Unreachable),
            ("SOMETHING_NEW", Code::FailedPrecondition, Exit::Conflict),
            ("UNKNOWN", Code::Unimplemented, Exit::Failure),
        ];
        for (reason, code, exit) in cases {
            assert_eq!(exit_of(reason, code), exit, "{reason}");
        }
    }

    #[test]
    fn codes_are_named_as_grpc_names_them() {
        assert_eq!(canonical(Code::FailedPrecondition), "FAILED_PRECONDITION");
        assert_eq!(canonical(Code::Ok), "OK");
    }
}
