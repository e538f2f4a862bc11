//! A server that was broken on purpose: it stands before a real one, passes every call on, and spoils what watches are told on the way back.

use std::{net::SocketAddr, sync::Arc};

use baton_proto::v1::{
    self, WatchHandoffsRequest, WatchHandoffsResponse,
    handoff_service_server::{HandoffService, HandoffServiceServer},
};
use baton_server::{
    metrics::Metrics, readiness::Readiness, routes::Routes, shutdown::Shutdown, transport::Transport,
};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    super::{fact::Fact, wanted::wanted},
    fault::Fault,
};
use crate::harness::{Clients, config};

/// Most events of one message of what there was when a stream began.
const MESSAGE_EVENTS: usize = 4;

/// A running server with a fault.
pub(super) struct BrokenServer {
    pub(super) address: SocketAddr,
    shutdown: Shutdown,
    serving: JoinHandle<()>,
}

impl BrokenServer {
    /// Stands before the server that `real` calls.
    pub(super) async fn start(real: Clients, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shutdown = Shutdown::new();
        let transport = Transport {
            routes: Routes::new().with(HandoffServiceServer::new(Broken { real, fault })),
            metrics: Arc::new(Metrics::new()),
            readiness: Readiness::starting(),
        };
        let signal = shutdown.signal();
        let serving = tokio::spawn(async move {
            transport.serve(listener, &config(), signal).await;
        });
        Self { address, shutdown, serving }
    }

    pub(super) async fn stop(self) {
        self.shutdown.begin();
        crate::harness::in_time(self.serving).await.expect("it stops");
    }
}

/// The service in between.
struct Broken {
    real: Clients,
    fault: Fault,
}

#[tonic::async_trait]
impl HandoffService for Broken {
    type WatchHandoffsStream = ReceiverStream<Result<WatchHandoffsResponse, Status>>;

    async fn watch_handoffs(
        &self,
        request: Request<WatchHandoffsRequest>,
    ) -> Result<Response<Self::WatchHandoffsStream>, Status> {
        let (mut real, fault, asked) = (self.real.clone(), self.fault, request.into_inner());
        let head = real.head(&asked.namespace).await;
        if let Some(refusal) = fault.refusal(&asked, head) {
            return Err(refusal);
        }
        let mut request = asked.clone();
        fault.strike_request(&mut request, head);
        let mut incoming = real.watch(request).await?;
        let mut messages = regrouped(backlog(&mut incoming, head).await?, &asked, fault);
        fault.strike_messages(&mut messages, asked.start_revision > 1);
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            for message in messages {
                if sender.send(Ok(message)).await.is_err() {
                    return;
                }
            }
            let end = loop {
                match incoming.message().await {
                    Ok(Some(message)) => {
                        if sender.send(Ok(message)).await.is_err() {
                            return;
                        }
                    }
                    Ok(None) => return,
                    Err(status) => break status,
                }
            };
            if let Some(end) = fault.strike_end(&end) {
                // The watcher may have left.
                let _ = sender.send(Err(end)).await;
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn hand_off(
        &self,
        request: Request<v1::HandOffRequest>,
    ) -> Result<Response<v1::HandOffResponse>, Status> {
        self.real.clone().handoffs.hand_off(request).await
    }

    async fn batch_hand_off(
        &self,
        request: Request<v1::BatchHandOffRequest>,
    ) -> Result<Response<v1::BatchHandOffResponse>, Status> {
        self.real.clone().handoffs.batch_hand_off(request).await
    }

    async fn initiate_handoff(
        &self,
        request: Request<v1::InitiateHandoffRequest>,
    ) -> Result<Response<v1::InitiateHandoffResponse>, Status> {
        self.real.clone().handoffs.initiate_handoff(request).await
    }

    async fn execute_handoff(
        &self,
        request: Request<v1::ExecuteHandoffRequest>,
    ) -> Result<Response<v1::ExecuteHandoffResponse>, Status> {
        self.real.clone().handoffs.execute_handoff(request).await
    }

    async fn withdraw_handoff(
        &self,
        request: Request<v1::WithdrawHandoffRequest>,
    ) -> Result<Response<v1::WithdrawHandoffResponse>, Status> {
        self.real.clone().handoffs.withdraw_handoff(request).await
    }

    async fn get_handoff(
        &self,
        request: Request<v1::GetHandoffRequest>,
    ) -> Result<Response<v1::GetHandoffResponse>, Status> {
        self.real.clone().handoffs.get_handoff(request).await
    }

    async fn list_handoffs(
        &self,
        request: Request<v1::ListHandoffsRequest>,
    ) -> Result<Response<v1::ListHandoffsResponse>, Status> {
        self.real.clone().handoffs.list_handoffs(request).await
    }
}

/// What the real server says up to and with `head`.
async fn backlog(
    incoming: &mut Streaming<WatchHandoffsResponse>,
    head: u64,
) -> Result<Vec<WatchHandoffsResponse>, Status> {
    let mut messages: Vec<WatchHandoffsResponse> = Vec::new();
    while messages.last().is_none_or(|message| message.revision < head) {
        messages
            .push(incoming.message().await?.ok_or_else(|| Status::internal("the real server fell silent"))?);
    }
    Ok(messages)
}

/// The same in messages of several events, however the server cut it; of what was not asked for, one event more if that is the fault.
fn regrouped(
    messages: Vec<WatchHandoffsResponse>,
    asked: &WatchHandoffsRequest,
    fault: Fault,
) -> Vec<WatchHandoffsResponse> {
    let head = messages.last().expect("there is a message").clone();
    let mut slips = fault == Fault::LetThrough && asked.start_revision == 1;
    let mut wants =
        |event: &v1::HandoffEvent| wanted(asked, &Fact::of_event(event)) || std::mem::take(&mut slips);
    let (first, rest) = messages.split_first().expect("there is a message");
    let events: Vec<_> =
        rest.iter().flat_map(|message| &message.events).filter(|event| wants(event)).collect();
    let mut regrouped = vec![first.clone()];
    regrouped.extend(events.chunks(MESSAGE_EVENTS).map(|events| WatchHandoffsResponse {
        events: events.iter().map(|event| (*event).clone()).collect(),
        revision: events[events.len() - 1].revision,
        ..head.clone()
    }));
    regrouped.last_mut().expect("there is a message").revision = head.revision;
    regrouped
}
