//! A HandoffService that answers with a prepared response and keeps nothing: what a call costs without Baton.
//!
//! Knows nothing of tasks, states or logs.

use std::net::{Ipv4Addr, SocketAddr};

use baton_proto::v1::{
    self, HandOffRequest, HandOffResponse,
    handoff_service_server::{HandoffService, HandoffServiceServer},
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tokio_stream::Empty;
use tonic::{
    Request, Response, Status,
    transport::server::{Server, TcpIncoming},
};

/// A running echo server on loopback; it stops when told, or when dropped.
pub(super) struct EchoServer {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl EchoServer {
    /// Starts to answer every HandOff with `response`, on a free port.
    ///
    /// # Errors
    /// No port can be opened.
    pub(super) async fn start(response: HandOffResponse) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = HandoffServiceServer::new(Echo { response });
        let serving = Server::builder().serve_with_incoming_shutdown(service, incoming, async {
            // A sender that was dropped means stop, too.
            let _stop_either_way = stopped.await;
        });
        Ok(Self { addr, stop, served: tokio::spawn(serving) })
    }

    /// Where it listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Stops it, once its connections are closed.
    pub(super) async fn stop(self) {
        drop(self.stop);
        let _nothing_to_save = self.served.await;
    }
}

struct Echo {
    response: HandOffResponse,
}

/// The one stream that the service declares, of which there is none here.
type NoEvents = Empty<Result<v1::WatchHandoffsResponse, Status>>;

fn absent<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("the echo only answers HandOff"))
}

#[tonic::async_trait]
impl HandoffService for Echo {
    type WatchHandoffsStream = NoEvents;

    async fn hand_off(&self, _request: Request<HandOffRequest>) -> Result<Response<HandOffResponse>, Status> {
        Ok(Response::new(self.response.clone()))
    }

    async fn batch_hand_off(
        &self,
        _request: Request<v1::BatchHandOffRequest>,
    ) -> Result<Response<v1::BatchHandOffResponse>, Status> {
        absent()
    }

    async fn initiate_handoff(
        &self,
        _request: Request<v1::InitiateHandoffRequest>,
    ) -> Result<Response<v1::InitiateHandoffResponse>, Status> {
        absent()
    }

    async fn execute_handoff(
        &self,
        _request: Request<v1::ExecuteHandoffRequest>,
    ) -> Result<Response<v1::ExecuteHandoffResponse>, Status> {
        absent()
    }

    async fn withdraw_handoff(
        &self,
        _request: Request<v1::WithdrawHandoffRequest>,
    ) -> Result<Response<v1::WithdrawHandoffResponse>, Status> {
        absent()
    }

    async fn get_handoff(
        &self,
        _request: Request<v1::GetHandoffRequest>,
    ) -> Result<Response<v1::GetHandoffResponse>, Status> {
        absent()
    }

    async fn list_handoffs(
        &self,
        _request: Request<v1::ListHandoffsRequest>,
    ) -> Result<Response<v1::ListHandoffsResponse>, Status> {
        absent()
    }

    async fn watch_handoffs(
        &self,
        _request: Request<v1::WatchHandoffsRequest>,
    ) -> Result<Response<NoEvents>, Status> {
        absent()
    }
}
