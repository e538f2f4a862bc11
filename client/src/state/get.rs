//! Gets an agent's state, now or as it was.
//!
//! Knows nothing of how it came to be.

use baton_proto::v1;

use super::{AgentState, from_wire::state_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter},
};

/// Gets an agent's state. See [`Client::get_state`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct GetState {
    call: Call,
    request: v1::GetAgentStateRequest,
}

impl GetState {
    /// As it was right after this revision of the namespace; 0: now. The newest 100 changes of an agent are kept.
    pub fn at(mut self, revision: u64) -> Self {
        self.request.at_revision = revision;
        self
    }

    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the agent has no state, or had none then; [`Error::Compacted`] or [`Error::RevisionInFuture`] if the revision is not
    /// kept any more, or not there yet.
    pub async fn send(self) -> Result<AgentState, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::states(channel).get_agent_state(request).await
            })
            .await?;
        promised(answer.agent_state, "agent_state").map(state_from_wire)
    }
}

awaitable!(GetState => Result<AgentState, Error>);

impl Client {
    /// Gets an agent's whole state, now or [`at`](GetState::at) a revision.
    pub fn get_state(&self, agent: impl Into<String>) -> GetState {
        let namespace = self.namespace().to_owned();
        let request = v1::GetAgentStateRequest { namespace, agent_id: agent.into(), at_revision: 0 };
        GetState { call: Call::new(self), request }
    }
}
