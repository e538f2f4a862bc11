//! `MonitorService`.

use std::{pin::Pin, sync::Arc};

use baton_core::HandoffStatus;
use baton_log::{Head, LogId, LogReader, ReadError, ReadLimit, Record, verify};
use baton_proto::v1::{self, ErrorReason, monitor_service_server::MonitorService};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::{Code, Request, Response, Status};

use super::{
    Api,
    api::concerns,
    from_wire::{self, Check},
    refusal, summary, to_wire,
};
use crate::{shutdown::ShutdownSignal, status::Refusal};

/// Messages of a verification that wait for a slow reader.
const VERIFY_MESSAGES_MAX: usize = 16;

type Answer<T> = Result<Response<T>, Status>;
type Verification = Pin<Box<dyn Stream<Item = Result<v1::VerifyLogResponse, Status>> + Send>>;

#[tonic::async_trait]
impl MonitorService for Api {
    async fn get_summary(&self, request: Request<v1::GetSummaryRequest>) -> Answer<v1::GetSummaryResponse> {
        let (_, extensions, request) = request.into_parts();
        let query = from_wire::summary(&request)?;
        concerns(&extensions, &query.namespace, "");
        let api = self.clone();
        let summary = tokio::task::spawn_blocking(move || summary::collect(&api, &query)).await;
        summary.map(Response::new).map_err(|_| panicked().into())
    }

    type VerifyLogStream = Verification;

    async fn verify_log(&self, request: Request<v1::VerifyLogRequest>) -> Answer<Verification> {
        let (_, extensions, request) = request.into_parts();
        let mut check = Check::new();
        let one = (!request.namespace.is_empty()).then(|| check.namespace(&request.namespace));
        let one = check.finish(one)?;
        concerns(&extensions, one.as_deref().unwrap_or_default(), "");
        let mut reader = self.verifier.clone().try_lock_owned().map_err(|_| {
            refusal::too_many(
                "verifications",
                1,
                "the log is being verified already; wait for that to end".into(),
            )
        })?;
        let (sender, receiver) = mpsc::channel(VERIFY_MESSAGES_MAX);
        let shutdown = self.shutdown.clone();
        tokio::task::spawn_blocking(move || verify_all(&mut reader, one.as_deref(), &sender, &shutdown));
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
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

type Sender = mpsc::Sender<Result<v1::VerifyLogResponse, Status>>;

/// Walks one namespace or all and tells how far it is. Blocks; ends early if nobody listens.
fn verify_all(
    reader: &mut OwnedMutexGuard<Box<dyn LogReader>>,
    one: Option<&str>,
    sender: &Sender,
    shutdown: &ShutdownSignal,
) {
    let names = match one {
        Some(name) => Ok(vec![name.into()]),
        None => reader.heads().map(|heads| heads.into_iter().map(|head| head.namespace).collect()),
    };
    let verified = names.map_err(damaged).and_then(|names: Vec<Arc<str>>| {
        names.iter().try_for_each(|name| verify_one(&mut ***reader, name, sender, shutdown))
    });
    if let Err(refusal) = verified {
        // A caller that has left needs no answer.
        let _ = sender.blocking_send(Err(refusal.into()));
    }
}

fn verify_one(
    reader: &mut dyn LogReader,
    name: &str,
    sender: &Sender,
    shutdown: &ShutdownSignal,
) -> Result<(), Refusal> {
    let is_left = || shutdown.is_stopping() || sender.is_closed();
    let verified = verify(&Leaving { reader, is_left: &is_left }, name, |progress| {
        // Progress that finds no room is left out: the next says more.
        let _ = sender.try_send(Ok(v1::VerifyLogResponse {
            namespace: name.to_owned(),
            verified_revision: progress.revision,
            head_revision: progress.newest,
            records: progress.records,
            ..Default::default()
        }));
    });
    if is_left() {
        return Err(refusal::stopping("the verification was broken off"));
    }
    let verified = verified.map_err(damaged)?;
    let done = v1::VerifyLogResponse {
        namespace: name.to_owned(),
        verified_revision: verified.revision,
        head_revision: verified.revision,
        records: verified.records,
        hash: verified.hash.to_string(),
        done: true,
    };
    sender.blocking_send(Ok(done)).map_err(|_| refusal::stopping("the verification was broken off"))
}

/// A reader that reads no further once the one it reads for has left: a walk over a large log takes minutes.
struct Leaving<'a, F> {
    // Exclusive, since a reader may go to another thread but not be shared between two.
    reader: &'a mut dyn LogReader,
    is_left: &'a F,
}

impl<F: Fn() -> bool + Sync> LogReader for Leaving<'_, F> {
    fn id(&self) -> LogId {
        self.reader.id()
    }

    fn kind(&self) -> &'static str {
        self.reader.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.reader.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.reader.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        if (self.is_left)() {
            return Err(ReadError::Io("nobody waits for it any more".into()));
        }
        self.reader.read(namespace, from, limit)
    }
}

fn damaged(error: ReadError) -> Refusal {
    let message = error.to_string();
    match error {
        ReadError::Damaged(damage) => Refusal::new(Code::DataLoss, ErrorReason::LogDamaged, message)
            .metadata("namespace", damage.namespace)
            .metadata("revision", damage.revision),
        ReadError::Compacted { .. } | ReadError::Io(_) => refusal::log_unreadable(message),
    }
}

fn panicked() -> Refusal {
    Refusal::new(Code::Internal, ErrorReason::Internal, "the summary could not be made; please report this")
}
