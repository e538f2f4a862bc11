//! Passes the frames of an answer on, until it ends by itself, by its deadline or by the server's stop.
//!
//! Knows frames and trailers. Knows nothing of the messages in them.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use baton_proto::v1::ErrorReason;
use http::HeaderMap;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};
use tokio::{sync::watch, time::Sleep};
use tonic::{Code, Status, body::Body};

use crate::{
    call::{OpenCall, code_of},
    deadline::{self, Deadline},
    status::Refusal,
};

/// When a caller whose stream was ended by a stop may try another server.
const RETRY_AFTER_STOP: Duration = Duration::from_secs(1);

/// The body of one answer.
pub(crate) struct CallBody {
    /// None once the end has been sent.
    inner: Option<Body>,
    open: OpenCall,
    deadline: Option<Pin<Box<Sleep>>>,
    draining: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl CallBody {
    /// The body `inner` of the call `open`, which ends at `deadline` or once `draining` turns true, where these are given.
    pub(crate) fn new(
        inner: Body,
        open: OpenCall,
        deadline: Option<Deadline>,
        draining: Option<watch::Receiver<bool>>,
    ) -> Self {
        Self {
            inner: Some(inner),
            open,
            deadline: deadline.map(|deadline| Box::pin(tokio::time::sleep_until(deadline.instant()))),
            draining: draining.map(|draining| Box::pin(drained(draining)) as _),
        }
    }

    /// Ends the stream with `refusal`, and lets its producer go at once.
    fn refuse(&mut self, refusal: Refusal) -> Frame<Bytes> {
        let code = refusal.code();
        let trailers = refusal.into_trailers();
        self.inner = None;
        self.open.end(code, &trailers);
        Frame::trailers(trailers)
    }

    fn note_end(&mut self, polled: &Option<Result<Frame<Bytes>, Status>>) {
        match polled {
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    self.open.end(code_of(trailers).unwrap_or(Code::Unknown), trailers);
                }
            }
            Some(Err(status)) => self.open.end(status.code(), &HeaderMap::new()),
            None => self.open.end(Code::Ok, &HeaderMap::new()),
        }
    }
}

async fn drained(mut draining: watch::Receiver<bool>) {
    // An error means that the transport is gone, which ends the stream too.
    let _ = draining.wait_for(|draining| *draining).await;
}

impl HttpBody for CallBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else {
            return Poll::Ready(None);
        };
        // The deadline comes first: a stream that always has something to say must end too.
        if this.deadline.as_mut().is_some_and(|deadline| deadline.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Some(Ok(this.refuse(deadline::exceeded()))));
        }
        if let Poll::Ready(polled) = Pin::new(inner).poll_frame(context) {
            this.note_end(&polled);
            return Poll::Ready(polled);
        }
        // The stop comes last: what the stream had to say of it goes out before it ends.
        if this.draining.as_mut().is_some_and(|draining| draining.as_mut().poll(context).is_ready()) {
            let refusal =
                Refusal::new(Code::Unavailable, ErrorReason::ShuttingDown, "the server is stopping")
                    .retry_after(RETRY_AFTER_STOP);
            return Poll::Ready(Some(Ok(this.refuse(refusal))));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl fmt::Debug for CallBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CallBody").field("open", &self.open).finish_non_exhaustive()
    }
}
