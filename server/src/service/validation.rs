//! `ValidationService`.

use baton_core::{Answer as Committed, BuiltInRule, Draft, State, judge};
use baton_proto::v1::{self, validation_service_server::ValidationService};
use tonic::{Extensions, Request, Response, Status};

use super::{
    Api,
    api::unexpected,
    from_wire::{self, Asked, Check},
    to_wire,
};
use crate::status::Refusal;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ValidationService for Api {
    async fn add_validation_rule(
        &self,
        request: Request<v1::AddValidationRuleRequest>,
    ) -> Answer<v1::AddValidationRuleResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::add_rule(&request, self.now_us())?;
        let rule = Some(self.commit_rule(&extensions, asked).await?);
        Ok(Response::new(v1::AddValidationRuleResponse { rule }))
    }

    async fn remove_validation_rule(
        &self,
        request: Request<v1::RemoveValidationRuleRequest>,
    ) -> Answer<v1::RemoveValidationRuleResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::remove_rule(&request, self.now_us())?;
        let rule = Some(self.commit_rule(&extensions, asked).await?);
        Ok(Response::new(v1::RemoveValidationRuleResponse { rule }))
    }

    async fn list_validation_rules(
        &self,
        request: Request<v1::ListValidationRulesRequest>,
    ) -> Answer<v1::ListValidationRulesResponse> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let namespace = check.namespace(&request.namespace);
        let namespace = check.finish(namespace)?;
        let rules = self.read(&extensions, &namespace, "", |state| {
            BuiltInRule::ALL.map(|rule| to_wire::rule(rule, state.rules().is_on(rule)))
        });
        Ok(Response::new(v1::ListValidationRulesResponse { rules: rules.into() }))
    }

    async fn validate_handoff(
        &self,
        request: Request<v1::ValidateHandoffRequest>,
    ) -> Answer<v1::ValidateHandoffResponse> {
        let (_, extensions, request) = request.into_parts();
        let (namespace, proposal) = from_wire::validate_handoff(&request)?;
        let of_state = |state: &State| (judge(&Draft::new(state), &proposal, None), state.head());
        let known = |state: &State| state.has_task(&proposal.task_id).then(|| of_state(state));
        let found =
            self.read_task(&extensions, &namespace, &proposal.task_id, |state| known(state).map(Ok), Err);
        let (verdict, head) = match found.await? {
            Some(Ok(judged)) => judged,
            Some(Err(archived)) => self.read(&extensions, &namespace, &proposal.task_id, |state| {
                let mut draft = Draft::new(state);
                draft.recall(archived);
                (judge(&draft, &proposal, None), state.head())
            }),
            None => self.read(&extensions, &namespace, &proposal.task_id, of_state),
        };
        Ok(Response::new(v1::ValidateHandoffResponse {
            verdict: Some(to_wire::verdict(&verdict)),
            revision: head.0,
        }))
    }
}

impl Api {
    async fn commit_rule(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<v1::ValidationRule, Refusal> {
        match self.commit(extensions, asked).await? {
            (_, Committed::Rule { rule, on }) => Ok(to_wire::rule(rule, on)),
            (_, other) => Err(unexpected(&other)),
        }
    }
}
