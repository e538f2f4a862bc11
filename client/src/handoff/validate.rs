//! Asks what the rules would say of a hand-off.
//!
//! Knows nothing of executing one.

use baton_proto::v1;

use super::terms::terms_setters;
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    rule::{Verdict, verdict_from_wire},
    services,
    setters::{awaitable, deadline_setter},
};

/// Judges a hand-off without recording or executing it. See [`Client::validate_handoff`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ValidateHandoff {
    call: Call,
    request: v1::ValidateHandoffRequest,
}

impl ValidateHandoff {
    terms_setters!();
    deadline_setter!();

    /// Makes the call. A refusal is an answer here, not an error.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the request itself is malformed.
    pub async fn send(self) -> Result<Verdict, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::rules(channel).validate_handoff(request).await
            })
            .await?;
        promised(answer.verdict, "verdict").map(verdict_from_wire)
    }
}

awaitable!(ValidateHandoff => Result<Verdict, Error>);

impl Client {
    /// Asks what the rules would say of a hand-off, and changes nothing.
    pub fn validate_handoff(
        &self,
        task_id: impl Into<String>,
        from_agent: impl Into<String>,
        to_agent: impl Into<String>,
    ) -> ValidateHandoff {
        let request = v1::ValidateHandoffRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            from_agent: from_agent.into(),
            to_agent: to_agent.into(),
            ..Default::default()
        };
        ValidateHandoff { call: Call::new(self), request }
    }
}
