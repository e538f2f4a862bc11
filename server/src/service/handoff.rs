//! `HandoffService`; what watching is stands in `watch`.

use std::sync::Arc;

use baton_core::{Handoff, HandoffId, Rejection, Revision, State};
use baton_log::ArchiveReader;
use baton_proto::v1::{self, handoff_service_server::HandoffService};
use tonic::{Extensions, Request, Response, Status, body::Body};

use super::{
    Api,
    api::concerns,
    batch,
    from_wire::{self, Asked, BatchHandOff, Check, HandOff, HandoffQuery},
    page::Page,
    refusal, to_wire, watch,
};
use crate::{
    engine::{Namespace, archived},
    own_body::{Frame, NoMessages, OwnBody},
    status::Refusal,
};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl HandoffService for Api {
    async fn hand_off(&self, request: Request<v1::HandOffRequest>) -> Answer<v1::HandOffResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::hand_off(HandOff::from(&request), Check::new(), self.now_us())?;
        drop(request);
        Ok(OwnBody::message(self.answer_hand_off(&extensions, asked).await?))
    }

    async fn batch_hand_off(
        &self,
        request: Request<v1::BatchHandOffRequest>,
    ) -> Answer<v1::BatchHandOffResponse> {
        let (_, extensions, request) = request.into_parts();
        let batch = batch::hand_offs(BatchHandOff::from(&request), self.now_us())?;
        drop(request);
        Ok(OwnBody::message(batch::hand_off(self, &extensions, batch).await))
    }

    async fn initiate_handoff(
        &self,
        request: Request<v1::InitiateHandoffRequest>,
    ) -> Answer<v1::InitiateHandoffResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::initiate_handoff(&request, self.now_us())?;
        let (namespace, handoff, task) = self.commit_handoff(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::handoff_answer(&namespace, &handoff, &task)))
    }

    async fn execute_handoff(
        &self,
        request: Request<v1::ExecuteHandoffRequest>,
    ) -> Answer<v1::ExecuteHandoffResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::execute_handoff(&request, self.now_us())?;
        let (namespace, handoff, task) = self.commit_handoff(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::handoff_answer(&namespace, &handoff, &task)))
    }

    async fn withdraw_handoff(
        &self,
        request: Request<v1::WithdrawHandoffRequest>,
    ) -> Answer<v1::WithdrawHandoffResponse> {
        let (_, extensions, request) = request.into_parts();
        let asked = from_wire::withdraw_handoff(request, self.now_us())?;
        let (namespace, handoff, task) = self.commit_handoff(&extensions, asked).await?;
        Ok(OwnBody::message(to_wire::handoff_answer(&namespace, &handoff, &task)))
    }

    async fn get_handoff(&self, request: Request<v1::GetHandoffRequest>) -> Answer<v1::GetHandoffResponse> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let namespace = check.namespace(&request.namespace);
        let handoff_id = from_wire::handoff_id(&mut check, &request.handoff_id);
        check.finish(())?;
        concerns(&extensions, &namespace, "");
        let namespaces = self.engine.namespaces();
        let handoff = match namespaces.get(&namespace) {
            Some(namespace) => namespaces.handoff(&namespace, handoff_id).await,
            None => Ok(None),
        };
        let handoff = handoff.map_err(refusal::archive_unreadable)?;
        let handoff =
            handoff.ok_or_else(|| refusal::of_rejection(&Rejection::HandoffNotFound { handoff_id }))?;
        Ok(Response::new(v1::GetHandoffResponse { handoff: Some(to_wire::handoff(&handoff)) }))
    }

    async fn list_handoffs(
        &self,
        request: Request<v1::ListHandoffsRequest>,
    ) -> Answer<v1::ListHandoffsResponse> {
        let (_, extensions, request) = request.into_parts();
        let query = from_wire::list_handoffs(&request)?;
        let status = request.status.to_string();
        let words = ["ListHandoffs", &query.namespace, &request.task_id, &request.agent_id, &status];
        let listing = self.listing(&words);
        let last = listing.last_number(&request.page_token)?;
        let last = last.map(|revision| HandoffId(Revision(revision)));
        concerns(&extensions, &query.namespace, &request.task_id);
        let (namespace, page_size, query) = (Arc::clone(&query.namespace), query.page_size, Arc::new(query));
        let look = move |handoff: Arc<Handoff>| {
            let (size, place) = (handoff_bytes(&handoff), handoff.id.0.to_string());
            (matches(&query, &handoff).then_some(handoff), size, place)
        };
        let of_state = |state: &State| Page::of(state.handoffs_after(last), page_size, &look);
        let next = |namespace: &Namespace, archive: &dyn ArchiveReader, after: Option<&HandoffId>, count| {
            archived::handoffs_after(namespace, archive, after.copied(), count)
        };
        let page = self.page(&namespace, page_size, last, of_state, next, look.clone()).await?;
        Ok(Response::new(v1::ListHandoffsResponse {
            handoffs: page.items.iter().map(|handoff| to_wire::handoff(handoff)).collect(),
            next_page_token: page.more_after.map(|last| listing.token(&last)).unwrap_or_default(),
        }))
    }

    type WatchHandoffsStream = NoMessages;

    async fn watch_handoffs(&self, request: Request<v1::WatchHandoffsRequest>) -> Answer<NoMessages> {
        let (_, extensions, request) = request.into_parts();
        let query = from_wire::watch_handoffs(request)?;
        let watch = watch::start(self, &extensions, query).await?;
        Ok(OwnBody::stream(Body::new(watch)))
    }
}

impl Api {
    /// The answer to `HandOff`.
    pub(super) async fn answer_hand_off(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<Frame, Refusal> {
        let (namespace, handoff, task) = self.commit_handoff(extensions, asked).await?;
        Ok(to_wire::handoff_answer(&namespace, &handoff, &task))
    }
}

fn matches(query: &HandoffQuery, handoff: &Handoff) -> bool {
    let with_agent = |agent: &str| *handoff.from == *agent || *handoff.to == *agent;
    !query.matches_none
        && query.task.as_deref().is_none_or(|task| task == handoff.task_id.as_str())
        && query.agent.as_deref().is_none_or(with_agent)
        && query.status.is_none_or(|status| status == handoff.status)
}

fn handoff_bytes(handoff: &Handoff) -> usize {
    let context = handoff.context.as_ref().map_or(0, |context| context.size());
    context + handoff.reason.len() + handoff.error.len() + 512
}
