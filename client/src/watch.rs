//! Watching: every matching event once and in order, through lost connections.
//!
//! Knows nothing of how a lost connection is made anew: `watch/link.rs` does.

mod cursor;
mod event;
mod from_wire;
mod link;
mod open;

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use baton_proto::v1;
use tokio_stream::Stream;
use tonic::Status;

pub use self::{
    cursor::Cursor,
    event::{Event, EventType},
    open::WatchEvents,
};
use self::{from_wire::event_from_wire, link::Link};
use crate::{error::Error, handoff::Handoff, setters::CallFuture};

/// The link, on its way back with the next message.
type Receiving = CallFuture<(Link, Result<v1::WatchHandoffsResponse, Error>)>;

/// A watch that is under way, as a [`Stream`] of events.
///
/// When the connection is lost, or says nothing for too long, it connects again, to the next endpoint if there are several, and goes on after the last event
/// that it has given.
///
/// It ends after an error, which is one that connecting again does not help against. Some of them tell of a gap, that is of events that this watch will never
/// give; whoever gets one has to decide how to go on:
///
/// - [`Error::Compacted`]: the server no longer keeps what comes next. Those from [`revision`](Self::revision) + 1 to `oldest` - 1 are gone.
/// - [`Error::LogMismatch`]: it serves another log than before; revisions mean something else there.
/// - [`Error::RevisionInFuture`]: its log ends before what was given, as after a restore from a backup.
///
/// What holds now is told by a new watch with [`WatchEvents::snapshot`], which goes on from there without a gap. Who wants what is still kept instead
/// begins with [`from_revision(oldest)`](WatchEvents::from_revision).
///
/// ```no_run
/// # fn deal_with(event: baton_client::Event) {}
/// # fn begin_anew(open_handoffs: &[baton_client::Handoff]) {}
/// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
/// use baton_client::Error;
///
/// let mut watch = client.watch().from_revision(1).await?;
/// while let Some(event) = watch.next().await {
///     match event {
///         Ok(event) => deal_with(event),
///         Err(Error::Compacted { oldest, .. }) => {
///             eprintln!("missed revisions {} to {}", watch.revision() + 1, oldest - 1);
///             watch = client.watch().snapshot().await?;
///             begin_anew(watch.open_handoffs());
///         }
///         Err(error) => return Err(error),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Watch {
    state: State,
    ready: VecDeque<Event>,
    /// The cursor once `ready` has been given.
    reached: u64,
    cursor: Cursor,
    open_handoffs: Vec<Handoff>,
}

enum State {
    /// Between two messages. The link is boxed because it is moved with each.
    Resting(Box<Link>),
    Receiving(Receiving),
    Ended,
}

impl Watch {
    fn new(link: Link, cursor: Cursor) -> Self {
        Self {
            state: State::Resting(Box::new(link)),
            ready: VecDeque::new(),
            reached: cursor.revision,
            cursor,
            open_handoffs: Vec::new(),
        }
    }

    /// The next event; nothing after the watch has ended with an error.
    ///
    /// May be dropped while it waits: no event is lost.
    ///
    /// # Errors
    /// Those that connecting again does not help against; nothing comes after one.
    pub async fn next(&mut self) -> Option<Result<Event, Error>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// How far the caller has been given events. Store it once they are dealt with, to go on from there with [`WatchEvents::resume`].
    ///
    /// It moves on without events too, when the server says that none have matched.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// The last revision up to which the caller has been given every matching event.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.cursor.revision
    }

    /// The log that the revisions belong to; empty until the server has told.
    #[must_use]
    pub fn log_id(&self) -> &str {
        &self.cursor.log_id
    }

    /// With [`WatchEvents::snapshot`], the hand-offs that were open when the watch began. The events tell what became of them since.
    #[must_use]
    pub fn open_handoffs(&self) -> &[Handoff] {
        &self.open_handoffs
    }

    /// Takes a message in; drops what the caller has been given before. Refuses one of another log, which a server that does not look at the cursor's
    /// may send: its revisions would be taken for the next of this one.
    fn accept(&mut self, message: v1::WatchHandoffsResponse) -> Result<(), Error> {
        if self.cursor.log_id.is_empty() {
            self.cursor.log_id = message.log_id;
        } else if !message.log_id.is_empty() && self.cursor.log_id != message.log_id {
            let said = format!("the events are of log {}, not of {}", message.log_id, self.cursor.log_id);
            return Err(Error::LogMismatch {
                log_id: message.log_id,
                status: Status::failed_precondition(said),
            });
        }
        let given = self.reached;
        let new = message.events.into_iter().filter(|event| event.revision > given);
        self.ready.extend(new.map(event_from_wire));
        let last = self.ready.back().map_or(given, |event| event.revision);
        self.reached = last.max(message.revision);
        if self.ready.is_empty() {
            self.cursor.revision = self.reached;
        }
        Ok(())
    }

    fn give(&mut self) -> Option<Event> {
        let event = self.ready.pop_front()?;
        self.cursor.revision = if self.ready.is_empty() { self.reached } else { event.revision };
        Some(event)
    }

    /// Waits for the next message, wherever the last wait was left off.
    fn poll_message(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<v1::WatchHandoffsResponse, Error>>> {
        let mut receiving = match std::mem::replace(&mut self.state, State::Ended) {
            State::Ended => return Poll::Ready(None),
            State::Receiving(receiving) => receiving,
            State::Resting(mut link) => {
                let cursor = self.cursor.clone();
                Box::pin(async move {
                    let message = link.next(&cursor).await;
                    (*link, message)
                })
            }
        };
        let Poll::Ready((link, message)) = receiving.as_mut().poll(context) else {
            self.state = State::Receiving(receiving);
            return Poll::Pending;
        };
        if message.is_ok() {
            self.state = State::Resting(Box::new(link));
        }
        Poll::Ready(Some(message))
    }
}

impl Stream for Watch {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.give() {
                return Poll::Ready(Some(Ok(event)));
            }
            let accepted = match ready!(self.poll_message(context)) {
                Some(message) => message.and_then(|message| self.accept(message)),
                None => return Poll::Ready(None),
            };
            if let Err(error) = accepted {
                self.state = State::Ended;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Watch")
            .field("cursor", &self.cursor)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
