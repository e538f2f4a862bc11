//! A gRPC server that answers from a script and keeps what it was asked.
//!
//! Knows nothing of Baton's rules. Each service is generated from the contract; the transport is tonic's own, in the process or over TCP.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use baton_client::Channel;
use baton_proto::v1::{
    self, handoff_service_server::HandoffServiceServer, task_service_server::TaskServiceServer,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::duplex,
    net::{TcpListener, TcpSocket},
    sync::{mpsc, oneshot},
};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{
    Request, Response, Status,
    body::Body,
    codegen::http,
    transport::{Endpoint, Server, Uri},
};
use tower::{Service as _, service_fn};

/// What was asked: the message, and how long the caller said that it would wait.
#[derive(Clone, Debug)]
pub(crate) struct Asked<Q> {
    pub(crate) message: Q,
    pub(crate) timeout: Option<String>,
}

/// Answers that are given in turn, and what they were given to. When there are none left, nothing is answered at all.
#[derive(Debug)]
pub(crate) struct Script<Q, A> {
    asked: Arc<Mutex<Vec<Asked<Q>>>>,
    answers: Arc<Mutex<VecDeque<Result<A, Status>>>>,
}

impl<Q, A> Clone for Script<Q, A> {
    fn clone(&self) -> Self {
        Self { asked: Arc::clone(&self.asked), answers: Arc::clone(&self.answers) }
    }
}

impl<Q: Clone, A> Script<Q, A> {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<A, Status>>) -> Self {
        let answers = answers.into_iter().collect();
        Self { asked: Arc::default(), answers: Arc::new(Mutex::new(answers)) }
    }

    pub(crate) fn asked(&self) -> Vec<Asked<Q>> {
        self.asked.lock().unwrap().clone()
    }

    async fn answer(&self, request: Request<Q>) -> Result<Response<A>, Status> {
        let timeout = request.metadata().get("grpc-timeout").map(|value| value.to_str().unwrap().to_owned());
        self.asked.lock().unwrap().push(Asked { message: request.into_inner(), timeout });
        let answer = self.answers.lock().unwrap().pop_front();
        match answer {
            Some(answer) => answer.map(Response::new),
            None => std::future::pending().await,
        }
    }
}

/// Declares a service with a script for each of some rpcs; the others it refuses.
macro_rules! scripted {
    (
        $(#[$attribute:meta])*
        $service:ident is $($path:ident)::+ { $(type $stream:ident = $item:ty;)* }
        answers { $($rpc:ident: $request:ident => $response:ty,)+ }
        refuses { $($refused:ident: $refused_request:ident => $refused_response:ident,)+ }
    ) => {
        $(#[$attribute])*
        #[derive(Clone)]
        pub(crate) struct $service {
            $(pub(crate) $rpc: Script<v1::$request, $response>,)+
        }

        impl Default for $service {
            fn default() -> Self {
                Self { $($rpc: Script::new([]),)+ }
            }
        }

        #[tonic::async_trait]
        impl $($path)::+ for $service {
            $(type $stream = $item;)*

            $(async fn $rpc(&self, request: Request<v1::$request>) -> Result<Response<$response>, Status> {
                self.$rpc.answer(request).await
            })+

            $(async fn $refused(
                &self,
                _: Request<v1::$refused_request>,
            ) -> Result<Response<v1::$refused_response>, Status> {
                Err(Status::unimplemented(stringify!($refused)))
            })+
        }
    };
}

/// What a watch is sent, and how it ends.
pub(crate) type WatchAnswer = UnboundedReceiverStream<Result<v1::WatchHandoffsResponse, Status>>;

scripted! {
    /// Tasks by script.
    Tasks is v1::task_service_server::TaskService {}
    answers {
        create_task: CreateTaskRequest => v1::CreateTaskResponse,
        update_task: UpdateTaskRequest => v1::UpdateTaskResponse,
        complete_task: CompleteTaskRequest => v1::CompleteTaskResponse,
        list_tasks: ListTasksRequest => v1::ListTasksResponse,
    }
    refuses {
        batch_create_tasks: BatchCreateTasksRequest => BatchCreateTasksResponse,
        get_task: GetTaskRequest => GetTaskResponse,
        fail_task: FailTaskRequest => FailTaskResponse,
        cancel_task: CancelTaskRequest => CancelTaskResponse,
        get_task_history: GetTaskHistoryRequest => GetTaskHistoryResponse,
    }
}

scripted! {
    /// Hand-offs and watches by script.
    Handoffs is v1::handoff_service_server::HandoffService {
        type WatchHandoffsStream = WatchAnswer;
    }
    answers {
        hand_off: HandOffRequest => v1::HandOffResponse,
        watch_handoffs: WatchHandoffsRequest => WatchAnswer,
    }
    refuses {
        batch_hand_off: BatchHandOffRequest => BatchHandOffResponse,
        initiate_handoff: InitiateHandoffRequest => InitiateHandoffResponse,
        execute_handoff: ExecuteHandoffRequest => ExecuteHandoffResponse,
        withdraw_handoff: WithdrawHandoffRequest => WithdrawHandoffResponse,
        get_handoff: GetHandoffRequest => GetHandoffResponse,
        list_handoffs: ListHandoffsRequest => ListHandoffsResponse,
    }
}

/// Serves within the process. Nothing leaves it, so a paused clock moves only when everything waits for it.
macro_rules! in_process {
    ($service:expr) => {{
        let (accept, accepted) = mpsc::unbounded_channel();
        let connections = UnboundedReceiverStream::new(accepted);
        tokio::spawn(Server::builder().serve_with_incoming($service, connections));
        Endpoint::from_static("http://in-process").connect_with_connector_lazy(service_fn(move |_: Uri| {
            let (near, far) = duplex(64 * 1024);
            accept.send(Ok::<_, Infallible>(far)).unwrap();
            async { Ok::<_, Infallible>(TokioIo::new(near)) }
        }))
    }};
}

pub(crate) fn tasks_in_process(tasks: &Tasks) -> Channel {
    in_process!(TaskServiceServer::new(tasks.clone()))
}

pub(crate) fn handoffs_in_process(handoffs: &Handoffs) -> Channel {
    in_process!(HandoffServiceServer::new(handoffs.clone()))
}

/// As `handoffs_in_process`, but the first call is answered by a part of a message, and nothing after it.
pub(crate) fn cut_off_then(handoffs: &Handoffs) -> Channel {
    let is_first = Arc::new(AtomicBool::new(true));
    let scripted = HandoffServiceServer::new(handoffs.clone());
    in_process!(service_fn(move |request: http::Request<Body>| {
        let mut scripted = scripted.clone();
        let is_first = is_first.swap(false, Ordering::SeqCst);
        async move {
            if !is_first {
                return scripted.call(request).await;
            }
            // Uncompressed, of 100 bytes (`d`), of which three come.
            let answer = http::Response::new(Body::new("\0\0\0\0dabc".to_owned()));
            let (mut parts, body) = answer.into_parts();
            parts.headers.insert("content-type", http::HeaderValue::from_static("application/grpc"));
            Ok(http::Response::from_parts(parts, body))
        }
    }))
}

/// A server on a TCP port of this machine; it goes away when it is told to, with all of its connections.
pub(crate) struct OnTcp {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl OnTcp {
    pub(crate) async fn serve(tasks: &Tasks) -> Self {
        Self::serve_at("127.0.0.1:0", tasks).await
    }

    async fn serve_at(address: &str, tasks: &Tasks) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let service = TaskServiceServer::new(tasks.clone());
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let incoming = TcpListenerStream::new(listener);
            Server::builder().serve_with_incoming_shutdown(service, incoming, stopped).await.unwrap();
        });
        Self { address, stop, serving }
    }

    /// Stops, and serves again at the same address.
    pub(crate) async fn restart(self, tasks: &Tasks) -> Self {
        let address = self.address.trim_start_matches("http://").to_owned();
        self.stop().await;
        Self::serve_at(&address, tasks).await
    }

    /// Returns when the port is closed and no connection is left.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// An address of this machine where nobody listens, and nobody else will: the port is taken.
pub(crate) struct Nowhere {
    pub(crate) address: String,
    _taken: TcpSocket,
}

impl Nowhere {
    pub(crate) fn take() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        Self { address: format!("http://{}", socket.local_addr().unwrap()), _taken: socket }
    }
}
