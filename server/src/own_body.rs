//! A body that a service made itself, to be sent in place of the one that its generated code would write.
//!
//! For streams whose messages are encoded once and sent to many, and for answers that are encoded without the library's types. Knows
//! nothing of what is in it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use baton_proto::v1::WatchHandoffsResponse;
use http::{Extensions, HeaderMap, HeaderValue};
use hyper::body::{Body as HttpBody, Bytes, Frame as HttpFrame};
use parking_lot::Mutex;
use tokio_stream::Empty;
use tonic::{Response, Status, body::Body};

use crate::status::STATUS_HEADER;

/// gRPC's prefix: one byte that says "not compressed", four of length.
pub(crate) const PREFIX_BYTES: usize = 5;

/// A message with room for its prefix before it.
pub(crate) type Frame = Vec<u8>;

/// What stands in for the messages of such a stream.
pub(crate) type NoMessages = Empty<Result<WatchHandoffsResponse, Status>>;

/// A frame to append a message to, with room for about `bytes` of it.
pub(crate) fn new_frame(bytes: usize) -> Frame {
    let mut frame = Vec::with_capacity(PREFIX_BYTES + bytes);
    frame.resize(PREFIX_BYTES, 0);
    frame
}

/// The bytes of a frame, with its prefix filled in.
pub(crate) fn framed(mut frame: Frame) -> Bytes {
    let length = u32::try_from(frame.len() - PREFIX_BYTES).expect("messages are bounded far below 4 GiB");
    frame[1..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    frame.into()
}

/// The body that is one message, and trailers that say that all is well.
pub(crate) fn one_message(frame: Frame) -> Body {
    Body::new(OneMessage::NotSent(framed(frame)))
}

/// Travels in the extensions of a response, which ask for clones.
#[derive(Clone)]
pub(crate) struct OwnBody(Arc<Mutex<Option<Body>>>);

impl OwnBody {
    /// The answer of a streaming call that has this body: data frames that are gRPC messages with their prefix, and trailers.
    pub(crate) fn stream(body: Body) -> Response<NoMessages> {
        Self::instead_of(tokio_stream::empty(), body)
    }

    /// The answer of a call with one message, which is the one in `frame`; the `M` that the generated code gets is not looked at.
    pub(crate) fn message<M: Default>(frame: Frame) -> Response<M> {
        Self::instead_of(M::default(), one_message(frame))
    }

    fn instead_of<T>(unseen: T, body: Body) -> Response<T> {
        let mut response = Response::new(unseen);
        response.extensions_mut().insert(Self(Arc::new(Mutex::new(Some(body)))));
        response
    }

    /// Takes the body out of a response's extensions, if it has one of its own.
    pub(crate) fn take(extensions: &mut Extensions) -> Option<Body> {
        extensions.remove::<Self>()?.0.lock().take()
    }
}

/// See [`one_message`].
enum OneMessage {
    NotSent(Bytes),
    Sent,
    Ended,
}

impl HttpBody for OneMessage {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Status>>> {
        Poll::Ready(match std::mem::replace(&mut *self, Self::Ended) {
            Self::NotSent(message) => {
                *self = Self::Sent;
                Some(Ok(HttpFrame::data(message)))
            }
            Self::Sent => {
                let mut trailers = HeaderMap::with_capacity(1);
                trailers.insert(&STATUS_HEADER, HeaderValue::from_static("0"));
                Some(Ok(HttpFrame::trailers(trailers)))
            }
            Self::Ended => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Ended)
    }
}
