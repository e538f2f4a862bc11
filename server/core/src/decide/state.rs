//! Decides how an agent's state changes outside of hand-offs.

use std::sync::Arc;

use crate::{
    AgentId, AgentState, Draft, Event, Rejection, Revision, Transfer,
    command::{TransferState, UpdateState},
    event::{StateTransferred, StateUpdated},
    knowledge::Knowledge,
};

pub(super) fn update(draft: &Draft<'_>, update: &UpdateState) -> Result<Event, Rejection> {
    let present = draft.agent(&update.agent_id);
    let revision = present.map_or(Revision(0), |state| state.revision);
    if let Some(expected) = update.expected_revision.filter(|expected| *expected != revision) {
        let what = format!("the state of {}", update.agent_id);
        return Err(Rejection::RevisionMismatch { what, revision, expected });
    }
    let knowledge = present.map_or_else(Knowledge::default, |state| state.knowledge.clone());
    knowledge
        .updated(update.mode, &update.update)
        .within_limits()
        .map_err(|obstacle| Rejection::State { agent_id: update.agent_id.clone(), obstacle })?;
    Ok(Event::StateUpdated(StateUpdated {
        agent_id: update.agent_id.clone(),
        mode: update.mode,
        update: update.update.clone(),
    }))
}

pub(super) fn transfer(draft: &Draft<'_>, transfer: &TransferState) -> Result<Event, Rejection> {
    let sender = known_agent(draft, &transfer.from)?;
    let receiver = draft.agent(&transfer.to).map_or_else(Knowledge::default, |state| state.knowledge.clone());
    receiver.receiving(&sender.knowledge, &transfer.spec).and_then(Knowledge::within_limits).map_err(
        |obstacle| Rejection::Transfer { from: transfer.from.clone(), to: transfer.to.clone(), obstacle },
    )?;
    Ok(Event::StateTransferred(StateTransferred {
        from: transfer.from.clone(),
        to: transfer.to.clone(),
        transfer: Transfer { spec: transfer.spec.clone(), from_revision: sender.revision },
    }))
}

fn known_agent<'a>(draft: &'a Draft<'_>, id: &AgentId) -> Result<&'a Arc<AgentState>, Rejection> {
    draft.agent(id).ok_or_else(|| Rejection::AgentNotFound { agent_id: id.clone() })
}
