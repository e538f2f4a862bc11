//! Which refusal the caller gets for each thing that can go wrong.
//!
//! One place for codes, reasons and values, as `ErrorReason` in the contract states them.

use std::time::Duration;

use baton_core::{BuiltInRule, Handoff, HandoffStatus, Obstacle, Rejection, Task, Verdict};
use baton_proto::v1::ErrorReason;
use tonic::Code;

use crate::{
    engine::{EngineError, archived::ReadArchive},
    status::Refusal,
};

/// When to come back if the queue was full: a batch takes far less.
const QUEUE_RETRY: Duration = Duration::from_millis(50);
/// When to come back if the log or the server was not available.
const OUTAGE_RETRY: Duration = Duration::from_secs(1);

/// The refusal for what the engine would not do.
pub(super) fn of_engine(error: EngineError) -> Refusal {
    let message = error.to_string();
    match error {
        EngineError::Rejected(rejection) => of_rejection(&rejection),
        EngineError::QueueFull { limit, .. } => {
            Refusal::new(Code::ResourceExhausted, ErrorReason::QueueFull, message)
                .metadata("limit", limit)
                .retry_after(QUEUE_RETRY)
        }
        EngineError::TooManyNamespaces { limit } => too_many("namespaces_max", limit, message),
        EngineError::DeadlinePassed => {
            Refusal::new(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, message)
        }
        EngineError::LogFull(_) => {
            Refusal::new(Code::Unavailable, ErrorReason::LogFull, message).retry_after(OUTAGE_RETRY)
        }
        EngineError::LogRefused(_) | EngineError::PastUnreadable(_) | EngineError::OutcomeUnknown => {
            Refusal::new(Code::Unavailable, ErrorReason::LogUnavailable, message).retry_after(OUTAGE_RETRY)
        }
        EngineError::Stopped => {
            Refusal::new(Code::Unavailable, ErrorReason::ShuttingDown, message).retry_after(OUTAGE_RETRY)
        }
    }
}

/// The refusal when there are as many of something as there may be.
pub(super) fn too_many(name: &'static str, limit: usize, message: String) -> Refusal {
    Refusal::new(Code::ResourceExhausted, ErrorReason::QuotaExceeded, message)
        .metadata("name", name)
        .metadata("limit", limit)
        .retry_after(OUTAGE_RETRY)
}

/// The refusal when the log cannot be read.
pub(super) fn log_unreadable(message: String) -> Refusal {
    Refusal::new(Code::Unavailable, ErrorReason::LogUnavailable, message).retry_after(OUTAGE_RETRY)
}

/// The refusal when the archive cannot be read.
pub(super) fn archive_unreadable(error: ReadArchive) -> Refusal {
    match error {
        ReadArchive::Archive(error) => log_unreadable(error.to_string()),
        ReadArchive::BrokenOff => stopping("the read of the archive was broken off; try again"),
    }
}

/// The refusal of what is broken off because the server is stopping.
pub(super) fn stopping(message: &str) -> Refusal {
    Refusal::new(Code::Unavailable, ErrorReason::ShuttingDown, message).retry_after(OUTAGE_RETRY)
}

/// The refusal for a task that does not exist.
pub(super) fn task_not_found(task_id: &str) -> Refusal {
    of_rejection(&Rejection::TaskNotFound { task_id: task_id.into() })
}

/// The refusal for a command that changed nothing.
pub(super) fn of_rejection(rejection: &Rejection) -> Refusal {
    let message = rejection.to_string();
    match rejection {
        Rejection::TaskNotFound { task_id } => not_found(ErrorReason::TaskNotFound, "task", task_id, message),
        Rejection::HandoffOfUnknownTask { task_id, verdict } => {
            with_violations(not_found(ErrorReason::TaskNotFound, "task", task_id, message), task_id, verdict)
        }
        Rejection::HandoffNotFound { handoff_id } => {
            not_found(ErrorReason::HandoffNotFound, "handoff", &handoff_id.to_string(), message)
        }
        Rejection::AgentNotFound { agent_id } => {
            not_found(ErrorReason::AgentNotFound, "agent", agent_id, message)
        }
        Rejection::TaskExists { task_id, .. } => {
            Refusal::new(Code::AlreadyExists, ErrorReason::TaskExists, message.clone())
                .metadata("task_id", task_id)
                .resource("task", task_id.as_str(), message)
        }
        Rejection::RequestIdReused { request_id } => {
            Refusal::new(Code::AlreadyExists, ErrorReason::RequestIdReused, message)
                .metadata("request_id", request_id)
        }
        Rejection::NotOwner { task_id, owner, owner_epoch, agent_id } => {
            precondition(ErrorReason::NotOwner, BuiltInRule::NotOwner.name(), task_id, message)
                .metadata("owner", owner)
                .metadata("owner_epoch", owner_epoch)
                .metadata("agent_id", agent_id)
        }
        Rejection::StaleOwner { task_id, owner, owner_epoch, given_epoch } => {
            precondition(ErrorReason::StaleOwner, BuiltInRule::StaleOwner.name(), task_id, message)
                .metadata("owner", owner)
                .metadata("owner_epoch", owner_epoch)
                .metadata("given_epoch", given_epoch)
        }
        Rejection::WrongTaskStatus { task_id, status, wanted } => {
            precondition(ErrorReason::WrongTaskStatus, "task_status", task_id, message)
                .metadata("status", status)
                .metadata("wanted", wanted)
        }
        Rejection::WrongHandoffStatus { handoff_id, status, wanted } => {
            Refusal::new(Code::FailedPrecondition, ErrorReason::WrongHandoffStatus, message)
                .metadata("handoff_id", handoff_id)
                .metadata("status", status)
                .metadata("wanted", wanted)
        }
        Rejection::RevisionMismatch { revision, expected, .. } => {
            Refusal::new(Code::Aborted, ErrorReason::RevisionMismatch, message)
                .metadata("revision", revision)
                .metadata("expected_revision", expected)
        }
        Rejection::Transfer { from, to, obstacle } => {
            // It is the receiver's state that would be too large.
            of_obstacle(obstacle, message)
                .metadata("from_agent", from)
                .metadata("to_agent", to)
                .metadata("agent_id", to)
        }
        Rejection::State { agent_id, obstacle } => {
            of_obstacle(obstacle, message).metadata("agent_id", agent_id)
        }
        Rejection::RuleNotSwitchable { rule } => {
            Refusal::new(Code::FailedPrecondition, ErrorReason::RuleNotSwitchable, message)
                .metadata("rule", rule.name())
        }
    }
}

/// The refusal that a recorded hand-off is, unless it stands as it was wanted.
///
/// Of several things that the rules found, fencing comes first: whoever holds a stale epoch has to look again in any case.
pub(super) fn of_handoff(handoff: &Handoff, task: &Task) -> Option<Refusal> {
    let verdict = &handoff.verdict;
    let found = |rule: BuiltInRule| verdict.errors.iter().find(|error| &*error.rule == rule.name());
    let (reason, message) = match handoff.status {
        HandoffStatus::Initiated | HandoffStatus::Completed | HandoffStatus::Withdrawn => return None,
        HandoffStatus::Failed => {
            (ErrorReason::HandoffFailed, format!("hand-off {} failed: {}", handoff.id, handoff.error))
        }
        HandoffStatus::Rejected => {
            let lines = verdict.error_lines().join("; ");
            let message = format!("hand-off {} was rejected: {lines}", handoff.id);
            match (found(BuiltInRule::StaleOwner), found(BuiltInRule::NotOwner)) {
                (Some(_), _) => (ErrorReason::StaleOwner, message),
                (None, Some(_)) => (ErrorReason::NotOwner, message),
                (None, None) => (ErrorReason::HandoffRejected, message),
            }
        }
    };
    let refusal = Refusal::new(Code::FailedPrecondition, reason, message)
        .metadata("handoff_id", handoff.id)
        .metadata("task_id", &handoff.task_id)
        .metadata("owner", &task.owner)
        .metadata("owner_epoch", task.owner_epoch);
    let refusal = match (reason, handoff.given_epoch) {
        (ErrorReason::StaleOwner, Some(given_epoch)) => refusal.metadata("given_epoch", given_epoch),
        (ErrorReason::NotOwner, _) => refusal.metadata("agent_id", &handoff.from),
        _ => refusal,
    };
    Some(with_violations(refusal, &handoff.task_id, verdict))
}

fn not_found(reason: ErrorReason, kind: &'static str, id: &str, message: String) -> Refusal {
    let key = match kind {
        "task" => "task_id",
        "handoff" => "handoff_id",
        _ => "agent_id",
    };
    Refusal::new(Code::NotFound, reason, message.clone()).metadata(key, id).resource(kind, id, message)
}

fn precondition(reason: ErrorReason, rule: &'static str, task_id: &str, message: String) -> Refusal {
    Refusal::new(Code::FailedPrecondition, reason, message.clone())
        .metadata("task_id", task_id)
        .precondition(rule, task_id, message)
}

fn with_violations(refusal: Refusal, task_id: &str, verdict: &Verdict) -> Refusal {
    verdict.errors.iter().fold(refusal, |refusal, error| {
        refusal.precondition(error.rule.as_str(), task_id, error.message.as_str())
    })
}

fn of_obstacle(obstacle: &Obstacle, message: String) -> Refusal {
    let refused = |reason| Refusal::new(Code::FailedPrecondition, reason, message);
    match obstacle {
        Obstacle::Missing(_) | Obstacle::Conflict(_) => refused(ErrorReason::StateConflict),
        Obstacle::TooManyBytes(_) => {
            refused(ErrorReason::StateTooLarge).metadata("limit", baton_core::limits::STATE_BYTES_MAX)
        }
        Obstacle::TooManyKeys(_) => {
            refused(ErrorReason::StateTooLarge).metadata("limit", baton_core::limits::STATE_KEYS_MAX)
        }
    }
}
