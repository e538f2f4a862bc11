//! The server side of the echo: answers HandOff and GetTask with prepared messages, and streams prepared messages to watchers.
//!
//! Runs as a child process with the runtime that Baton has. Keeps nothing, and knows nothing of tasks.

use std::{
    convert::Infallible,
    future::{Ready, pending, ready},
    io::Write as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use baton_proto::v1::{
    BatchHandOffRequest, BatchHandOffResponse, GetTaskRequest, GetTaskResponse, HandOffRequest,
    HandOffResponse,
};
use bytes::Bytes;
use clap::Args;
use http::{Request, Response};
use prost::Message;
use tokio::net::TcpListener;
use tonic::{
    Status,
    body::Body,
    server::Grpc,
    transport::server::{Server, TcpIncoming},
};
use tonic_prost::ProstCodec;
use tower::{Service, service_fn};

use crate::{
    failure::Failure,
    raw_codec::RawCodec,
    recording::{Recording, read},
};

/// The file with the answer to HandOff.
pub(crate) const HAND_OFF_FILE: &str = "hand_off";
/// The file with the answer to GetTask.
pub(crate) const GET_TASK_FILE: &str = "get_task";
/// The file with the messages that watchers get.
pub(crate) const STREAM_FILE: &str = "stream";

/// Arguments of `echo-server`.
#[derive(Debug, Args)]
pub(crate) struct EchoServerArgs {
    /// The folder with the messages to answer with; what is missing is answered with an empty one
    folder: PathBuf,
}

/// What is answered.
struct Answers {
    hand_off: HandOffResponse,
    get_task: GetTaskResponse,
    // What watchers get, each time that BatchHandOff is called.
    recording: Recording,
}

/// Serves until the process is told to end.
///
/// # Errors
/// The messages cannot be read; no port can be opened.
pub(crate) async fn run(args: EchoServerArgs) -> Result<(), Failure> {
    let answers = Arc::new(Answers::read(&args.folder)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    writeln!(std::io::stdout(), "{}", serde_json::json!({ "listen": address.to_string() }))?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder().serve_with_incoming_shutdown(Echo(answers), incoming, pending()).await?;
    Ok(())
}

impl Answers {
    fn read(folder: &Path) -> Result<Self, Failure> {
        Ok(Self {
            hand_off: message(&folder.join(HAND_OFF_FILE))?,
            get_task: message(&folder.join(GET_TASK_FILE))?,
            recording: Recording::read(&folder.join(STREAM_FILE))?,
        })
    }
}

fn message<M: Message + Default>(file: &Path) -> Result<M, Failure> {
    M::decode(read(file)?).map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

/// Answers calls of HandoffService and TaskService.
#[derive(Clone)]
struct Echo(Arc<Answers>);

/// The answer to one call, on its way.
type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

impl Service<Request<Body>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answering {
        let answers = Arc::clone(&self.0);
        Box::pin(async move {
            Ok(match request.uri().path() {
                "/baton.v1.HandoffService/HandOff" => {
                    let answer = move |_: tonic::Request<HandOffRequest>| done(answers.hand_off.clone());
                    Grpc::new(ProstCodec::new()).unary(service_fn(answer), request).await
                }
                "/baton.v1.TaskService/GetTask" => {
                    let answer = move |_: tonic::Request<GetTaskRequest>| done(answers.get_task.clone());
                    Grpc::new(ProstCodec::new()).unary(service_fn(answer), request).await
                }
                "/baton.v1.HandoffService/BatchHandOff" => {
                    let play = move |_: tonic::Request<BatchHandOffRequest>| {
                        answers.recording.play();
                        done(BatchHandOffResponse::default())
                    };
                    Grpc::new(ProstCodec::new()).unary(service_fn(play), request).await
                }
                "/baton.v1.HandoffService/WatchHandoffs" => {
                    let watch = move |_: tonic::Request<Bytes>| done(answers.recording.watch());
                    Grpc::new(RawCodec).server_streaming(service_fn(watch), request).await
                }
                _ => absent(),
            })
        })
    }
}

fn done<T>(answer: T) -> Ready<Result<tonic::Response<T>, Status>> {
    ready(Ok(tonic::Response::new(answer)))
}

fn absent() -> Response<Body> {
    Status::unimplemented("the echo answers HandOff, GetTask and watches alone").into_http()
}
