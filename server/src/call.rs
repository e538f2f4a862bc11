//! Sees one call through: its deadline, what it is about, how it ends.
//!
//! Every request gets a line and is counted, also if it never reaches its service or its caller leaves. Knows nothing of what services do.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    task::Poll,
    time::Duration,
};

use baton_proto::v1::ErrorReason;
use http::{Extensions, HeaderMap, Request, Response};
use tokio::{sync::watch, time::Instant};
use tonic::{Code, body::Body};

use crate::{
    call_body::CallBody,
    connection::Connection,
    deadline::{self, Deadline},
    own_body::OwnBody,
    request_log::{RequestLine, RequestLog},
    routes::{Answer, Routes},
    rpc::{Rpc, RpcShape, Rpcs},
    status::{MESSAGE_HEADER, Refusal, STATUS_HEADER},
    wire_refusal,
};

/// Longest part of a namespace or task id that a line shows, in bytes; valid ones are not longer.
const SUBJECT_BYTES_MAX: usize = 256;

/// What all calls of a server share.
#[derive(Debug)]
pub(crate) struct Calls {
    pub(crate) routes: Routes,
    pub(crate) rpcs: Rpcs,
    pub(crate) log: RequestLog,
    pub(crate) deadline_max: Duration,
    /// Turns true when streams that no service of ours ends must end.
    pub(crate) draining: watch::Receiver<bool>,
}

impl Calls {
    /// Answers one request from `connection`.
    // The request is handed on before the future is made: one that has room for it would be copied along wherever the library moves it.
    pub(crate) fn answer(
        &self,
        connection: Arc<Connection>,
        mut request: Request<Body>,
    ) -> impl Future<Output = Response<Body>> + Send + use<> {
        let started = Instant::now();
        let rpc = Arc::clone(self.rpcs.find(request.uri().path()));
        let shape = rpc.shape();
        let deadline_max = (shape == RpcShape::Unary).then_some(self.deadline_max);
        let deadline = Deadline::of(request.headers(), started, deadline_max);
        let call = Arc::new(Call {
            path: (shape == RpcShape::Foreign).then(|| request.uri().path().into()),
            rpc,
            started,
            deadline: deadline.as_ref().ok().copied().flatten(),
            connection,
            log: self.log.may_log().then_some(self.log),
            subject: OnceLock::new(),
        });
        let open = OpenCall::new(Arc::clone(&call));
        let draining = (shape == RpcShape::Foreign).then(|| self.draining.clone());
        let answer = deadline.map(|deadline| {
            request.extensions_mut().insert(call);
            (self.routes.answer(request), deadline)
        });
        async move {
            let response = match answer {
                Err(refusal) => refusal.into_status().into_http(),
                Ok((answer, deadline)) => in_time(answer, deadline).await,
            };
            open.respond(response, draining)
        }
    }
}

/// Waits for `answer` until `deadline`.
async fn in_time(answer: Answer, deadline: Option<Deadline>) -> Response<Body> {
    let answer = unless_it_panics(answer);
    let answered = match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline.instant(), answer).await,
        None => Ok(answer.await),
    };
    answered.unwrap_or_else(|_| deadline::exceeded().into_status().into_http())
}

/// Answers INTERNAL if a service panics, which is a defect: without this its caller would see a broken stream and no reason.
async fn unless_it_panics(mut answer: Answer) -> Response<Body> {
    let answered = poll_fn(|context| {
        // The future is dropped after a panic; what it shares with others is guarded by locks that do not poison.
        match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context))) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    });
    match answered.await {
        Some(Ok(response)) => response,
        Some(Err(never)) => match never {},
        None => {
            Refusal::new(Code::Internal, ErrorReason::Internal, "the server has a defect: the call panicked")
                .into_status()
                .into_http()
        }
    }
}

/// One call, as its service sees it in the request's extensions.
#[derive(Debug)]
pub struct Call {
    rpc: Arc<Rpc>,
    path: Option<Box<str>>,
    started: Instant,
    deadline: Option<Deadline>,
    connection: Arc<Connection>,
    log: Option<RequestLog>,
    subject: OnceLock<Subject>,
}

#[derive(Debug)]
struct Subject {
    namespace: Box<str>,
    task: Box<str>,
}

impl Call {
    /// The call that a request with these extensions belongs to; none if it did not come through the transport.
    pub fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get()
    }

    /// Notes what the call is about, for its line in the log: said once, before the work begins. `task` is empty if it is about none.
    pub fn concerns(&self, namespace: &str, task: &str) {
        if self.log.is_some() {
            let shown = |text: &str| text[..text.floor_char_boundary(SUBJECT_BYTES_MAX)].into();
            // Said again, the first stands.
            let _ = self.subject.set(Subject { namespace: shown(namespace), task: shown(task) });
        }
    }

    /// The moment by which it must be answered. The transport sees to that; services may use it to begin nothing in vain.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    /// The connection that it came by.
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    fn end(&self, code: Code, error: Option<&str>) {
        let duration = self.started.elapsed();
        let measured = (self.rpc.shape() == RpcShape::Unary).then_some(duration);
        self.rpc.metrics().observe(code, measured);
        if let Some(log) = self.log {
            let subject = self.subject.get();
            log.write(RequestLine {
                rpc: self.path.as_deref().unwrap_or(self.rpc.name()),
                namespace: subject.map(|subject| &*subject.namespace),
                task: subject.map(|subject| &*subject.task).filter(|task| !task.is_empty()),
                code,
                duration,
                error,
            });
        }
    }
}

/// A call that has not ended. Dropping it without an end means that its caller left or its service panicked.
#[derive(Debug)]
pub(crate) struct OpenCall {
    call: Arc<Call>,
    ended: bool,
}

impl OpenCall {
    fn new(call: Arc<Call>) -> Self {
        Self { call, ended: false }
    }

    /// The answer that is sent: `response` as the contract wants it, which ends the call when it ends.
    fn respond(
        mut self,
        mut response: Response<Body>,
        draining: Option<watch::Receiver<bool>>,
    ) -> Response<Body> {
        let shape = self.call.rpc.shape();
        if response.headers().contains_key(&STATUS_HEADER) {
            // A refusal without a body: the status stands in the headers.
            let response =
                if shape == RpcShape::Foreign { response } else { wire_refusal::translate(response) };
            self.end(code_of(response.headers()).unwrap_or(Code::Unknown), response.headers());
            return response;
        }
        let stream_deadline = self.call.deadline.filter(|_| shape != RpcShape::Unary);
        let own = OwnBody::take(response.extensions_mut());
        response.map(|body| {
            let body = own.unwrap_or(body);
            Body::new(CallBody::new(body, self, stream_deadline, draining))
        })
    }

    /// Ends the call as these headers or trailers say.
    pub(crate) fn end(&mut self, code: Code, headers: &HeaderMap) {
        let message = if code == Code::Ok { None } else { headers.get(&MESSAGE_HEADER) };
        let error = message.and_then(|message| message.to_str().ok());
        self.end_once(code, error);
    }

    fn end_once(&mut self, code: Code, error: Option<&str>) {
        if !self.ended {
            self.ended = true;
            self.call.end(code, error);
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.end_once(Code::Internal, Some("the service panicked"));
        } else if self.call.deadline.is_some_and(Deadline::has_passed) {
            // The caller keeps the same deadline and may leave a moment before the server answers.
            self.end_once(Code::DeadlineExceeded, None);
        } else {
            self.end_once(Code::Cancelled, Some("the caller left"));
        }
    }
}

/// The status that headers or trailers carry; none if they carry none.
pub(crate) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get(&STATUS_HEADER).map(|value| Code::from_bytes(value.as_bytes()))
}
