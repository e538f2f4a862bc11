//! What can go wrong with a call, as one enum that a program can match on.
//!
//! Does not know how the wire says it: `error/from_status.rs` does.

mod field_violation;
mod from_status;
mod questions;
mod resource_kind;

use std::{error::Error as _, fmt, time::Duration};

use thiserror::Error;
use tonic::{Code, Status};

pub(crate) use self::from_status::{Origin, from_item, from_status};
pub use self::{field_violation::FieldViolation, resource_kind::ResourceKind};
use self::{field_violation::join as join_fields, questions::code_name};
use crate::rule::Violation;

/// Why a call did not do what it was asked to.
///
/// The messages say what is the case and what to do about it. Every variant keeps the [`Status`] that it was read from as its source; what fails before anything
/// is sent gets one made here.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The owner epoch is of an assignment that is over: the task has been given to somebody else. Stop acting on it.
    #[error(
        "task {task_id} is owned by {owner} (epoch {epoch}); epoch {given_epoch} is stale: stop acting on the task"
    )]
    StaleOwner {
        /// The task.
        task_id: String,
        /// Who owns it now.
        owner: String,
        /// The epoch of the present assignment.
        epoch: u64,
        /// The epoch that was sent.
        given_epoch: u64,
        /// The record of the refused hand-off, if the call was one.
        handoff_id: Option<String>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The agent that acts is not the owner of the task.
    #[error(
        "task {task_id} is owned by {owner} (epoch {epoch}), not {agent_id}: only its owner may act on it"
    )]
    NotOwner {
        /// The task.
        task_id: String,
        /// Who owns it now.
        owner: String,
        /// The epoch of the present assignment.
        epoch: u64,
        /// Who asked.
        agent_id: String,
        /// The record of the refused hand-off, if the call was one.
        handoff_id: Option<String>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The rules refused the hand-off. Nothing has moved; the refusal is on record as `handoff_id`.
    #[error("{}", told(format_args!("hand-off {handoff_id} of task {task_id} was rejected"), violations, status))]
    Rejected {
        /// The record of the refusal.
        handoff_id: String,
        /// The task.
        task_id: String,
        /// Everything that the rules found, not just the first thing. Empty for an item of a batch, where the message has it.
        violations: Vec<Violation>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The hand-off was allowed and could not be executed. Nothing has moved; the failure is on record as `handoff_id`.
    #[error("{}", told(format_args!("hand-off {handoff_id} of task {task_id} failed"), violations, status))]
    HandoffFailed {
        /// The record of the failure.
        handoff_id: String,
        /// The task.
        task_id: String,
        /// What stood in the way, as far as the server lists it.
        violations: Vec<Violation>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// There is no such thing.
    #[error("{kind} {id} {}", kind.absence())]
    NotFound {
        /// What was looked for.
        kind: ResourceKind,
        /// Its id, or a rule's name.
        id: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The id is taken.
    #[error("{kind} {id} exists already: choose another id")]
    AlreadyExists {
        /// What exists.
        kind: ResourceKind,
        /// Its id.
        id: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The request id was used before, for another request.
    #[error("request id {request_id} was used for another request: use a new one for each request")]
    RequestIdReused {
        /// The request id.
        request_id: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The task cannot go from where it is to where it was to go.
    #[error("task {task_id} is {current} and cannot become {wanted}")]
    WrongTaskStatus {
        /// The task.
        task_id: String,
        /// Its status, such as `pending`.
        current: String,
        /// The status that the call would have given it.
        wanted: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The hand-off is no longer open.
    #[error("hand-off {handoff_id} is {current} and cannot become {wanted}: only an initiated one can")]
    WrongHandoffStatus {
        /// The hand-off.
        handoff_id: String,
        /// Its status, such as `completed`.
        current: String,
        /// The status that the call would have given it.
        wanted: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// Keys that were to be transferred are missing at the sender, or in conflict at the receiver. Nothing has moved.
    #[error("{}", told(format_args!("state of {from_agent} cannot go to {to_agent}"), violations, status))]
    StateConflict {
        /// The sender.
        from_agent: String,
        /// The receiver.
        to_agent: String,
        /// The keys in question, as far as the server lists them.
        violations: Vec<Violation>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The state would grow over its limits.
    #[error("{}; remove keys first", status.message())]
    StateTooLarge {
        /// Whose state it is; empty if the call was a transfer.
        agent_id: String,
        /// The limit, of bytes or of keys.
        limit: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The rule guards the log's own truth.
    #[error("rule {rule} guards the log's own truth and cannot be switched off")]
    RuleNotSwitchable {
        /// The rule.
        rule: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// Somebody else changed it in between.
    #[error(
        "revision {expected} was expected, but the present one is {actual}: read it again and decide again"
    )]
    RevisionMismatch {
        /// The revision that the caller saw.
        expected: u64,
        /// The present one.
        actual: u64,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The revision is no longer kept: whoever wanted to go on from it has missed something.
    #[error(
        "the revision is no longer kept, only {oldest} to {newest}: take a snapshot and go on from there"
    )]
    Compacted {
        /// The oldest revision that is kept.
        oldest: u64,
        /// The newest revision.
        newest: u64,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The revision does not exist yet.
    #[error("the revision does not exist yet: the newest is {newest}")]
    RevisionInFuture {
        /// The oldest revision that is kept.
        oldest: u64,
        /// The newest revision.
        newest: u64,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// The cursor belongs to another log than the server's.
    #[error("the cursor is of another log, the server's is {log_id}: take a snapshot and go on from there")]
    LogMismatch {
        /// The log that the server serves.
        log_id: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// Fields are malformed or over their limits.
    #[error("invalid request: {}", join_fields(violations, status))]
    Invalid {
        /// All that is wrong, not just the first thing.
        violations: Vec<FieldViolation>,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// Too many commands are waiting at the server.
    #[error("the server's queue is full ({limit} commands wait): come back in {retry_after:?}")]
    QueueFull {
        /// How many may wait.
        limit: String,
        /// When to come back; zero if the server did not say.
        retry_after: Duration,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// There are too many of something, such as namespaces or watchers.
    #[error("the server's quota of {limit} {name} is used up: come back in {retry_after:?}")]
    QuotaExceeded {
        /// What there is too much of.
        name: String,
        /// How many there may be.
        limit: String,
        /// When to come back; zero if the server did not say.
        retry_after: Duration,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// No server could take the call: none was reached, the connection broke, or the log cannot be written.
    ///
    /// A mutation may have been done all the same. To find out, send it again with the same request id: it is not done twice.
    #[error("{endpoint} is unavailable after {attempts} attempt{}: {}{}", if *attempts == 1 { "" } else { "s" }, cause(status), resume_hint(request_id.as_deref()))]
    Unavailable {
        /// The endpoint that was asked last.
        endpoint: String,
        /// How often the call was tried.
        attempts: u32,
        /// The request id that the call carried, if it was a mutation.
        request_id: Option<String>,
        /// When to come back, if the server said so.
        retry_after: Option<Duration>,
        /// Of the last attempt.
        #[source]
        status: Status,
    },
    /// The deadline of the call passed.
    ///
    /// A mutation may have been done all the same. To find out, send it again with the same request id: it is not done twice.
    #[error("{endpoint} did not answer before the deadline of the call{}", resume_hint(request_id.as_deref()))]
    DeadlineExceeded {
        /// The endpoint that was asked last.
        endpoint: String,
        /// The request id that the call carried, if it was a mutation.
        request_id: Option<String>,
        /// Of the last attempt.
        #[source]
        status: Status,
    },
    /// The log does not verify: a record is missing, torn or altered.
    #[error("the log of namespace {namespace} is damaged at revision {revision}: {}", status.message())]
    LogDamaged {
        /// The namespace.
        namespace: String,
        /// The first revision that does not hold.
        revision: u64,
        /// As the server sent it.
        #[source]
        status: Status,
    },
    /// Anything else.
    #[error("{message} ({})", code_name(*code))]
    Other {
        /// The canonical gRPC code.
        code: Code,
        /// What the server said.
        message: String,
        /// As the server sent it.
        #[source]
        status: Status,
    },
}

impl Error {
    /// What the caller got wrong, found before anything was sent.
    pub(crate) fn invalid(violations: Vec<FieldViolation>) -> Self {
        let status = Status::invalid_argument("the request was not sent");
        Self::Invalid { violations, status }
    }

    /// An answer without a part that the contract promises.
    pub(crate) fn malformed_answer(missing: &str) -> Self {
        let message = format!("the server's answer lacks `{missing}`");
        Self::Other { code: Code::Internal, status: Status::internal(message.clone()), message }
    }
}

/// What failed and why; without a list of reasons the server's own sentence, which has all of it.
fn told(what: fmt::Arguments<'_>, violations: &[Violation], status: &Status) -> String {
    if violations.is_empty() {
        return status.message().to_owned();
    }
    let reasons: Vec<String> = violations.iter().map(ToString::to_string).collect();
    format!("{what}: {}", reasons.join("; "))
}

/// What a status says, with what is at its bottom: that a connection failed, and that it was refused.
fn cause(status: &Status) -> String {
    let message = status.message();
    let mut bottom = status.source();
    while let Some(deeper) = bottom.and_then(|error| error.source()) {
        bottom = Some(deeper);
    }
    match bottom.map(ToString::to_string) {
        Some(bottom) if !message.contains(&bottom) => format!("{message}: {bottom}"),
        _ => message.to_owned(),
    }
}

fn resume_hint(request_id: Option<&str>) -> String {
    request_id
        .map(|id| format!(" (to learn the outcome, repeat the call with request id {id})"))
        .unwrap_or_default()
}
