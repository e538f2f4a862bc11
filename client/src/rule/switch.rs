//! Switches rules on and off.
//!
//! Knows nothing of what they check.

use baton_proto::v1;

use super::{Rule, rule_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
};

/// Puts a rule in force. See [`Client::enable_rule`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct EnableRule {
    call: Call,
    request: v1::AddValidationRuleRequest,
}

impl EnableRule {
    request_id_setter!();
    deadline_setter!();

    /// Makes the call, and returns the rule as it is now. On return it is durable.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such rule.
    pub async fn send(self) -> Result<Rule, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::rules(channel).add_validation_rule(request).await
            })
            .await?;
        promised(answer.rule, "rule").map(rule_from_wire)
    }
}

/// Takes a rule out of force. See [`Client::disable_rule`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct DisableRule {
    call: Call,
    request: v1::RemoveValidationRuleRequest,
}

impl DisableRule {
    request_id_setter!();
    deadline_setter!();

    /// Makes the call, and returns the rule as it is now. On return it is durable.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such rule; [`Error::RuleNotSwitchable`] if it guards the log's own truth.
    pub async fn send(self) -> Result<Rule, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::rules(channel).remove_validation_rule(request).await
            })
            .await?;
        promised(answer.rule, "rule").map(rule_from_wire)
    }
}

awaitable!(EnableRule => Result<Rule, Error>);
awaitable!(DisableRule => Result<Rule, Error>);

impl Client {
    /// Puts a built-in rule in force for the namespace.
    pub fn enable_rule(&self, name: impl Into<String>) -> EnableRule {
        let rule = v1::ValidationRule { name: name.into(), enabled: true, ..Default::default() };
        let request = v1::AddValidationRuleRequest {
            namespace: self.namespace().to_owned(),
            rule: Some(rule),
            ..Default::default()
        };
        EnableRule { call: Call::new(self), request }
    }

    /// Takes a built-in rule out of force for the namespace. It stays in the list.
    pub fn disable_rule(&self, name: impl Into<String>) -> DisableRule {
        let request = v1::RemoveValidationRuleRequest {
            namespace: self.namespace().to_owned(),
            name: name.into(),
            ..Default::default()
        };
        DisableRule { call: Call::new(self), request }
    }
}
