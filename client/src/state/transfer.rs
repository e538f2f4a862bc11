//! Copies state from one agent to another, outside of any hand-off.
//!
//! Knows nothing of tasks.

use baton_proto::v1;
use serde::Serialize;

use super::{StateWritten, from_wire::written_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    handoff::{ConflictPolicy, StateTransfer, Transfer, state_transfer_from_wire, transfer_to_wire},
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
};

/// What a transfer of state did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TransferredState {
    /// The receipt for the change of the receiver's state.
    pub written: StateWritten,
    /// What was moved.
    pub transfer: StateTransfer,
}

/// Copies state from one agent to another. See [`Client::transfer_state`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct TransferState {
    call: Call,
    request: v1::TransferStateRequest,
    transfer: Transfer,
}

impl TransferState {
    /// Only these top-level keys, 1 to 1,024 of them, each of which the sender must have.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        let on_conflict = self.transfer.on_conflict;
        self.transfer = Transfer::keys(keys).on_conflict(on_conflict);
        self
    }

    /// What happens to a key that both have with different values; otherwise the sender's value replaces the receiver's.
    pub fn on_conflict(mut self, policy: ConflictPolicy) -> Self {
        self.transfer = self.transfer.on_conflict(policy);
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the receiver's state is durable; [`Client::get_state`] has it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the sender has no state; [`Error::StateConflict`] if keys are missing or in conflict; [`Error::StateTooLarge`].
    pub async fn send(self) -> Result<TransferredState, Error> {
        let request =
            v1::TransferStateRequest { transfer: Some(transfer_to_wire(self.transfer)), ..self.request };
        let answer = self
            .call
            .mutate(request, |channel, request| async move {
                services::states(channel).transfer_state(request).await
            })
            .await?;
        Ok(TransferredState {
            written: promised(answer.agent_state, "agent_state").map(written_from_wire)?,
            transfer: promised(answer.transfer, "transfer").map(state_transfer_from_wire)?,
        })
    }
}

awaitable!(TransferState => Result<TransferredState, Error>);

impl Client {
    /// Copies all that `from_agent` knows to `to_agent`, or only some [`keys`](TransferState::keys). The sender keeps its own.
    pub fn transfer_state(
        &self,
        from_agent: impl Into<String>,
        to_agent: impl Into<String>,
    ) -> TransferState {
        let request = v1::TransferStateRequest {
            namespace: self.namespace().to_owned(),
            from_agent: from_agent.into(),
            to_agent: to_agent.into(),
            ..Default::default()
        };
        TransferState { call: Call::new(self), request, transfer: Transfer::all() }
    }
}
