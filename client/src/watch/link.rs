//! The connection under a watch: makes it anew when it is lost, where it was left off.
//!
//! Knows nothing of events: it hands on messages.

use std::time::Duration;

use baton_proto::v1;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Streaming};

use super::Cursor;
use crate::{
    call::Call,
    error::{Error, Origin, from_status},
    handoff::{Handoff, handoff_from_wire},
    services,
};

/// How often the server tells its progress unless it is asked to do so at another pace.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(15);
/// After so many intervals without a message, the connection counts as lost.
const SILENT_INTERVALS_MAX: u32 = 3;
/// Longest pause that a server is granted before it is asked again: it may well be another server by then.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// What tonic says of a stream that ends within a message.
const CUT_OFF: &str = "Unexpected EOF decoding stream.";

/// A stream of messages and what it takes to open it again.
pub(super) struct Link {
    call: Call,
    request: v1::WatchHandoffsRequest,
    silence_max: Duration,
    give_up_after: Option<Duration>,
    stream: Option<Open>,
    /// Since when nothing has come, and how often connecting has failed since.
    outage: Option<(Instant, u32)>,
}

/// An open stream, and the endpoint that it comes from.
struct Open {
    messages: Streaming<v1::WatchHandoffsResponse>,
    endpoint: usize,
}

impl Link {
    pub(super) fn new(
        call: Call,
        request: v1::WatchHandoffsRequest,
        progress_interval: Option<Duration>,
        give_up_after: Option<Duration>,
    ) -> Self {
        let interval = progress_interval.unwrap_or(PROGRESS_INTERVAL);
        let silence_max = interval.saturating_mul(SILENT_INTERVALS_MAX);
        Self { call, request, silence_max, give_up_after, stream: None, outage: None }
    }

    /// Opens the stream where `request` says.
    pub(super) async fn open(&mut self) -> Result<(), Error> {
        let opened = self
            .call
            .clone()
            .open(self.request.clone(), |channel, request| async move {
                services::handoffs(channel).watch_handoffs(request).await
            })
            .await;
        if matches!(opened, Err(Error::DeadlineExceeded { .. })) {
            // A stream begins at once or not at all: whoever lets it wait for the whole deadline hangs, and another one may not.
            let endpoints = self.call.client.endpoints();
            endpoints.leave(endpoints.current().index);
        }
        let (messages, endpoint) = opened?;
        self.stream = Some(Open { messages, endpoint });
        Ok(())
    }

    /// Receives a whole snapshot: the open hand-offs, and the message that ended it. If the connection is lost, a new snapshot is begun.
    pub(super) async fn snapshot(&mut self) -> Result<(Vec<Handoff>, v1::WatchHandoffsResponse), Error> {
        loop {
            let mut open_handoffs = Vec::new();
            while let Some(mut message) = self.receive().await? {
                open_handoffs.extend(message.open_handoffs.drain(..).map(handoff_from_wire));
                if !message.snapshot_continues {
                    return Ok((open_handoffs, message));
                }
            }
            self.reconnect().await?;
        }
    }

    /// The next message, over as many connections as it takes; new ones go on after `cursor`.
    pub(super) async fn next(&mut self, cursor: &Cursor) -> Result<v1::WatchHandoffsResponse, Error> {
        loop {
            if let Some(message) = self.receive().await? {
                return Ok(message);
            }
            self.request.snapshot = false;
            self.request.start_revision = cursor.revision + 1;
            self.request.log_id.clone_from(&cursor.log_id);
            self.reconnect().await?;
        }
    }

    /// The next message of this connection; nothing if it is lost.
    async fn receive(&mut self) -> Result<Option<v1::WatchHandoffsResponse>, Error> {
        let Some(open) = &mut self.stream else {
            return Ok(None);
        };
        let lost = match timeout(self.silence_max, open.messages.message()).await {
            Ok(Ok(Some(message))) => {
                self.outage = None;
                return Ok(Some(message));
            }
            Ok(Err(status)) => Some(from_status(status, Origin::default())),
            Ok(Ok(None)) | Err(_) => None,
        };
        self.call.client.endpoints().leave(open.endpoint);
        self.stream = None;
        match lost {
            Some(error) if !is_passing(&error) => Err(error),
            _ => Ok(None),
        }
    }

    /// Opens the stream again, however long it takes, unless there is a limit to that.
    async fn reconnect(&mut self) -> Result<(), Error> {
        loop {
            let (since, failures) = self.outage.unwrap_or((Instant::now(), 0));
            self.outage = Some((since, failures.saturating_add(1)));
            sleep(self.call.client.retry().backoff(failures + 1, fastrand::f64())).await;
            let error = match self.open().await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let given_up = self.give_up_after.is_some_and(|limit| since.elapsed() >= limit);
            if given_up || !is_passing(&error) {
                return Err(error);
            }
            sleep(error.retry_after().unwrap_or_default().min(RETRY_AFTER_MAX)).await;
        }
    }
}

/// Whether connecting again may help. CANCELLED, which nobody here asked for, is what proxies say that cut long streams.
fn is_passing(error: &Error) -> bool {
    error.is_retryable()
        || matches!(error.code(), Code::DeadlineExceeded | Code::Cancelled)
        || is_cut_off(error)
}

/// Whether the stream was ended in an orderly way in the middle of a message, as some proxies do. The decoder calls that INTERNAL, in these words.
fn is_cut_off(error: &Error) -> bool {
    error.code() == Code::Internal && error.status().message() == CUT_OFF
}
