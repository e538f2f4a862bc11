//! `StateService`.

use std::sync::Arc;

use baton_core::{
    AgentRecord, Answer as Committed, Rejection, Revision, StateChange, StateChangeKind, StateWritten,
};
use baton_proto::v1::{self, ErrorReason, state_service_server::StateService};
use tonic::{Code, Extensions, Request, Response, Status};

use super::{
    Api,
    api::unexpected,
    from_wire::{self, Asked, Check},
    page::Page,
    refusal, to_wire,
};
use crate::status::Refusal;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl StateService for Api {
    async fn update_agent_state(
        &self,
        request: Request<v1::UpdateAgentStateRequest>,
    ) -> Answer<v1::UpdateAgentStateResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::update_agent_state(request, self.now_us())?;
        let written = self.commit_state(&extensions, asked).await?;
        let agent_state = Some(to_wire::state_written(&written));
        Ok(Response::new(v1::UpdateAgentStateResponse { agent_state }))
    }

    async fn get_agent_state(
        &self,
        request: Request<v1::GetAgentStateRequest>,
    ) -> Answer<v1::GetAgentStateResponse> {
        let (_, extensions, request) = request.into_parts();
        let (namespace, agent_id) = from_wire::one(&request.namespace, "agent_id", &request.agent_id)?;
        let at = Revision(request.at_revision);
        let found = self.read(&extensions, &namespace, "", |state| {
            if at > state.head() {
                return Err(in_future(at, state.head()));
            }
            let record = state.agent(&agent_id).ok_or_else(|| agent_not_found(&agent_id))?;
            if at.0 == 0 { Ok(Found::Present(Arc::clone(&record.state))) } else { state_at(record, at) }
        });
        let agent_state = match found? {
            Found::Present(state) => to_wire::present_state(&state),
            Found::Past(change) => to_wire::agent_state(&agent_id, &change),
        };
        Ok(Response::new(v1::GetAgentStateResponse { agent_state: Some(agent_state) }))
    }

    async fn get_state_history(
        &self,
        request: Request<v1::GetStateHistoryRequest>,
    ) -> Answer<v1::GetStateHistoryResponse> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let namespace = check.namespace(&request.namespace);
        check.id("agent_id", &request.agent_id);
        let page_size = check.page_size(request.page_size);
        check.finish(())?;
        let listing = self.listing(&["GetStateHistory", &namespace, &request.agent_id]);
        let last = listing.last_number(&request.page_token)?.unwrap_or(0);
        let found = self.read(&extensions, &namespace, "", |state| {
            state.agent(&request.agent_id).map(|record| {
                let changes = record.history.entries();
                let start = changes.partition_point(|change| change.revision.0 <= last);
                let page = Page::of(changes.range(start..), page_size, |change| {
                    (Some(change.clone()), change_bytes(change), change.revision.to_string())
                });
                (page, record.history.dropped())
            })
        });
        let (page, dropped_count) = found.ok_or_else(|| agent_not_found(&request.agent_id))?;
        Ok(Response::new(v1::GetStateHistoryResponse {
            entries: page.items.iter().map(to_wire::state_entry).collect(),
            next_page_token: page.more_after.map(|last| listing.token(&last)).unwrap_or_default(),
            dropped_count,
        }))
    }

    async fn transfer_state(
        &self,
        request: Request<v1::TransferStateRequest>,
    ) -> Answer<v1::TransferStateResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::transfer_state(request, self.now_us())?;
        let written = self.commit_state(&extensions, asked).await?;
        let moved = written.transferred_from.as_ref().zip(written.transfer.as_ref());
        Ok(Response::new(v1::TransferStateResponse {
            agent_state: Some(to_wire::state_written(&written)),
            transfer: moved.map(|(from, transfer)| to_wire::transfer(from, transfer)),
        }))
    }
}

impl Api {
    async fn commit_state(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<Arc<StateWritten>, Refusal> {
        match self.commit(extensions, asked).await? {
            (_, Committed::State(written)) => Ok(written),
            (_, other) => Err(unexpected(&other)),
        }
    }
}

enum Found {
    Present(Arc<baton_core::AgentState>),
    Past(StateChange),
}

/// The state as it was right after `at`, if that is still kept.
fn state_at(record: &AgentRecord, at: Revision) -> Result<Found, Refusal> {
    let changes = record.history.entries();
    let after = changes.partition_point(|change| change.revision <= at);
    if after > 0 {
        return Ok(Found::Past(changes[after - 1].clone()));
    }
    let agent_id = &record.state.agent_id;
    if record.history.dropped() == 0 {
        let message = format!("agent {agent_id} had no state at revision {at}");
        return Err(Refusal::new(Code::NotFound, ErrorReason::AgentNotFound, message.clone())
            .metadata("agent_id", agent_id)
            .resource("agent", agent_id.as_str(), message));
    }
    let oldest = changes.front().map_or(record.state.revision, |change| change.revision);
    let newest = record.state.revision;
    let message = format!(
        "the state of {agent_id} at revision {at} is no longer kept; the oldest kept is of revision {oldest}"
    );
    Err(out_of_range(ErrorReason::RevisionCompacted, message, oldest, newest))
}

fn in_future(at: Revision, head: Revision) -> Refusal {
    let message = format!("revision {at} does not exist yet; the newest is {head}");
    out_of_range(ErrorReason::RevisionInFuture, message, Revision(1), head)
}

/// The refusal of a revision that is not, or no longer, there.
pub(super) fn out_of_range(
    reason: ErrorReason,
    message: String,
    oldest: Revision,
    newest: Revision,
) -> Refusal {
    Refusal::new(Code::OutOfRange, reason, message)
        .metadata("oldest_revision", oldest)
        .metadata("newest_revision", newest)
}

fn agent_not_found(agent_id: &str) -> Refusal {
    refusal::of_rejection(&Rejection::AgentNotFound { agent_id: agent_id.into() })
}

fn change_bytes(change: &StateChange) -> usize {
    match &change.how {
        StateChangeKind::Updated { update, .. } => update.size() + 256,
        StateChangeKind::Transferred { .. } => change.after.size() + 256,
    }
}
