//! Agents' states, their histories, and what moved between them.

use baton_core::{
    AgentId, AgentState, ConflictPolicy, StateChange, StateChangeKind, StateWritten, Transfer, TransferSpec,
    UpdateMode,
};
use baton_proto::v1;

use super::{
    timestamp,
    value::{knowledge, object},
};

pub(in crate::service) fn agent_state(agent_id: &str, change: &StateChange) -> v1::AgentState {
    let transferred_from = match &change.how {
        StateChangeKind::Transferred { from, .. } => from.to_string(),
        StateChangeKind::Updated { .. } => String::new(),
    };
    v1::AgentState {
        agent_id: agent_id.to_owned(),
        state: Some(knowledge(&change.after)),
        revision: change.revision.0,
        updated_at: Some(timestamp(change.time_us)),
        transferred_from,
    }
}

/// The present state, as it is kept apart from its history.
pub(in crate::service) fn present_state(state: &AgentState) -> v1::AgentState {
    v1::AgentState {
        agent_id: state.agent_id.to_string(),
        state: Some(knowledge(&state.knowledge)),
        revision: state.revision.0,
        updated_at: Some(timestamp(state.updated_us)),
        transferred_from: name(state.transferred_from.as_ref()),
    }
}

/// A receipt: the state without its content.
pub(in crate::service) fn state_written(written: &StateWritten) -> v1::AgentState {
    v1::AgentState {
        agent_id: written.agent_id.to_string(),
        state: None,
        revision: written.revision.0,
        updated_at: Some(timestamp(written.updated_us)),
        transferred_from: name(written.transferred_from.as_ref()),
    }
}

pub(in crate::service) fn state_entry(change: &StateChange) -> v1::StateHistoryEntry {
    let told = v1::StateHistoryEntry {
        revision: change.revision.0,
        timestamp: Some(timestamp(change.time_us)),
        ..Default::default()
    };
    match &change.how {
        StateChangeKind::Updated { mode, update } => v1::StateHistoryEntry {
            r#type: match mode {
                UpdateMode::Merge => v1::StateChangeType::Merged,
                UpdateMode::Replace => v1::StateChangeType::Replaced,
                UpdateMode::Patch => v1::StateChangeType::Patched,
            }
            .into(),
            state: Some(object(update)),
            ..told
        },
        StateChangeKind::Transferred { from, handoff } => v1::StateHistoryEntry {
            r#type: v1::StateChangeType::Transferred.into(),
            state: Some(knowledge(&change.after)),
            transferred_from: from.to_string(),
            handoff_id: handoff.map(|id| id.to_string()).unwrap_or_default(),
            ..told
        },
    }
}

pub(in crate::service) fn transfer(from: &AgentId, transfer: &Transfer) -> v1::StateTransfer {
    v1::StateTransfer {
        spec: Some(transfer_spec(&transfer.spec)),
        from_agent: from.to_string(),
        from_revision: transfer.from_revision.0,
    }
}

fn transfer_spec(spec: &TransferSpec) -> v1::TransferSpec {
    v1::TransferSpec {
        scope: scope(spec).into(),
        keys: spec.keys.iter().flatten().map(ToString::to_string).collect(),
        on_conflict: policy(spec.on_conflict).into(),
    }
}

pub(super) fn scope(spec: &TransferSpec) -> v1::TransferScope {
    match (spec.enabled, &spec.keys) {
        (false, _) => v1::TransferScope::None,
        (true, Some(_)) => v1::TransferScope::Some,
        (true, None) => v1::TransferScope::All,
    }
}

pub(super) fn policy(policy: ConflictPolicy) -> v1::ConflictPolicy {
    match policy {
        ConflictPolicy::Overwrite => v1::ConflictPolicy::Overwrite,
        ConflictPolicy::Keep => v1::ConflictPolicy::Keep,
        ConflictPolicy::Fail => v1::ConflictPolicy::Fail,
    }
}

fn name(agent: Option<&AgentId>) -> String {
    agent.map(ToString::to_string).unwrap_or_default()
}
