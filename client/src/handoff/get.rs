//! Gets one hand-off.
//!
//! Knows nothing of listings.

use baton_proto::v1;

use super::{Handoff, handoff_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter},
};

/// Gets one hand-off. See [`Client::get_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct GetHandoff {
    call: Call,
    request: v1::GetHandoffRequest,
}

impl GetHandoff {
    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such hand-off.
    pub async fn send(self) -> Result<Handoff, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::handoffs(channel).get_handoff(request).await
            })
            .await?;
        promised(answer.handoff, "handoff").map(handoff_from_wire)
    }
}

awaitable!(GetHandoff => Result<Handoff, Error>);

impl Client {
    /// Gets a hand-off as of the newest durable revision; refused and failed ones too.
    pub fn get_handoff(&self, handoff_id: impl Into<String>) -> GetHandoff {
        let namespace = self.namespace().to_owned();
        let request = v1::GetHandoffRequest { namespace, handoff_id: handoff_id.into() };
        GetHandoff { call: Call::new(self), request }
    }
}
