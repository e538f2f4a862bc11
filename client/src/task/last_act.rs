//! What ends an ownership: the end of the task, or a hand-off. If it is refused, the owner gets the task back.
//!
//! Knows nothing of what an owner does before.

use std::{error, fmt, time::Duration};

use super::{CancelTask, CompleteTask, FailTask, OwnedTask, Task};
use crate::{
    error::Error,
    handoff::{Context, ExecuteHandoff, HandOff, Handoff, Transfer},
    setters::awaitable,
};

/// Why an owner's last act was refused, and the task that is therefore still in its hands.
///
/// With `?` it becomes the plain [`Error`].
#[derive(Debug)]
pub struct OwnerError {
    error: Box<Error>,
    task: Box<OwnedTask>,
}

impl OwnerError {
    /// Why it was refused.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// What the owner acts with. After [`Error::StaleOwner`] it is of no use any more.
    #[must_use]
    pub fn into_task(self) -> OwnedTask {
        *self.task
    }
}

impl fmt::Display for OwnerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl error::Error for OwnerError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        // It speaks with the error's own words, so the next in the chain is that one's source.
        self.error.source()
    }
}

impl From<OwnerError> for Error {
    fn from(refused: OwnerError) -> Self {
        *refused.error
    }
}

/// Gives the task back where the call failed.
fn or_keep<T>(outcome: Result<T, Error>, task: OwnedTask) -> Result<T, OwnerError> {
    outcome.map_err(|error| OwnerError { error: Box::new(error), task: Box::new(task) })
}

/// Ends a task that its owner holds. See [`OwnedTask::complete`], [`OwnedTask::fail`] and [`OwnedTask::cancel`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct FinishOwned {
    task: OwnedTask,
    ending: Ending,
}

#[derive(Clone, Debug)]
pub(super) enum Ending {
    Complete(CompleteTask),
    Fail(FailTask),
    Cancel(CancelTask),
}

impl FinishOwned {
    pub(super) fn new(task: OwnedTask, ending: Ending) -> Self {
        Self { task, ending }
    }

    /// Sends this request id instead of a random one. See [`CompleteTask::request_id`].
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.ending = match self.ending {
            Ending::Complete(call) => Ending::Complete(call.request_id(request_id)),
            Ending::Fail(call) => Ending::Fail(call.request_id(request_id)),
            Ending::Cancel(call) => Ending::Cancel(call.request_id(request_id)),
        };
        self
    }

    /// Gives the call, with all of its attempts, this long; otherwise the client's deadline holds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.ending = match self.ending {
            Ending::Complete(call) => Ending::Complete(call.deadline(deadline)),
            Ending::Fail(call) => Ending::Fail(call.deadline(deadline)),
            Ending::Cancel(call) => Ending::Cancel(call.deadline(deadline)),
        };
        self
    }

    /// Makes the call. On return the end is durable.
    ///
    /// # Errors
    /// Those of [`CompleteTask::send`], with the task, which is then still in the owner's hands.
    pub async fn send(self) -> Result<Task, OwnerError> {
        let outcome = match self.ending {
            Ending::Complete(call) => call.send().await,
            Ending::Fail(call) => call.send().await,
            Ending::Cancel(call) => call.send().await,
        };
        or_keep(outcome, self.task)
    }
}

/// Hands a task off that its owner holds. See [`OwnedTask::hand_off`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct HandOffOwned {
    task: OwnedTask,
    call: HandOff,
}

impl HandOffOwned {
    pub(super) fn new(task: OwnedTask, call: HandOff) -> Self {
        Self { task, call }
    }

    fn with(mut self, change: impl FnOnce(HandOff) -> HandOff) -> Self {
        self.call = change(self.call);
        self
    }

    /// Why; at most 4 KiB. The rule `empty_reason` refuses a hand-off without one.
    pub fn reason(self, reason: impl Into<String>) -> Self {
        self.with(|call| call.reason(reason))
    }

    /// What the next agent must know.
    pub fn context(self, context: Context) -> Self {
        self.with(|call| call.context(context))
    }

    /// What of the sender's state moves; otherwise all of it, overwriting.
    pub fn transfer(self, transfer: Transfer) -> Self {
        self.with(|call| call.transfer(transfer))
    }

    /// Sends this request id instead of a random one. See [`HandOff::request_id`].
    pub fn request_id(self, request_id: impl Into<String>) -> Self {
        self.with(|call| call.request_id(request_id))
    }

    /// Gives the call, with all of its attempts, this long; otherwise the client's deadline holds.
    pub fn deadline(self, deadline: Duration) -> Self {
        self.with(|call| call.deadline(deadline))
    }

    /// Makes the call. On return the hand-off is durable, and the task is the receiver's.
    ///
    /// # Errors
    /// Those of [`HandOff::send`], with the task, which is then still in the owner's hands.
    pub async fn send(self) -> Result<Handoff, OwnerError> {
        let outcome = self.call.send().await;
        or_keep(outcome, self.task)
    }
}

/// Executes an initiated hand-off of a task that its owner holds. See [`OwnedTask::execute_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ExecuteOwned {
    task: OwnedTask,
    call: ExecuteHandoff,
}

impl ExecuteOwned {
    pub(super) fn new(task: OwnedTask, call: ExecuteHandoff) -> Self {
        Self { task, call }
    }

    /// Sends this request id instead of a random one. See [`ExecuteHandoff::request_id`].
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.call = self.call.request_id(request_id);
        self
    }

    /// Gives the call, with all of its attempts, this long; otherwise the client's deadline holds.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.call = self.call.deadline(deadline);
        self
    }

    /// Makes the call. On return the hand-off is durable, and the task is the receiver's.
    ///
    /// # Errors
    /// Those of [`ExecuteHandoff::send`], with the task, which is then still in the owner's hands.
    pub async fn send(self) -> Result<Handoff, OwnerError> {
        let outcome = self.call.send().await;
        or_keep(outcome, self.task)
    }
}

awaitable!(FinishOwned => Result<Task, OwnerError>);
awaitable!(HandOffOwned => Result<Handoff, OwnerError>);
awaitable!(ExecuteOwned => Result<Handoff, OwnerError>);
