//! The newest commits of a namespace, kept for those who watch.
//!
//! A commit is kept as the log has it, and is encoded for the wire once, by the first watcher that needs it; nobody else encodes it again.
//! Knows nothing of how events look on the wire.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, OnceLock},
};

use baton_core::{AgentId, BodyError, Entry, Revision, TaskId, decode_body};
use baton_log::Record;
use bytes::Bytes;

/// A commit is counted with so many times the size of its body: encoded, with the keys of its events, it takes about twice that again.
const BODY_FACTOR: usize = 3;

/// What one record brought.
pub struct Commit {
    first_revision: Revision,
    event_count: u32,
    time_us: i64,
    format: u16,
    body: Bytes,
    encoded: OnceLock<Result<Encoded, BodyError>>,
}

/// The events of a commit as they are streamed, one after the other.
#[derive(Debug, Default)]
pub struct Encoded {
    /// All of them.
    pub bytes: Bytes,
    /// One for each, in order.
    pub events: Vec<EncodedEvent>,
}

/// One event within [`Encoded`].
#[derive(Debug)]
pub struct EncodedEvent {
    /// Where its bytes end; they begin where those of the event before end.
    pub end: usize,
    /// What it can be found by.
    pub key: EventKey,
}

/// What filters look at.
#[derive(Debug)]
pub struct EventKey {
    /// The number of its type in the contract.
    pub kind: i32,
    /// Whether it is an event of a hand-off; `agents` are then the sender and the receiver.
    pub of_handoff: bool,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// Who takes part.
    pub agents: [Option<AgentId>; 2],
}

/// The newest commits of a namespace, bounded by events and bytes.
#[derive(Debug, Default)]
pub(super) struct Recent {
    commits: VecDeque<Arc<Commit>>,
    events: usize,
    bytes: usize,
}

impl Commit {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            first_revision: Revision(record.first_revision),
            event_count: record.event_count,
            time_us: record.time_us,
            format: record.format,
            body: record.body.clone(),
            encoded: OnceLock::new(),
        }
    }

    /// The revision of its first event.
    pub fn first_revision(&self) -> Revision {
        self.first_revision
    }

    /// The revision of its last event.
    pub fn last_revision(&self) -> Revision {
        Revision(self.first_revision.0 + u64::from(self.event_count) - 1)
    }

    /// When it was recorded, in microseconds since the Unix epoch.
    pub fn time_us(&self) -> i64 {
        self.time_us
    }

    /// Its events encoded: by `encode`, unless somebody has had that done before.
    ///
    /// # Errors
    /// [`BodyError`] if what the log holds cannot be understood.
    pub fn encoded(&self, encode: impl FnOnce(&Self, &[Entry]) -> Encoded) -> Result<&Encoded, &BodyError> {
        let encoded = self.encoded.get_or_init(|| {
            let entries = decode_body(self.format, &self.body)?;
            Ok(encode(self, &entries))
        });
        encoded.as_ref()
    }

    fn bytes(&self) -> usize {
        self.body.len().saturating_mul(BODY_FACTOR)
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Commit")
            .field("first_revision", &self.first_revision)
            .field("event_count", &self.event_count)
            .finish_non_exhaustive()
    }
}

impl Recent {
    /// Adds the newest commit, and lets the oldest go that there is no room for.
    pub(super) fn push(&mut self, commit: Arc<Commit>, events_max: usize, bytes_max: usize) {
        self.events += commit.event_count as usize;
        self.bytes += commit.bytes();
        self.commits.push_back(commit);
        while self.events > events_max || self.bytes > bytes_max {
            if !self.pop() {
                break;
            }
        }
    }

    /// Lets the commits go that end before `oldest`.
    pub(super) fn forget_before(&mut self, oldest: Revision) {
        while self.commits.front().is_some_and(|commit| commit.last_revision() < oldest) {
            self.pop();
        }
    }

    /// Lets the oldest commit go, if there is one.
    fn pop(&mut self) -> bool {
        let Some(oldest) = self.commits.pop_front() else { return false };
        self.events -= oldest.event_count as usize;
        self.bytes -= oldest.bytes();
        true
    }

    /// At most `count_max` commits from the one that holds `from` on; `None`: it is not here any more.
    pub(super) fn from(&self, from: Revision, count_max: usize) -> Option<Vec<Arc<Commit>>> {
        if from < self.commits.front()?.first_revision {
            return None;
        }
        let start = self.commits.partition_point(|commit| commit.last_revision() < from);
        Some(self.commits.range(start..).take(count_max).cloned().collect())
    }
}
