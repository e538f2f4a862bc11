//! A server with one small service on loopback, and a raw HTTP/2 caller.
//!
//! The caller is raw so that nothing between the test and the wire adds deadlines or repairs mistakes.

use std::{future::pending, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use baton_proto::v1::{
    self,
    monitor_service_server::{MonitorService, MonitorServiceServer},
};
use baton_server::{
    Call,
    config::Config,
    metrics::Metrics,
    readiness::Readiness,
    routes::Routes,
    shutdown::{Shutdown, ShutdownSignal},
    status::Refusal,
    transport::{Stopped, Transport},
};
use http::HeaderMap;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};
use tonic::{
    Code, Request, Response, Status,
    transport::{Channel, Endpoint},
};

/// Longest wait for something that should happen at once; the tests fail rather than hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const GET_SERVER_INFO: &str = "/baton.v1.MonitorService/GetServerInfo";
pub(crate) const GET_SUMMARY: &str = "/baton.v1.MonitorService/GetSummary";
pub(crate) const VERIFY_LOG: &str = "/baton.v1.MonitorService/VerifyLog";

/// The namespace whose streams do not end when the server stops.
pub(crate) const STUBBORN: &str = "stubborn";

/// The namespace whose summary panics.
pub(crate) const PANICKING: &str = "panicking";

/// GetServerInfo answers at once, with the time that is left as its version; GetSummary answers when it is released; VerifyLog sends one
/// message and stays open.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub(crate) release: Arc<Notify>,
    /// Told `begun` when GetSummary begins and `left` when it is let go.
    pub(crate) events: mpsc::UnboundedSender<&'static str>,
    signal: ShutdownSignal,
}

struct TellsWhenLeft(mpsc::UnboundedSender<&'static str>);

impl Drop for TellsWhenLeft {
    fn drop(&mut self) {
        let _ = self.0.send("left");
    }
}

fn time_left<T>(request: &Request<T>) -> String {
    match Call::of(request.extensions()).unwrap().deadline() {
        Some(deadline) => deadline.remaining().as_millis().to_string(),
        None => "none".to_owned(),
    }
}

#[tonic::async_trait]
impl MonitorService for Probe {
    async fn get_summary(
        &self,
        request: Request<v1::GetSummaryRequest>,
    ) -> Result<Response<v1::GetSummaryResponse>, Status> {
        Call::of(request.extensions()).unwrap().concerns(&request.get_ref().namespace, "t-17");
        assert_ne!(request.get_ref().namespace, PANICKING, "as the test wants it");
        let _ = self.events.send("begun");
        let _tells = TellsWhenLeft(self.events.clone());
        self.release.notified().await;
        Ok(Response::new(v1::GetSummaryResponse::default()))
    }

    type VerifyLogStream = Pin<Box<dyn Stream<Item = Result<v1::VerifyLogResponse, Status>> + Send>>;

    async fn verify_log(
        &self,
        request: Request<v1::VerifyLogRequest>,
    ) -> Result<Response<Self::VerifyLogStream>, Status> {
        let hash = time_left(&request);
        let stubborn = request.get_ref().namespace == STUBBORN;
        let mut signal = self.signal.clone();
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            let _ = sender.send(Ok(v1::VerifyLogResponse { hash, ..Default::default() })).await;
            if stubborn {
                pending::<()>().await;
            }
            signal.stopping().await;
            let reason = v1::ErrorReason::ShuttingDown;
            let _ = sender.send(Err(Refusal::new(Code::Unavailable, reason, "stopping").into_status())).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn get_server_info(
        &self,
        request: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::GetServerInfoResponse>, Status> {
        let version = time_left(&request);
        Ok(Response::new(v1::GetServerInfoResponse { version, ..Default::default() }))
    }
}

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Readiness,
    pub(crate) release: Arc<Notify>,
    pub(crate) events: mpsc::UnboundedReceiver<&'static str>,
    serving: JoinHandle<Stopped>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new();
        let (sender, events) = mpsc::unbounded_channel();
        let release = Arc::new(Notify::new());
        let probe = Probe { release: Arc::clone(&release), events: sender, signal: shutdown.signal() };
        let metrics = Arc::new(Metrics::new());
        let readiness = Readiness::starting();
        readiness.serve();
        let service =
            MonitorServiceServer::new(probe).max_decoding_message_size(config.message_bytes_max as usize);
        let transport = Transport {
            routes: Routes::new().with(service),
            metrics: Arc::clone(&metrics),
            readiness: readiness.clone(),
        };
        let signal = shutdown.signal();
        let serving = tokio::spawn(async move { transport.serve(listener, &config, signal).await });
        Self { address, shutdown, metrics, readiness, release, events, serving }
    }

    /// A channel for generated clients.
    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn caller(&self) -> Caller {
        Caller::connect(self.address).await
    }

    /// Waits for the server to end by itself.
    pub(crate) async fn ended(self) -> Stopped {
        in_time(self.serving).await.unwrap()
    }

    /// Waits until `line` is among the metrics: what is counted after an answer may be seen a moment after it.
    pub(crate) async fn counts(&self, line: &str) {
        in_time(async {
            while !self.metrics.encode().lines().any(|present| present == line) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes too long")
}

/// A connection that sends exactly what it is told to.
#[derive(Clone)]
pub(crate) struct Caller {
    requests: h2::client::SendRequest<hyper::body::Bytes>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) body: Vec<u8>,
    pub(crate) status: Status,
}

impl Reply {
    /// The one message of the body.
    pub(crate) fn message<M: prost::Message + Default>(&self) -> M {
        assert_eq!(self.status.code(), Code::Ok, "{:?}", self.status);
        M::decode(&self.body[5..]).unwrap()
    }
}

impl Caller {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        Self { requests }
    }

    /// Calls `path` with a message, optionally with a `grpc-timeout`, and waits for the end of the answer.
    pub(crate) async fn call(
        &self,
        path: &str,
        timeout: Option<&str>,
        message: &impl prost::Message,
    ) -> Reply {
        self.call_with_bytes(path, timeout, &message.encode_to_vec()).await
    }

    pub(crate) async fn call_with_bytes(&self, path: &str, timeout: Option<&str>, message: &[u8]) -> Reply {
        in_time(self.open(path, timeout, message).await.finish()).await
    }

    /// Calls `path` and returns once the headers of the answer are there.
    pub(crate) async fn open(&self, path: &str, timeout: Option<&str>, message: &[u8]) -> OpenReply {
        let response = in_time(self.send(path, timeout, message).await).await.unwrap();
        let (head, body) = response.into_parts();
        OpenReply { headers: head.headers, body }
    }

    /// Calls `path` and returns the answer to come; dropping it cancels the call.
    pub(crate) async fn send(
        &self,
        path: &str,
        timeout: Option<&str>,
        message: &[u8],
    ) -> h2::client::ResponseFuture {
        let mut request = http::Request::post(format!("http://127.0.0.1{path}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        if let Some(timeout) = timeout {
            request = request.header("grpc-timeout", timeout);
        }
        let mut ready = self.requests.clone().ready().await.unwrap();
        let (response, mut stream) = ready.send_request(request.body(()).unwrap(), false).unwrap();
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        stream.send_data(frame.into(), true).unwrap();
        response
    }
}

/// An answer whose headers are there.
pub(crate) struct OpenReply {
    headers: HeaderMap,
    body: h2::RecvStream,
}

impl OpenReply {
    /// The next message; none at the end.
    pub(crate) async fn next<M: prost::Message + Default>(&mut self) -> Option<M> {
        let frame = in_time(self.body.data()).await?.unwrap();
        self.body.flow_control().release_capacity(frame.len()).unwrap();
        Some(M::decode(&frame[5..]).unwrap())
    }

    /// Reads to the end.
    pub(crate) async fn finish(mut self) -> Reply {
        let mut bytes = Vec::new();
        while let Some(data) = in_time(self.body.data()).await {
            let data = data.unwrap();
            self.body.flow_control().release_capacity(data.len()).unwrap();
            bytes.extend(data);
        }
        let trailers = in_time(self.body.trailers()).await.unwrap();
        let status = Status::from_header_map(trailers.as_ref().unwrap_or(&self.headers)).unwrap();
        Reply { body: bytes, status }
    }
}

/// All messages of a generated client's stream, and how it ended.
pub(crate) async fn drain<M>(mut stream: tonic::Streaming<M>) -> (Vec<M>, Result<(), Status>) {
    let mut messages = Vec::new();
    loop {
        match in_time(stream.next()).await {
            Some(Ok(message)) => messages.push(message),
            Some(Err(status)) => return (messages, Err(status)),
            None => return (messages, Ok(())),
        }
    }
}
