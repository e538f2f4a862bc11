//! Hands one task off in one call.
//!
//! Knows nothing of the rules that judge it.

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

/// Hands a task off. See [`Client::hand_off`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct HandOff {
    call: Call,
    request: v1::HandOffRequest,
}

impl HandOff {
    terms_setters!();
    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the hand-off is durable: the receiver owns the task, at the hand-off's owner epoch, and has the state.
    ///
    /// # Errors
    /// [`Error::Rejected`] with every violation if the rules refuse it; [`Error::NotOwner`] or [`Error::StaleOwner`] with the present owner and
    /// epoch; [`Error::HandoffFailed`] if it was allowed and could not be executed; [`Error::NotFound`] if there is no such task. None of
    /// them changes anything but the audit trail.
    pub async fn send(self) -> Result<Handoff, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::handoffs(channel).hand_off(request).await
            })
            .await?;
        promised(answer.handoff, "handoff").map(handoff_from_wire)
    }
}

awaitable!(HandOff => Result<Handoff, Error>);

impl Client {
    /// Judges, records and executes a hand-off in one call and one record.
    ///
    /// ```no_run
    /// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
    /// use baton_client::{Context, Error, Transfer};
    ///
    /// let handed = client
    ///     .hand_off("refund-17", "triage", "billing")
    ///     .reason("needs a refund")
    ///     .context(Context::new().summary("order 1142 arrived broken").remaining(["refund 40 EUR"]))
    ///     .transfer(Transfer::keys(["order"]))
    ///     .await;
    /// match handed {
    ///     Ok(handoff) => println!("billing owns it at epoch {}", handoff.owner_epoch),
    ///     Err(Error::Rejected { violations, .. }) => violations.iter().for_each(|one| println!("{one}")),
    ///     Err(other) => return Err(other),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn hand_off(
        &self,
        task_id: impl Into<String>,
        from_agent: impl Into<String>,
        to_agent: impl Into<String>,
    ) -> HandOff {
        let request = v1::HandOffRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            from_agent: from_agent.into(),
            to_agent: to_agent.into(),
            ..Default::default()
        };
        HandOff { call: Call::new(self), request }
    }
}
