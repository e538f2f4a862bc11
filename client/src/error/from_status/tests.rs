//! Promises of how errors are read: every reason of the contract has its variant, with its values.
//!
//! Knows nothing of calls.

use std::{collections::HashMap, time::Duration};

use baton_proto::v1::{self, ErrorReason};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{DOMAIN, Error, Origin, from_item, from_status};

/// The values that the contract promises with any reason.
const VALUES: &[(&str, &str)] = &[
    ("task_id", "t-17"),
    ("handoff_id", "h-3"),
    ("agent_id", "triage"),
    ("rule", "ping_pong"),
    ("request_id", "r-1"),
    ("owner", "billing"),
    ("owner_epoch", "4"),
    ("given_epoch", "3"),
    ("status", "pending"),
    ("wanted", "completed"),
    ("from_agent", "triage"),
    ("to_agent", "billing"),
    ("limit", "2 MiB"),
    ("expected_revision", "8"),
    ("revision", "9"),
    ("oldest_revision", "100"),
    ("newest_revision", "200"),
    ("log_id", "log-1"),
    ("name", "watchers"),
    ("namespace", "default"),
    ("resume_revision", "12"),
];

fn values() -> HashMap<String, String> {
    VALUES.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn reason_name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

fn origin() -> Origin {
    Origin { endpoint: "http://a".to_owned(), attempts: 2, request_id: Some("r-1".to_owned()) }
}

fn status(code: Code, reason: &str, domain: &str) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, domain, values());
    details.add_precondition_failure_violation("ping_pong", "t-17", "billing had it 2 hand-offs ago");
    details.add_precondition_failure_violation("empty_reason", "t-17", "no reason was given");
    details.add_bad_request_violation("items[3].task_id", "is empty");
    details.set_retry_info(Some(Duration::from_secs(2)));
    Status::with_error_details(code, "as the server says it", details)
}

/// Every reason with its code and the message it becomes, which holds all values that a program could want.
const REASONS: &[(ErrorReason, Code, &str)] = &[
    (ErrorReason::InvalidField, Code::InvalidArgument, "invalid request: items[3].task_id: is empty"),
    (ErrorReason::TaskNotFound, Code::NotFound, "task t-17 does not exist"),
    (ErrorReason::HandoffNotFound, Code::NotFound, "hand-off h-3 does not exist"),
    (ErrorReason::AgentNotFound, Code::NotFound, "agent triage has no state"),
    (ErrorReason::RuleNotFound, Code::NotFound, "rule ping_pong does not exist"),
    (ErrorReason::TaskExists, Code::AlreadyExists, "task t-17 exists already: choose another id"),
    (
        ErrorReason::RequestIdReused,
        Code::AlreadyExists,
        "request id r-1 was used for another request: use a new one for each request",
    ),
    (
        ErrorReason::NotOwner,
        Code::FailedPrecondition,
        "task t-17 is owned by billing (epoch 4), not triage: only its owner may act on it",
    ),
    (
        ErrorReason::StaleOwner,
        Code::FailedPrecondition,
        "task t-17 is owned by billing (epoch 4); epoch 3 is stale: stop acting on the task",
    ),
    (
        ErrorReason::WrongTaskStatus,
        Code::FailedPrecondition,
        "task t-17 is pending and cannot become completed",
    ),
    (
        ErrorReason::WrongHandoffStatus,
        Code::FailedPrecondition,
        "hand-off h-3 is pending and cannot become completed: only an initiated one can",
    ),
    (
        ErrorReason::HandoffRejected,
        Code::FailedPrecondition,
        "hand-off h-3 of task t-17 was rejected: ping_pong: billing had it 2 hand-offs ago; empty_reason: no reason was given",
    ),
    (
        ErrorReason::HandoffFailed,
        Code::FailedPrecondition,
        "hand-off h-3 of task t-17 failed: ping_pong: billing had it 2 hand-offs ago; empty_reason: no reason was given",
    ),
    (
        ErrorReason::StateConflict,
        Code::FailedPrecondition,
        "state of triage cannot go to billing: ping_pong: billing had it 2 hand-offs ago; empty_reason: no reason was given",
    ),
    (ErrorReason::StateTooLarge, Code::FailedPrecondition, "as the server says it; remove keys first"),
    (
        ErrorReason::RuleNotSwitchable,
        Code::FailedPrecondition,
        "rule ping_pong guards the log's own truth and cannot be switched off",
    ),
    (
        ErrorReason::RevisionMismatch,
        Code::Aborted,
        "revision 8 was expected, but the present one is 9: read it again and decide again",
    ),
    (
        ErrorReason::RevisionCompacted,
        Code::OutOfRange,
        "the revision is no longer kept, only 100 to 200: take a snapshot and go on from there",
    ),
    (ErrorReason::RevisionInFuture, Code::OutOfRange, "the revision does not exist yet: the newest is 200"),
    (
        ErrorReason::LogMismatch,
        Code::FailedPrecondition,
        "the cursor is of another log, the server's is log-1: take a snapshot and go on from there",
    ),
    (
        ErrorReason::QueueFull,
        Code::ResourceExhausted,
        "the server's queue is full (2 MiB commands wait): come back in 2s",
    ),
    (
        ErrorReason::QuotaExceeded,
        Code::ResourceExhausted,
        "the server's quota of 2 MiB watchers is used up: come back in 2s",
    ),
    (ErrorReason::LogFull, Code::Unavailable, UNAVAILABLE),
    (ErrorReason::LogUnavailable, Code::Unavailable, UNAVAILABLE),
    (ErrorReason::ShuttingDown, Code::Unavailable, UNAVAILABLE),
    (
        ErrorReason::DeadlineExceeded,
        Code::DeadlineExceeded,
        "http://a did not answer before the deadline of the call (to learn the outcome, repeat the call with request id r-1)",
    ),
    (
        ErrorReason::LogDamaged,
        Code::DataLoss,
        "the log of namespace default is damaged at revision 9: as the server says it",
    ),
    (ErrorReason::Internal, Code::Internal, "as the server says it (INTERNAL)"),
];

const UNAVAILABLE: &str = "http://a is unavailable after 2 attempts: as the server says it (to learn the outcome, repeat the call with request id r-1)";

#[test]
fn every_reason_of_the_contract_becomes_an_error_with_its_values() {
    for &(reason, code, message) in REASONS {
        let error = from_status(status(code, reason_name(reason), DOMAIN), origin());
        assert_eq!(error.to_string(), message, "{reason:?}");
        assert_eq!(error.code(), code, "{reason:?}");
        assert_eq!(error.reason().as_deref(), Some(reason_name(reason)), "{reason:?}");
    }
}

#[test]
fn the_table_above_leaves_no_reason_out() {
    let listed: Vec<i32> = REASONS.iter().map(|&(reason, ..)| reason.into()).collect();
    let known: Vec<i32> = (1..1_000).filter(|&number| ErrorReason::try_from(number).is_ok()).collect();
    assert_eq!(listed, known);
}

#[test]
fn an_error_of_a_batch_is_read_as_that_of_a_single_call() {
    let item = v1::ItemError {
        code: Code::FailedPrecondition.into(),
        message: "epoch 3 is stale".to_owned(),
        reason: "STALE_OWNER".to_owned(),
        metadata: values().into_iter().collect(),
    };
    let error = from_item(item);
    assert!(
        matches!(&error, Error::StaleOwner { owner, epoch: 4, handoff_id: Some(id), .. } if owner == "billing" && id == "h-3"),
        "{error:?}"
    );
}

#[test]
fn a_rejection_without_a_list_says_what_the_server_said() {
    let details = ErrorDetails::with_error_info("HANDOFF_REJECTED", DOMAIN, values());
    let said = "hand-off h-3 was rejected: ping_pong: again";
    let status = Status::with_error_details(Code::FailedPrecondition, said, details);
    let error = from_status(status, Origin::default());
    assert_eq!(error.to_string(), said);
}

#[test]
fn reasons_of_others_and_of_the_future_are_read_by_their_code() {
    for (reason, domain) in [("STALE_OWNER", "elsewhere.v1"), ("NOT_KNOWN_YET", DOMAIN)] {
        let refused = from_status(status(Code::FailedPrecondition, reason, domain), origin());
        assert!(matches!(refused, Error::Other { code: Code::FailedPrecondition, .. }), "{refused:?}");
        let away = from_status(status(Code::Unavailable, reason, domain), origin());
        assert!(matches!(away, Error::Unavailable { attempts: 2, .. }), "{away:?}");
        assert_eq!(away.retry_after(), Some(Duration::from_secs(2)));
    }
}

#[test]
fn only_a_lost_answer_leaves_the_outcome_open_and_names_the_request_id() {
    for &(reason, code, _) in REASONS {
        let error = from_status(status(code, reason_name(reason), DOMAIN), origin());
        let lost = matches!(code, Code::Unavailable | Code::DeadlineExceeded);
        assert_eq!(error.is_outcome_unknown(), lost, "{reason:?}");
        assert_eq!(error.request_id(), lost.then_some("r-1"), "{reason:?}");
        assert_eq!(error.is_retryable(), matches!(code, Code::Unavailable | Code::ResourceExhausted));
    }
}
