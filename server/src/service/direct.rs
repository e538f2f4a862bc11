//! Answers the calls that come most often without the generated code, which prepares each of them for streams and compression.
//!
//! Takes only what is as usual: one message, not compressed, that can be decoded. All else goes to the generated code, so that there is
//! one place that refuses it; but for batches of too many items, which are not even decoded.

mod read;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use baton_proto::v1;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header::CONTENT_TYPE};
use prost::Message;
use tonic::{Extensions, Status, body::Body, server::NamedService};
use tower::Service;

use self::read::Read;
use super::{
    Api,
    batch::{self, Batch},
    from_wire::{self, Check, borrowed},
};
use crate::{
    own_body::{Frame, one_message},
    routes::Answer,
    status::Refusal,
};

/// Says how the messages of a request are compressed.
static ENCODING_HEADER: HeaderName = HeaderName::from_static("grpc-encoding");

/// A generated service, but for the methods that are answered directly.
#[derive(Clone)]
pub(super) struct Direct<S> {
    api: Arc<Api>,
    generated: S,
    message_bytes_max: usize,
}

#[derive(Clone, Copy)]
enum Method {
    HandOff,
    BatchHandOff,
    BatchCreateTasks,
    GetTask,
}

/// What a message asks for, or why that is refused.
enum Asked {
    HandOff(Result<from_wire::Asked, Refusal>),
    BatchHandOff(Result<Batch, Refusal>),
    GetTask(v1::GetTaskRequest),
    /// For more than one call may.
    TooMuch(Refusal),
}

impl Method {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/baton.v1.HandoffService/HandOff" => Some(Self::HandOff),
            "/baton.v1.HandoffService/BatchHandOff" => Some(Self::BatchHandOff),
            "/baton.v1.TaskService/BatchCreateTasks" => Some(Self::BatchCreateTasks),
            "/baton.v1.TaskService/GetTask" => Some(Self::GetTask),
            _ => None,
        }
    }

    fn asked(self, message: &[u8], now_us: i64) -> Option<Asked> {
        Some(match self {
            Self::HandOff => {
                let request = borrowed::hand_off(message)?;
                Asked::HandOff(from_wire::hand_off(request, Check::new(), now_us))
            }
            Self::BatchHandOff => match borrowed::batch_hand_off(message) {
                Some(batch) => Asked::BatchHandOff(batch::hand_offs(batch, now_us)),
                None => Asked::TooMuch(batch::too_many(message)?),
            },
            Self::BatchCreateTasks => Asked::TooMuch(batch::too_many(message)?),
            Self::GetTask => Asked::GetTask(Message::decode(message).ok()?),
        })
    }
}

impl<S> Direct<S> {
    /// The methods of `generated` that there are, as `api` answers them; requests are at most `message_bytes_max` large.
    pub(super) fn new(api: Arc<Api>, generated: S, message_bytes_max: usize) -> Self {
        Self { api, generated, message_bytes_max }
    }
}

impl<S: NamedService> NamedService for Direct<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request<Body>> for Direct<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>
        + Clone
        + Send
        + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.generated.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let method = Method::at(request.uri().path());
        match method.filter(|_| !is_compressed(request.headers())) {
            Some(method) => Box::pin(self.clone().answer(method, request)),
            None => self.generated.call(request),
        }
    }
}

impl<S> Direct<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future = Answer>,
{
    async fn answer(mut self, method: Method, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let (parts, body) = request.into_parts();
        let bytes_max = self.message_bytes_max;
        let read = Read::of(body, bytes_max).await;
        let asked =
            read.whole_message(bytes_max).and_then(|message| method.asked(message, self.api.now_us()));
        match asked {
            Some(asked) => {
                // What is not needed any more need not wait for the answer.
                drop(read);
                let extensions = parts.extensions;
                let answer = self.api.answer(&extensions, asked).await;
                Ok(answer.map_or_else(Status::into_http, response))
            }
            None => self.generated.call(Request::from_parts(parts, Body::new(read))).await,
        }
    }
}

impl Api {
    async fn answer(&self, extensions: &Extensions, asked: Asked) -> Result<Frame, Status> {
        match asked {
            Asked::HandOff(asked) => Ok(self.answer_hand_off(extensions, asked?).await?),
            Asked::BatchHandOff(batch) => Ok(batch::hand_off(self, extensions, batch?).await),
            Asked::GetTask(request) => self.answer_get_task(extensions, &request).await,
            Asked::TooMuch(refusal) => Err(refusal.into()),
        }
    }
}

fn is_compressed(headers: &HeaderMap) -> bool {
    headers.get(&ENCODING_HEADER).is_some_and(|encoding| encoding != "identity")
}

fn response(frame: Frame) -> Response<Body> {
    let mut response = Response::new(one_message(frame));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_of_too_many_items_are_refused_without_being_decoded() {
        let item = [0x0a, 0];
        // Not in the usual form, and not UTF-8: to decode it would be refused otherwise.
        let namespace = [0x12, 1, 0xff];
        for path in ["/baton.v1.TaskService/BatchCreateTasks", "/baton.v1.HandoffService/BatchHandOff"] {
            let method = Method::at(path).expect("it is answered here");
            let asked = |count| method.asked(&[&namespace[..], &item.repeat(count)].concat(), 0);
            assert!(asked(1_000).is_none(), "{path}");
            let Some(Asked::TooMuch(refusal)) = asked(1_001) else { panic!("{path}") };
            let status = Status::from(refusal);
            assert!(status.message().contains("items: has 1001; give 1 to 1000"), "{}", status.message());
        }
    }

    #[test]
    fn only_what_is_compressed_is_left_to_the_generated_code() {
        for (encoding, expected) in [(None, false), (Some("identity"), false), (Some("gzip"), true)] {
            let value = encoding.map(HeaderValue::from_static);
            let headers = value.map(|value| (ENCODING_HEADER.clone(), value)).into_iter().collect();
            assert_eq!(is_compressed(&headers), expected, "{encoding:?}");
        }
    }
}
