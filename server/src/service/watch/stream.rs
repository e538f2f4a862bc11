//! The stream that a watcher reads: a small buffer that a task of its own keeps filled from the cursor.

use std::{
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use baton_proto::v1;
use tokio::{sync::mpsc, time::sleep};
use tokio_stream::Stream;
use tonic::Status;

use super::{cursor::Cursor, places::Place};
use crate::{service::refusal, status::Refusal};

/// Messages that wait for a slow watcher. When they are there, its cursor waits.
const BUFFERED_MESSAGES: usize = 4;

/// A stream of messages, and the status it ends with.
#[derive(Debug)]
pub struct Watch {
    messages: mpsc::Receiver<v1::WatchHandoffsResponse>,
    // Apart from the messages, so that a watcher that does not read still gets its end.
    end: Arc<OnceLock<Refusal>>,
    ended: bool,
}

/// The watcher has left.
struct Left;

impl Watch {
    /// Streams what `cursor` gives until it fails, the watcher leaves, or the server stops.
    pub(super) fn start(mut cursor: Cursor, place: Place) -> Self {
        let (sender, messages) = mpsc::channel(BUFFERED_MESSAGES);
        let end = Arc::new(OnceLock::new());
        let reason = Arc::clone(&end);
        tokio::spawn(async move {
            let mut shutdown = cursor.shutdown.clone();
            let refusal = tokio::select! {
                ended = walk(&mut cursor, &sender) => ended.err(),
                () = sender.closed() => None,
                () = shutdown.stopping() => Some(stopping(&cursor)),
            };
            if let Some(refusal) = refusal {
                // Set once, here.
                let _ = reason.set(refusal);
            }
            drop(place);
        });
        Self { messages, end, ended: false }
    }
}

fn stopping(cursor: &Cursor) -> Refusal {
    let revision = cursor.resume_revision();
    refusal::stopping(&format!(
        "the server is stopping; resume after the last revision you had, at most from {revision}"
    ))
    .metadata("resume_revision", revision)
}

/// Sends what there is, then what comes, and tells of progress in between.
async fn walk(cursor: &mut Cursor, sender: &mpsc::Sender<v1::WatchHandoffsResponse>) -> Result<(), Refusal> {
    for message in cursor.first_messages() {
        if send(sender, message).await.is_err() {
            return Ok(());
        }
    }
    loop {
        let mut messages = cursor.messages().await?;
        if messages.is_empty() {
            let interval = cursor.progress_interval;
            tokio::select! {
                () = cursor.news() => continue,
                () = sleep(interval) => {}
            }
            messages.push(cursor.progress());
        }
        for message in messages {
            if send(sender, message).await.is_err() {
                return Ok(());
            }
        }
    }
}

async fn send(
    sender: &mpsc::Sender<v1::WatchHandoffsResponse>,
    message: v1::WatchHandoffsResponse,
) -> Result<(), Left> {
    sender.send(message).await.map_err(|_| Left)
}

impl Stream for Watch {
    type Item = Result<v1::WatchHandoffsResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.messages.poll_recv(context) {
            Poll::Ready(Some(message)) => Poll::Ready(Some(Ok(message))),
            Poll::Ready(None) if self.ended => Poll::Ready(None),
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(self.end.get().cloned().map(|refusal| Err(refusal.into_status())))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}
