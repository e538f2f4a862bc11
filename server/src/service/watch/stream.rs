//! The body of a watch's answer: frames from the cursor when the watcher has room for them, and the status that it ends with.
//!
//! Nothing is made ahead: a watcher that does not read holds one frame and its place, nothing else.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame};
use tokio::time::timeout;
use tonic::Status;

use super::{cursor::Cursor, places::Place};
use crate::{service::refusal, status::Refusal};

/// The cursor on its way to the next frame.
type Walking = Pin<Box<dyn Future<Output = (Box<Cursor>, Result<Bytes, Refusal>)> + Send>>;

/// A stream of messages, and the status it ends with.
pub(super) struct Watch {
    state: State,
    // Held for its drop: it gives the watch's place back.
    place: Option<Place>,
}

enum State {
    /// Between two frames. The cursor is boxed because it is moved with each.
    Resting(Box<Cursor>),
    Walking(Walking),
    Ended,
}

impl Watch {
    /// Streams what `cursor` gives until it fails, the watcher leaves, or the server stops.
    pub(super) fn new(cursor: Cursor, place: Place) -> Self {
        Self { state: State::Resting(Box::new(cursor)), place: Some(place) }
    }

    /// The frame that ends the stream.
    fn end(&mut self, refusal: Refusal) -> Frame<Bytes> {
        self.state = State::Ended;
        self.place = None;
        Frame::trailers(refusal.into_trailers())
    }
}

impl HttpBody for Watch {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut walking: Walking = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return Poll::Ready(None),
            State::Walking(walking) => walking,
            State::Resting(mut cursor) => Box::pin(async move {
                let frame = next_frame(&mut cursor).await;
                (cursor, frame)
            }),
        };
        let Poll::Ready((cursor, frame)) = walking.as_mut().poll(context) else {
            self.state = State::Walking(walking);
            return Poll::Pending;
        };
        let frame = match frame {
            Ok(bytes) => {
                self.state = State::Resting(cursor);
                Frame::data(bytes)
            }
            Err(refusal) => self.end(refusal),
        };
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }
}

/// What comes next: a message as soon as there is one, progress when there was none for a while, the end when the server stops.
async fn next_frame(cursor: &mut Cursor) -> Result<Bytes, Refusal> {
    let mut shutdown = cursor.shutdown.clone();
    let frame = tokio::select! {
        biased;
        () = shutdown.stopping() => None,
        frame = walk(cursor) => Some(frame),
    };
    frame.unwrap_or_else(|| Err(stopping(cursor)))
}

async fn walk(cursor: &mut Cursor) -> Result<Bytes, Refusal> {
    loop {
        if let Some(frame) = cursor.message().await? {
            return Ok(frame);
        }
        let interval = cursor.progress_interval;
        if timeout(interval, cursor.news()).await.is_err() {
            // It was not told of what does not concern it, and passes over it now.
            let message = cursor.message().await?;
            return Ok(message.unwrap_or_else(|| cursor.progress()));
        }
    }
}

fn stopping(cursor: &Cursor) -> Refusal {
    let revision = cursor.resume_revision();
    refusal::stopping(&format!("the server is stopping; resume from revision {revision}"))
        .metadata("resume_revision", revision)
}
