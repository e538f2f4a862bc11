//! Makes one logical call: as many attempts as it takes, under one deadline and with one request id.
//!
//! Knows neither what is asked nor how errors are told; whether to try again is decided in `retry.rs`.

use std::{future::Future, time::Duration};

use baton_proto::v1;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    client::Client,
    endpoints::Target,
    error::{Error, FieldViolation, Origin, from_status},
    request_id::new_request_id,
};

/// Longest deadline, so that adding it to the present never overflows: a year.
const DEADLINE_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What every builder holds besides its request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) client: Client,
    pub(crate) deadline: Option<Duration>,
    /// What is already known to be wrong with the request.
    pub(crate) invalid: Vec<FieldViolation>,
}

/// A request that changes something and therefore carries a request id.
pub(crate) trait Mutation: Clone + Send {
    /// The id, made up if the caller gave none. A batch has one per item and none of its own.
    fn fill_in_request_id(&mut self) -> Option<String>;
}

/// Whether the remaining time is told to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// One message: the server may stop when the time is over.
    Single,
    /// A stream, which outlives the deadline of its opening.
    Stream,
}

impl Call {
    pub(crate) fn new(client: &Client) -> Self {
        Self { client: client.clone(), deadline: None, invalid: Vec::new() }
    }

    /// Remembers the value, or what is wrong with it until the call is sent.
    pub(crate) fn accept<T>(&mut self, value: Result<T, FieldViolation>) -> Option<T> {
        value.map_err(|violation| self.invalid.push(violation)).ok()
    }

    /// Sends a request that changes something.
    pub(crate) async fn mutate<Q, A, R, F>(self, mut request: Q, rpc: R) -> Result<A, Error>
    where
        Q: Mutation,
        R: Fn(Channel, Request<Q>) -> F,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let request_id = request.fill_in_request_id();
        let (answer, _endpoint) = self.run(request, request_id, Answer::Single, rpc).await?;
        Ok(answer)
    }

    /// Sends a request that changes nothing.
    pub(crate) async fn read<Q, A, R, F>(self, request: Q, rpc: R) -> Result<A, Error>
    where
        Q: Clone + Send,
        R: Fn(Channel, Request<Q>) -> F,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let (answer, _endpoint) = self.run(request, None, Answer::Single, rpc).await?;
        Ok(answer)
    }

    /// Sends a request that is answered by a stream; the deadline is for the stream's beginning. Also says by which endpoint it is answered.
    pub(crate) async fn open<Q, A, R, F>(self, request: Q, rpc: R) -> Result<(A, usize), Error>
    where
        Q: Clone + Send,
        R: Fn(Channel, Request<Q>) -> F,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        self.run(request, None, Answer::Stream, rpc).await
    }

    async fn run<Q, A, R, F>(
        self,
        request: Q,
        request_id: Option<String>,
        answer: Answer,
        rpc: R,
    ) -> Result<(A, usize), Error>
    where
        Q: Clone + Send,
        R: Fn(Channel, Request<Q>) -> F,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        if !self.invalid.is_empty() {
            return Err(Error::invalid(self.invalid));
        }
        let (endpoints, retry) = (self.client.endpoints(), self.client.retry());
        let limit = self.deadline.unwrap_or(self.client.deadline()).min(DEADLINE_MAX);
        let deadline = Instant::now() + limit;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Target { index, channel, address } = endpoints.current();
            let attempt = rpc(channel, stamped(request.clone(), deadline, answer));
            let status = match timeout_at(deadline, attempt).await {
                Ok(Ok(response)) => return Ok((response.into_inner(), index)),
                Ok(Err(status)) => status,
                Err(_elapsed) => Status::deadline_exceeded("the deadline of the call passed"),
            };
            let origin = Origin { endpoint: address.to_string(), attempts, request_id: request_id.clone() };
            let error = from_status(status, origin);
            if error.is_unavailable() {
                endpoints.leave(index);
            }
            match retry.pause(attempts, endpoints.len(), &error, fastrand::f64()) {
                Some(pause) if Instant::now() + pause < deadline => sleep(pause).await,
                _ => return Err(error),
            }
        }
    }
}

/// Tells the server how long the caller will wait.
fn stamped<Q>(message: Q, deadline: Instant, answer: Answer) -> Request<Q> {
    let mut request = Request::new(message);
    if answer == Answer::Single {
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    request
}

macro_rules! mutations {
    ($($request:ty),+ $(,)?) => {$(
        impl Mutation for $request {
            fn fill_in_request_id(&mut self) -> Option<String> {
                if self.request_id.is_empty() {
                    self.request_id = new_request_id();
                }
                Some(self.request_id.clone())
            }
        }
    )+};
}

mutations!(
    v1::CreateTaskRequest,
    v1::UpdateTaskRequest,
    v1::CompleteTaskRequest,
    v1::FailTaskRequest,
    v1::CancelTaskRequest,
    v1::UpdateAgentStateRequest,
    v1::TransferStateRequest,
    v1::HandOffRequest,
    v1::InitiateHandoffRequest,
    v1::ExecuteHandoffRequest,
    v1::WithdrawHandoffRequest,
    v1::AddValidationRuleRequest,
    v1::RemoveValidationRuleRequest,
);

impl Mutation for v1::BatchCreateTasksRequest {
    fn fill_in_request_id(&mut self) -> Option<String> {
        self.items.iter_mut().for_each(|item| drop(item.fill_in_request_id()));
        None
    }
}

impl Mutation for v1::BatchHandOffRequest {
    fn fill_in_request_id(&mut self) -> Option<String> {
        self.items.iter_mut().for_each(|item| drop(item.fill_in_request_id()));
        None
    }
}
