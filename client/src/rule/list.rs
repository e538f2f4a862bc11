//! Lists the rules of a namespace.
//!
//! Knows nothing of switching them.

use baton_proto::v1;

use super::{Rule, rule_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    services,
    setters::{awaitable, deadline_setter},
};

/// Lists rules. See [`Client::list_rules`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ListRules {
    call: Call,
    request: v1::ListValidationRulesRequest,
}

impl ListRules {
    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// None but those that every call may have: [`Error::Unavailable`], [`Error::DeadlineExceeded`], [`Error::QueueFull`].
    pub async fn send(self) -> Result<Vec<Rule>, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::rules(channel).list_validation_rules(request).await
            })
            .await?;
        Ok(answer.rules.into_iter().map(rule_from_wire).collect())
    }
}

awaitable!(ListRules => Result<Vec<Rule>, Error>);

impl Client {
    /// Lists all rules with their limits, in force or not, in order of their names.
    pub fn list_rules(&self) -> ListRules {
        let request = v1::ListValidationRulesRequest { namespace: self.namespace().to_owned() };
        ListRules { call: Call::new(self), request }
    }
}
