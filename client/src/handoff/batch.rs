//! Hands many tasks off in one call.
//!
//! Knows nothing of how the server makes them durable together.

use baton_proto::v1;

use super::{Handoff, handoff_from_wire, terms::terms_setters};
use crate::{
    call::Call,
    client::Client,
    error::{Error, from_item},
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
};

/// One hand-off of a batch.
#[derive(Clone, Debug)]
#[must_use = "a hand-off of a batch is made when the batch is awaited"]
pub struct NewHandoff {
    request: v1::HandOffRequest,
}

impl NewHandoff {
    /// A hand-off of this task from its owner to another agent.
    pub fn new(
        task_id: impl Into<String>,
        from_agent: impl Into<String>,
        to_agent: impl Into<String>,
    ) -> Self {
        let request = v1::HandOffRequest {
            task_id: task_id.into(),
            from_agent: from_agent.into(),
            to_agent: to_agent.into(),
            ..Default::default()
        };
        Self { request }
    }

    terms_setters!();
    request_id_setter!();
}

/// Hands several tasks off. See [`Client::batch_hand_off`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct BatchHandOff {
    call: Call,
    request: v1::BatchHandOffRequest,
}

impl BatchHandOff {
    deadline_setter!();

    /// Makes the call. On return, all hand-offs that were made are durable.
    ///
    /// Gives one result for each hand-off, in the order of the request.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the batch as a whole is; what is wrong with one hand-off is in its result.
    pub async fn send(self) -> Result<Vec<Result<Handoff, Error>>, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::handoffs(channel).batch_hand_off(request).await
            })
            .await?;
        Ok(answer.results.into_iter().map(result_from_wire).collect())
    }
}

awaitable!(BatchHandOff => Result<Vec<Result<Handoff, Error>>, Error>);

fn result_from_wire(result: v1::HandOffResult) -> Result<Handoff, Error> {
    match result.error {
        Some(error) => Err(from_item(error)),
        None => promised(result.handoff, "results.handoff").map(handoff_from_wire),
    }
}

impl Client {
    /// Hands 1 to 1,000 tasks off, each on its own: one may fail while the others succeed.
    pub fn batch_hand_off(&self, handoffs: impl IntoIterator<Item = NewHandoff>) -> BatchHandOff {
        let items = handoffs.into_iter().map(|handoff| handoff.request).collect();
        let request = v1::BatchHandOffRequest { items, namespace: self.namespace().to_owned() };
        BatchHandOff { call: Call::new(self), request }
    }
}
