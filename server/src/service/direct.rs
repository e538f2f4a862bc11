//! Answers the calls that come most often without the generated code, which prepares each of them for streams and compression.
//!
//! Takes only what is as usual: one message in one piece, not compressed, that can be decoded. All else goes to the generated code, so
//! that there is one place that refuses it.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use baton_proto::v1;
use http::{HeaderName, HeaderValue, Request, Response, header::CONTENT_TYPE};
use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame as HttpFrame};
use prost::Message;
use tonic::{Extensions, Status, body::Body, server::NamedService};
use tower::Service;

use super::Api;
use crate::{
    own_body::{Frame, PREFIX_BYTES, one_message},
    routes::Answer,
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
    GetTask,
}

#[expect(clippy::large_enum_variant, reason = "it is taken apart as soon as it is made")]
enum Asked {
    HandOff(v1::HandOffRequest),
    GetTask(v1::GetTaskRequest),
}

impl Method {
    fn at(path: &str) -> Option<Self> {
        match path {
            "/baton.v1.HandoffService/HandOff" => Some(Self::HandOff),
            "/baton.v1.TaskService/GetTask" => Some(Self::GetTask),
            _ => None,
        }
    }

    fn decode(self, message: &[u8]) -> Option<Asked> {
        match self {
            Self::HandOff => Message::decode(message).ok().map(Asked::HandOff),
            Self::GetTask => Message::decode(message).ok().map(Asked::GetTask),
        }
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
        match method.filter(|_| !request.headers().contains_key(&ENCODING_HEADER)) {
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
        let read = FirstPiece::read(body).await;
        match read.whole_message(self.message_bytes_max).and_then(|message| method.decode(message)) {
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
            Asked::HandOff(request) => self.answer_hand_off(extensions, request).await,
            Asked::GetTask(request) => self.answer_get_task(extensions, &request).await,
        }
    }
}

fn response(frame: Frame) -> Response<Body> {
    let mut response = Response::new(one_message(frame));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

/// A request's body as far as it had to be read to tell whether it is as usual; as a body it is whole again.
struct FirstPiece {
    first: Option<Bytes>,
    /// What came after it, if it was not the end.
    next: Option<Result<HttpFrame<Bytes>, Status>>,
    rest: Body,
}

impl FirstPiece {
    async fn read(mut rest: Body) -> Self {
        let mut first: Option<Bytes> = None;
        loop {
            match rest.frame().await {
                None => return Self { first, next: None, rest },
                Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty) => {}
                Some(Ok(frame)) if first.is_none() && frame.is_data() => first = frame.into_data().ok(),
                next => return Self { first, next, rest },
            }
        }
    }

    /// The message, if that is all there is.
    fn whole_message(&self, bytes_max: usize) -> Option<&[u8]> {
        let (prefix, message) = self.first.as_deref()?.split_first_chunk::<PREFIX_BYTES>()?;
        let [compressed, length @ ..] = *prefix;
        let whole = compressed == 0 && usize::try_from(u32::from_be_bytes(length)).ok()? == message.len();
        (whole && self.next.is_none() && message.len() <= bytes_max).then_some(message)
    }
}

impl HttpBody for FirstPiece {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Status>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(HttpFrame::data(first))));
        }
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(next));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http_body_util::StreamBody;

    use super::*;

    const BYTES_MAX: usize = 4;

    /// What is read of a body with these frames, and what the body is afterwards.
    async fn read(frames: Vec<HttpFrame<Bytes>>) -> (Option<Vec<u8>>, Vec<u8>, bool) {
        let frames = tokio_stream::iter(frames.into_iter().map(Ok::<_, Status>));
        let read = FirstPiece::read(Body::new(StreamBody::new(frames))).await;
        let message = read.whole_message(BYTES_MAX).map(<[u8]>::to_vec);
        let whole = read.collect().await.expect("no frame is an error");
        let trailers = whole.trailers().is_some();
        (message, whole.to_bytes().to_vec(), trailers)
    }

    fn data(bytes: &'static [u8]) -> HttpFrame<Bytes> {
        HttpFrame::data(Bytes::from_static(bytes))
    }

    #[tokio::test]
    async fn one_whole_message_is_taken() {
        let message = b"\0\0\0\0\x03abc";
        assert_eq!(read(vec![data(message)]).await.0.as_deref(), Some(&b"abc"[..]));
        let among_empty_ones = vec![data(b""), data(message), data(b"")];
        assert_eq!(read(among_empty_ones).await.0.as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(vec![data(b"\0\0\0\0\0")]).await.0.as_deref(), Some(&b""[..]));
    }

    #[tokio::test]
    async fn all_else_is_left_as_it_came() {
        let unusual: [&[&'static [u8]]; 8] = [
            &[],
            &[b"\0\0\0"],
            &[b"\0\0\0\0\x03ab"],
            &[b"\0\0\0\0\x03abcd"],
            &[b"\x01\0\0\0\x03abc"],
            &[b"\0\0\0\0\x05abcde"],
            &[b"\0\0\0\0\x03", b"abc"],
            &[b"\0\0\0\0\x03abc", b"\0\0\0\0\x03abc", b"\0"],
        ];
        for pieces in unusual {
            let frames = pieces.iter().map(|piece| data(piece)).collect();
            assert_eq!(read(frames).await, (None, pieces.concat(), false), "{pieces:?}");
        }
        let with_trailers = vec![data(b"\0\0\0\0\x03abc"), HttpFrame::trailers(HeaderMap::new())];
        assert_eq!(read(with_trailers).await, (None, b"\0\0\0\0\x03abc".to_vec(), true));
    }
}
