//! The newest commits of a namespace, kept for those who watch.
//!
//! A commit is kept as the log has it. What its events can be found by, and their bytes on the wire, are made once, by the first who needs
//! them. Knows nothing of how events look on the wire.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, OnceLock},
};

use baton_core::{BodyError, Entry, Event, Revision, decode_body};
use baton_log::Record;
use bytes::Bytes;

use super::wanted::EventKey;

/// A commit is counted with so many times the size of its body: encoded, with the keys of its events, it takes about twice that again.
const BODY_FACTOR: usize = 3;

/// What one record brought.
pub struct Commit {
    first_revision: Revision,
    event_count: u32,
    time_us: i64,
    format: u16,
    body: Bytes,
    keys: OnceLock<Result<Vec<EventKey>, BodyError>>,
    encoded: OnceLock<Encoded>,
}

/// How events look to those who watch.
#[derive(Debug)]
pub struct Presentation {
    /// What filters look at.
    pub key: fn(&Event) -> EventKey,
    /// The events of a commit of the namespace of that name, as they are streamed.
    pub encode: fn(namespace: &str, commit: &Commit, entries: &[Entry]) -> Encoded,
}

/// The events of a commit as they are streamed, one after the other.
#[derive(Debug, Default)]
pub struct Encoded {
    /// All of them.
    pub bytes: Bytes,
    /// Where the bytes of each end; they begin where those of the event before end.
    pub ends: Vec<usize>,
}

/// A commit that is being looked at.
pub struct Reading<'a> {
    commit: &'a Commit,
    presentation: &'a Presentation,
    /// What each of its events can be found by, in order.
    pub keys: &'a [EventKey],
    // What was decoded for the keys: then it need not be decoded again for the wire.
    entries: Option<Vec<Entry>>,
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
            keys: OnceLock::new(),
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

    /// Looks at it: at what its events can be found by, and, if need be, at their bytes on the wire.
    ///
    /// # Errors
    /// [`BodyError`] if what the log holds cannot be understood.
    pub fn read<'a>(&'a self, presentation: &'a Presentation) -> Result<Reading<'a>, &'a BodyError> {
        let mut entries = None;
        let keys = self.keys.get_or_init(|| {
            let decoded = decode_body(self.format, &self.body)?;
            let keys = decoded.iter().map(|entry| (presentation.key)(&entry.event)).collect();
            entries = Some(decoded);
            Ok(keys)
        });
        Ok(Reading { commit: self, presentation, keys: keys.as_ref()?, entries })
    }

    /// About what it takes at most, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.body.len().saturating_mul(BODY_FACTOR).saturating_add(size_of::<Self>())
    }
}

impl<'a> Reading<'a> {
    /// Its events encoded for those who watch the namespace of that name; they are encoded now unless that was done before.
    pub fn encoded(&mut self, namespace: &str) -> &'a Encoded {
        let Self { commit, presentation, entries, .. } = self;
        commit.encoded.get_or_init(|| {
            let entries = entries.take().unwrap_or_else(|| {
                decode_body(commit.format, &commit.body).expect("it was understood when its keys were made")
            });
            (presentation.encode)(namespace, commit, &entries)
        })
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
