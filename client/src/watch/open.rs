//! Says what is to be watched, and begins.
//!
//! Knows nothing of what happens when the connection is lost.

use std::time::Duration;

use baton_proto::v1;
use tokio::time::timeout;
use tonic::Status;

use super::{Cursor, EventType, Watch, link::Link};
use crate::{
    call::Call,
    client::Client,
    error::{Error, FieldViolation, Origin, from_status},
    setters::{awaitable, deadline_setter},
    to_wire,
};

/// Watches a namespace. See [`Client::watch`].
///
/// Several values of one filter widen it; several filters narrow each other. At most 1,000 values in all.
#[derive(Clone, Debug)]
#[must_use = "a watch begins when it is awaited"]
pub struct WatchEvents {
    call: Call,
    request: v1::WatchHandoffsRequest,
    progress_interval: Option<Duration>,
    give_up_after: Option<Duration>,
    wants_snapshot: bool,
}

impl WatchEvents {
    /// Begins with this revision instead of with what happens from now on, which 0 stands for.
    pub fn from_revision(mut self, revision: u64) -> Self {
        self.request.start_revision = revision;
        self
    }

    /// Refuses to watch another log than this: the one that the revision belongs to.
    pub fn log_id(mut self, log_id: impl Into<String>) -> Self {
        self.request.log_id = log_id.into();
        self
    }

    /// Goes on after a stored cursor.
    pub fn resume(self, cursor: &Cursor) -> Self {
        self.from_revision(cursor.revision.saturating_add(1)).log_id(&cursor.log_id)
    }

    /// Also gets the hand-offs that are open now, all of them in memory: see [`Watch::open_handoffs`]. Not together with a revision.
    pub fn snapshot(mut self) -> Self {
        self.wants_snapshot = true;
        self
    }

    /// Only events of this task.
    pub fn task(self, task_id: impl Into<String>) -> Self {
        self.filter(|filter| filter.task_ids.push(task_id.into()))
    }

    /// Only events in which this agent takes part: as sender, receiver, owner, or as the one whose state changed.
    pub fn agent(self, agent: impl Into<String>) -> Self {
        self.filter(|filter| filter.agent_ids.push(agent.into()))
    }

    /// Only hand-offs sent by this agent.
    pub fn from_agent(self, agent: impl Into<String>) -> Self {
        self.filter(|filter| filter.from_agents.push(agent.into()))
    }

    /// Only hand-offs to this agent.
    pub fn to_agent(self, agent: impl Into<String>) -> Self {
        self.filter(|filter| filter.to_agents.push(agent.into()))
    }

    /// Only events of these types.
    pub fn types(self, types: impl IntoIterator<Item = EventType>) -> Self {
        self.filter(|filter| filter.types.extend(types.into_iter().map(EventType::to_wire)))
    }

    fn filter(mut self, change: impl FnOnce(&mut v1::WatchFilter)) -> Self {
        change(self.request.filter.get_or_insert_default());
        self
    }

    /// Gives the events of tasks, states and rules too. Without a filter, revisions then come without gaps.
    pub fn all_events(mut self) -> Self {
        self.request.all_events = true;
        self
    }

    /// Has the server tell how far it is whenever nothing matched for this long: 100 ms to 1 h; otherwise 15 s.
    ///
    /// A connection that is silent for three times as long counts as lost.
    pub fn progress_interval(mut self, interval: Duration) -> Self {
        self.progress_interval = Some(interval);
        self
    }

    /// Ends the watch with an error when no server could be reached for this long; otherwise it never gives up.
    pub fn give_up_after(mut self, outage: Duration) -> Self {
        self.give_up_after = Some(outage);
        self
    }

    deadline_setter!();

    /// Begins to watch. Whatever happens after the return is seen; the deadline is for the beginning alone.
    ///
    /// # Errors
    /// [`Error::Compacted`] or [`Error::RevisionInFuture`] if the revision is not kept any more, or not there yet; [`Error::LogMismatch`]; or those of every
    /// call, if no server can be reached at first. The watch may give any of them later as well.
    pub async fn send(mut self) -> Result<Watch, Error> {
        let from_now = self.request.start_revision == 0;
        if self.wants_snapshot && !from_now {
            let problem = "goes only without a revision: it is about now".to_owned();
            self.call.invalid.push(FieldViolation::new("snapshot", problem));
        }
        // A watch from now on begins with a snapshot too: it tells at once which revision "now" is, and without knowing that, a connection lost
        // before the first message would lose events.
        self.request.snapshot = from_now;
        self.request.progress_interval = self.progress_interval.map(to_wire::duration);
        let cursor = Cursor {
            revision: self.request.start_revision.saturating_sub(1),
            log_id: self.request.log_id.clone(),
        };
        let deadline = self.call.deadline.unwrap_or(self.call.client.deadline());
        let mut link = Link::new(self.call, self.request, self.progress_interval, self.give_up_after);
        link.open().await?;
        if !from_now {
            return Ok(Watch::new(link, cursor));
        }
        let (open_handoffs, message) = match timeout(deadline, link.snapshot()).await {
            Ok(snapshot) => snapshot?,
            Err(_elapsed) => {
                let status = Status::deadline_exceeded("the snapshot was not complete before the deadline");
                return Err(from_status(status, Origin::default()));
            }
        };
        let mut watch = Watch::new(link, cursor);
        watch.accept(message)?;
        if self.wants_snapshot {
            watch.open_handoffs = open_handoffs;
        }
        Ok(watch)
    }
}

awaitable!(WatchEvents => Result<Watch, Error>);

impl Client {
    /// Watches hand-offs, or [all events](WatchEvents::all_events), as they become durable.
    ///
    /// ```no_run
    /// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
    /// use baton_client::EventType;
    ///
    /// let mut watch = client.watch().to_agent("billing").types([EventType::HandoffCompleted]).await?;
    /// while let Some(event) = watch.next().await {
    ///     if let Some(handoff) = event?.handoff {
    ///         client.receive(&handoff)?.start().await?;
    ///     }
    ///     // Store `watch.cursor()` here to go on from it later with `resume`.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn watch(&self) -> WatchEvents {
        WatchEvents {
            call: Call::new(self),
            request: v1::WatchHandoffsRequest {
                namespace: self.namespace().to_owned(),
                ..Default::default()
            },
            progress_interval: None,
            give_up_after: None,
            wants_snapshot: false,
        }
    }
}
