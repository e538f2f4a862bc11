//! What one watcher saw: what it asked for, every message as it came, and how each of its streams ended.
//!
//! Knows nothing of what is right.

use baton_proto::v1::{HandoffEvent, WatchHandoffsRequest, WatchHandoffsResponse};

/// All that one watcher saw, over all of its streams.
#[derive(Debug)]
pub(super) struct Watch {
    /// Tells it from the others of its run.
    pub(super) name: String,
    pub(super) streams: Vec<Stream>,
}

/// One stream of a watch: the first, or one with which it was resumed.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) request: WatchHandoffsRequest,
    /// A head of the namespace that was told before the stream was asked for; 0 if nobody asked.
    pub(super) head_before: u64,
    pub(super) messages: Vec<Seen>,
    pub(super) end: End,
    /// The watcher has acted on everything up to here and goes on after it, perhaps from within a message. `None`: it has no place to go on from
    /// and begins anew.
    pub(super) acted: Option<u64>,
    /// The oldest and the newest revision in the log that the stream's server left behind.
    pub(super) durable: Option<(u64, u64)>,
}

/// One message.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) message: WatchHandoffsResponse,
    /// The newest revision that was durable when it came, if somebody looked.
    pub(super) durable: Option<u64>,
    /// The head of the namespace as a reader was told it right after, if one asked.
    pub(super) head_after: Option<u64>,
}

/// How a stream ended.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    /// The watcher left.
    Left,
    /// The server is stopping, and said from where to resume.
    Stopping { resume_revision: u64 },
    /// The next revision is no longer there, and this is what is.
    Compacted { oldest: u64, newest: u64 },
    /// Without a status that says why.
    Silent,
    /// The server was killed.
    Killed,
}

impl Watch {
    /// The events that the watcher acted on, in the order in which they came.
    pub(super) fn acted_on(&self) -> impl Iterator<Item = &HandoffEvent> {
        self.streams.iter().flat_map(|stream| {
            let acted = stream.acted.unwrap_or(0);
            stream.events().filter(move |event| event.revision <= acted)
        })
    }
}

impl Stream {
    /// One of which nothing has come yet.
    pub(super) fn new(request: WatchHandoffsRequest, head_before: u64) -> Self {
        Self { request, head_before, messages: Vec::new(), end: End::Left, acted: None, durable: None }
    }

    /// All events, in the order in which they came.
    pub(super) fn events(&self) -> impl Iterator<Item = &HandoffEvent> {
        self.messages.iter().flat_map(|seen| &seen.message.events)
    }

    /// The first revision that was asked for: as the request says, or what followed when it was answered.
    pub(super) fn start(&self) -> Option<u64> {
        match self.request.start_revision {
            0 => self.messages.first().map(|seen| seen.message.revision + 1),
            given => Some(given),
        }
    }

    /// The newest revision up to which the watcher was told that it has everything.
    pub(super) fn told(&self) -> Option<u64> {
        self.messages.iter().map(|seen| seen.message.revision).max()
    }

    /// Whether the snapshot, if one was asked for, came to its end.
    pub(super) fn has_begun(&self) -> bool {
        self.messages.iter().any(|seen| !seen.message.snapshot_continues)
    }

    /// A name for people.
    pub(super) fn describe(&self) -> String {
        let WatchHandoffsRequest { start_revision, snapshot, all_events, filter, .. } = &self.request;
        let filter = filter.as_ref().map_or_else(String::new, |filter| format!(", {filter:?}"));
        format!(
            "stream from {start_revision}, snapshot: {snapshot}, all events: {all_events}{filter}, ended {:?}, acted up to {:?}",
            self.end, self.acted
        )
    }
}
