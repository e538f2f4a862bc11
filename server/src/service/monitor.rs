//! `MonitorService`.

use baton_core::HandoffStatus;
use baton_log::ArchiveReader;
use baton_proto::v1::{self, monitor_service_server::MonitorService};
use tonic::{Request, Response, Status};

use super::{
    Api,
    api::concerns,
    from_wire::{self, Check},
    refusal, summary, to_wire,
    verification::{self, Verification},
};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl MonitorService for Api {
    async fn get_summary(&self, request: Request<v1::GetSummaryRequest>) -> Answer<v1::GetSummaryResponse> {
        let (_, extensions, request) = request.into_parts();
        let query = from_wire::summary(&request)?;
        concerns(&extensions, &query.namespace, "");
        let api = self.clone();
        let collect = move |archive: &dyn ArchiveReader| summary::collect(&api, &query, archive);
        let summary = self.engine.namespaces().read_much_of_archive(collect).await;
        summary.map(Response::new).map_err(|error| refusal::archive_unreadable(error).into())
    }

    type VerifyLogStream = Verification;

    async fn verify_log(&self, request: Request<v1::VerifyLogRequest>) -> Answer<Verification> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let one = (!request.namespace.is_empty()).then(|| check.namespace(&request.namespace));
        let one = check.finish(one)?;
        concerns(&extensions, one.as_deref().unwrap_or_default(), "");
        Ok(Response::new(verification::start(self, one)?))
    }

    async fn get_server_info(
        &self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Answer<v1::GetServerInfoResponse> {
        concerns(request.extensions(), "", "");
        let metrics = &self.metrics;
        Ok(Response::new(v1::GetServerInfoResponse {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            log_id: self.engine.log_id().to_string(),
            log_kind: self.engine.log_kind().to_owned(),
            started_at: Some(to_wire::timestamp(self.started_us)),
            commands_committed: metrics.commands_committed.get(),
            handoffs_completed: metrics.handoffs(HandoffStatus::Completed).get(),
            commits: metrics.commits.get(),
            namespaces: self.engine.namespaces().len() as u64,
        }))
    }
}
