//! Requests of `ValidationService` and `MonitorService` into commands and questions.

use std::{sync::Arc, time::Duration};

use baton_core::{Action, BuiltInRule, Command, Proposal, SwitchRule, summary::Grouping};
use baton_proto::v1::{self, ErrorReason};
use prost::Message as _;
use tonic::Code;

use super::{Asked, Check, handoff::proposal};
use crate::status::Refusal;

/// The longest window of a summary: ten years, longer than any log.
const WINDOW_MAX: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Which hand-offs a summary is of.
#[derive(Debug)]
pub(in crate::service) struct SummaryQuery {
    pub(in crate::service) namespace: Arc<str>,
    pub(in crate::service) window: Option<Duration>,
    pub(in crate::service) groupings: Vec<Grouping>,
    pub(in crate::service) agent: Option<String>,
}

pub(in crate::service) fn add_rule(
    request: &v1::AddValidationRuleRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    let name = request.rule.as_ref().map(|rule| rule.name.as_str()).unwrap_or_default();
    check.id("rule.name", name);
    let namespace = check.finish(namespace)?;
    let action = Action::SwitchRule(SwitchRule { rule: built_in(name)?, on: true });
    let command = Command::new(&request.request_id, now_us, action);
    Ok(Asked { namespace, command, bytes: request.encoded_len() })
}

pub(in crate::service) fn remove_rule(
    request: &v1::RemoveValidationRuleRequest,
    now_us: i64,
) -> Result<Asked, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.request_id(&request.request_id);
    check.id("name", &request.name);
    let namespace = check.finish(namespace)?;
    let action = Action::SwitchRule(SwitchRule { rule: built_in(&request.name)?, on: false });
    let command = Command::new(&request.request_id, now_us, action);
    Ok(Asked { namespace, command, bytes: request.encoded_len() })
}

fn built_in(name: &str) -> Result<BuiltInRule, Refusal> {
    BuiltInRule::by_name(name).ok_or_else(|| {
        let names = BuiltInRule::ALL.map(BuiltInRule::name).join(", ");
        let message = format!("rule {name} does not exist; there are {names}");
        Refusal::new(Code::NotFound, ErrorReason::RuleNotFound, message.clone())
            .metadata("rule", name)
            .resource("rule", name, message)
    })
}

pub(in crate::service) fn validate_handoff(
    request: &v1::ValidateHandoffRequest,
) -> Result<(Arc<str>, Proposal), Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    let proposal = proposal(&mut check, request.into());
    check.finish((namespace, proposal))
}

pub(in crate::service) fn summary(request: &v1::GetSummaryRequest) -> Result<SummaryQuery, Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(&request.namespace);
    check.optional_id("agent_id", &request.agent_id);
    let bounds = Duration::from_nanos(1)..=WINDOW_MAX;
    let window = request.window.as_ref().map(|window| check.duration("window", window, bounds));
    let mut groupings = Vec::new();
    for (index, value) in request.group_by.iter().enumerate() {
        let field = format!("group_by[{index}]");
        let grouping = match check.known(&field, *value, v1::SummaryGrouping::try_from(*value)) {
            Some(v1::SummaryGrouping::Agent) => Grouping::Agent,
            Some(v1::SummaryGrouping::Pair) => Grouping::Pair,
            Some(v1::SummaryGrouping::Reason) => Grouping::Reason,
            Some(v1::SummaryGrouping::Unspecified) => {
                check.wrong(&field, "is unspecified; give AGENT, PAIR or REASON");
                continue;
            }
            None => continue,
        };
        if groupings.contains(&grouping) {
            check.wrong(&field, "is there twice");
        } else {
            groupings.push(grouping);
        }
    }
    let agent = (!request.agent_id.is_empty()).then(|| request.agent_id.clone());
    check.finish(SummaryQuery { namespace, window, groupings, agent })
}
