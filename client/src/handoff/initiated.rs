//! Hand-offs in two steps: initiated first, executed or withdrawn later.
//!
//! Knows nothing of who decides, and when.

use baton_proto::v1;

use super::{Handoff, handoff_from_wire, terms::terms_setters};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
};

/// Records a hand-off without executing it. See [`Client::initiate_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct InitiateHandoff {
    call: Call,
    request: v1::InitiateHandoffRequest,
}

impl InitiateHandoff {
    terms_setters!();
    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the open hand-off is durable.
    ///
    /// # Errors
    /// Those of [`HandOff::send`](super::HandOff::send). A task has at most one open hand-off.
    pub async fn send(self) -> Result<Handoff, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::handoffs(channel).initiate_handoff(request).await
            })
            .await?;
        promised(answer.handoff, "handoff").map(handoff_from_wire)
    }
}

/// Executes an initiated hand-off. See [`Client::execute_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ExecuteHandoff {
    call: Call,
    request: v1::ExecuteHandoffRequest,
}

impl ExecuteHandoff {
    /// Acts only if this is the task's present owner epoch.
    pub fn owner_epoch(mut self, epoch: u64) -> Self {
        self.request.owner_epoch = Some(epoch);
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the hand-off is durable, and the task is the receiver's.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongHandoffStatus`] if it is not open; [`Error::HandoffFailed`] if it could not be executed and is now failed;
    /// nothing has moved then.
    pub async fn send(self) -> Result<Handoff, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::handoffs(channel).execute_handoff(request).await
            })
            .await?;
        promised(answer.handoff, "handoff").map(handoff_from_wire)
    }
}

/// Takes an initiated hand-off back. See [`Client::withdraw_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct WithdrawHandoff {
    call: Call,
    request: v1::WithdrawHandoffRequest,
}

impl WithdrawHandoff {
    /// Why; at most 4 KiB.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.request.reason = reason.into();
        self
    }

    /// Acts only if this is the task's present owner epoch.
    pub fn owner_epoch(mut self, epoch: u64) -> Self {
        self.request.owner_epoch = Some(epoch);
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the withdrawal is durable.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::WrongHandoffStatus`] if it is not open; [`Error::StaleOwner`].
    pub async fn send(self) -> Result<Handoff, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::handoffs(channel).withdraw_handoff(request).await
            })
            .await?;
        promised(answer.handoff, "handoff").map(handoff_from_wire)
    }
}

awaitable!(InitiateHandoff => Result<Handoff, Error>);
awaitable!(ExecuteHandoff => Result<Handoff, Error>);
awaitable!(WithdrawHandoff => Result<Handoff, Error>);

impl Client {
    /// Judges and records a hand-off that will be executed later: the first half of [`hand_off`](Self::hand_off). Nothing moves yet.
    pub fn initiate_handoff(
        &self,
        task_id: impl Into<String>,
        from_agent: impl Into<String>,
        to_agent: impl Into<String>,
    ) -> InitiateHandoff {
        let request = v1::InitiateHandoffRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            from_agent: from_agent.into(),
            to_agent: to_agent.into(),
            ..Default::default()
        };
        InitiateHandoff { call: Call::new(self), request }
    }

    /// Judges an initiated hand-off once more and executes it: the second half of [`hand_off`](Self::hand_off).
    pub fn execute_handoff(&self, handoff_id: impl Into<String>) -> ExecuteHandoff {
        let request = v1::ExecuteHandoffRequest {
            namespace: self.namespace().to_owned(),
            handoff_id: handoff_id.into(),
            ..Default::default()
        };
        ExecuteHandoff { call: Call::new(self), request }
    }

    /// Takes an initiated hand-off back. The task stays with its owner.
    pub fn withdraw_handoff(&self, handoff_id: impl Into<String>) -> WithdrawHandoff {
        let request = v1::WithdrawHandoffRequest {
            namespace: self.namespace().to_owned(),
            handoff_id: handoff_id.into(),
            ..Default::default()
        };
        WithdrawHandoff { call: Call::new(self), request }
    }
}
