//! Refusals of the core in the words of the plain world.

use baton_core::{HandoffStatus, Obstacle, Rejection, Text, Verdict};

use super::difference::status_of;
use crate::plain::{reply::Refusal, rules::RULES};

pub(crate) fn refusal(rejection: &Rejection) -> Refusal {
    match rejection {
        Rejection::TaskNotFound { task_id } => Refusal::TaskNotFound { task: task_id.to_string() },
        Rejection::HandoffOfUnknownTask { task_id, verdict } => {
            Refusal::HandoffOfUnknownTask { task: task_id.to_string(), errors: broken_rules(verdict) }
        }
        Rejection::HandoffNotFound { handoff_id } => Refusal::HandoffNotFound { handoff: handoff_id.0.0 },
        Rejection::AgentNotFound { agent_id } => Refusal::AgentNotFound { agent: agent_id.to_string() },
        Rejection::TaskExists { task_id, revision } => {
            Refusal::TaskExists { task: task_id.to_string(), revision: revision.0 }
        }
        Rejection::RequestIdReused { request_id } => {
            Refusal::RequestIdReused { request: request_id.to_string() }
        }
        Rejection::NotOwner { task_id, owner, owner_epoch, agent_id } => Refusal::NotOwner {
            task: task_id.to_string(),
            owner: owner.to_string(),
            epoch: *owner_epoch,
            agent: agent_id.to_string(),
        },
        Rejection::StaleOwner { task_id, owner, owner_epoch, given_epoch } => Refusal::StaleOwner {
            task: task_id.to_string(),
            owner: owner.to_string(),
            epoch: *owner_epoch,
            given: *given_epoch,
        },
        Rejection::WrongTaskStatus { task_id, status, wanted } => Refusal::WrongTaskStatus {
            task: task_id.to_string(),
            status: status_of(*status),
            wanted: status_of(*wanted),
        },
        Rejection::WrongHandoffStatus { handoff_id, status, wanted } => Refusal::WrongHandoffStatus {
            handoff: handoff_id.0.0,
            status: handoff_status(*status),
            wanted: handoff_status(*wanted),
        },
        Rejection::RevisionMismatch { revision, expected, .. } => {
            Refusal::RevisionMismatch { revision: revision.0, expected: expected.0 }
        }
        Rejection::Transfer { from, to, obstacle: Obstacle::Missing(keys) } => {
            Refusal::KeysMissing { from: from.to_string(), to: to.to_string(), keys: texts(keys) }
        }
        Rejection::Transfer { from, to, obstacle: Obstacle::Conflict(keys) } => {
            Refusal::KeysInConflict { from: from.to_string(), to: to.to_string(), keys: texts(keys) }
        }
        Rejection::RuleNotSwitchable { rule } => Refusal::RuleNotSwitchable { rule: rule.name() },
        other => Refusal::Other(other.to_string()),
    }
}

pub(crate) fn broken_rules(verdict: &Verdict) -> Vec<&'static str> {
    let named = |name: &str| RULES.into_iter().find(|rule| *rule == name).unwrap_or("a rule without a name");
    verdict.errors.iter().map(|error| named(error.rule.as_str())).collect()
}

pub(crate) fn handoff_status(status: HandoffStatus) -> &'static str {
    match status {
        HandoffStatus::Initiated => "initiated",
        HandoffStatus::Completed => "completed",
        HandoffStatus::Failed => "failed",
        HandoffStatus::Rejected => "rejected",
        HandoffStatus::Withdrawn => "withdrawn",
    }
}

fn texts(keys: &[Text]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}
