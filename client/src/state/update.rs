//! Changes an agent's state.
//!
//! Knows nothing of transfers from one agent to another.

use baton_proto::v1;
use serde::Serialize;

use super::{StateWritten, UpdateMode, from_wire::written_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
    value::to_struct,
};

/// Changes an agent's state. See [`Client::update_state`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct UpdateState {
    call: Call,
    request: v1::UpdateAgentStateRequest,
}

impl UpdateState {
    /// How the change is applied; otherwise [`UpdateMode::Merge`].
    pub fn mode(mut self, mode: UpdateMode) -> Self {
        self.request.mode = mode.to_wire();
        self
    }

    /// Acts only if the state is still at the revision that the caller saw; 0: only if there is none yet.
    pub fn expected_revision(mut self, revision: u64) -> Self {
        self.request.expected_revision = Some(revision);
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call, and returns a receipt. On return the change is durable; [`Client::get_state`] has the whole state.
    ///
    /// # Errors
    /// [`Error::RevisionMismatch`]; [`Error::StateTooLarge`].
    pub async fn send(self) -> Result<StateWritten, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::states(channel).update_agent_state(request).await
            })
            .await?;
        promised(answer.agent_state, "agent_state").map(written_from_wire)
    }
}

awaitable!(UpdateState => Result<StateWritten, Error>);

impl Client {
    /// Merges `state`, anything that serializes to a JSON object of at most 1 MiB and 32 levels, into what the agent knows; creates it if it is new.
    ///
    /// Numbers are 64-bit floats on the way: an integer beyond 2^53 is refused, not rounded.
    pub fn update_state(&self, agent: impl Into<String>, state: impl Serialize) -> UpdateState {
        let mut call = Call::new(self);
        let request = v1::UpdateAgentStateRequest {
            namespace: self.namespace().to_owned(),
            agent_id: agent.into(),
            state: call.accept(to_struct("state", state)),
            ..Default::default()
        };
        UpdateState { call, request }
    }
}
