//! Namespaces as everyone may see them: the durable state, and the newest events for watchers.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Deref,
    sync::{Arc, OnceLock},
};

use baton_core::{BodyError, Entry, Revision, State, decode_body};
use baton_log::{LogReader, ReadError, ReadLimit, Record};
use parking_lot::{Mutex, RwLock, RwLockReadGuard};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use super::EngineLimits;
use crate::metrics::Metrics;

/// Most records that are read from the log at once.
const READ_RECORDS: usize = 64;
/// Most bytes of records that are read from the log at once, if there are more than one.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// All namespaces.
pub struct Namespaces {
    by_name: RwLock<BTreeMap<Arc<str>, Arc<Namespace>>>,
    // Only for those who watch from far behind; the lock is held for one bounded read.
    reader: Mutex<Box<dyn LogReader>>,
    limits: EngineLimits,
    metrics: Arc<Metrics>,
}

/// One namespace as of its newest durable revision.
#[derive(Debug)]
pub struct Namespace {
    name: Arc<str>,
    // Written only by the engine, for as long as it takes to put a batch's changes in place.
    state: RwLock<State>,
    recent: RwLock<Recent>,
    head: watch::Sender<Revision>,
    metrics: Arc<Metrics>,
    // Made once there is something to show: names that callers make up must not fill the metrics.
    head_gauge: OnceLock<Gauge>,
}

/// A namespace that someone waits in. If nothing has happened in it when the last one leaves, it is forgotten.
pub struct Awaited {
    namespaces: Arc<Namespaces>,
    namespace: Arc<Namespace>,
}

/// What one record brought.
#[derive(Debug)]
pub struct Commit {
    /// The revision of its first entry.
    pub first_revision: Revision,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub time_us: i64,
    /// Its entries, with consecutive revisions.
    pub entries: Vec<Box<Entry>>,
    /// The size of its body, in bytes.
    pub bytes: usize,
}

/// The newest commits of a namespace, bounded by events and bytes.
#[derive(Debug, Default)]
pub struct Recent {
    commits: VecDeque<Arc<Commit>>,
    events: usize,
    bytes: usize,
}

/// Why events cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadEvents {
    /// The log said so.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// What the log gave cannot be understood.
    #[error("revision {revision}: {source}")]
    Body {
        /// The first revision of the record.
        revision: u64,
        /// Why.
        source: BodyError,
    },
}

impl Namespaces {
    pub(super) fn new(
        states: Vec<(Arc<str>, State)>,
        reader: Box<dyn LogReader>,
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let by_name = states.into_iter().map(|(name, state)| {
            let namespace = Namespace::new(Arc::clone(&name), state, &metrics);
            (name, namespace)
        });
        Self { by_name: RwLock::new(by_name.collect()), reader: Mutex::new(reader), limits, metrics }
    }

    /// The namespace of that name, if anything was ever recorded in it.
    pub fn get(&self, name: &str) -> Option<Arc<Namespace>> {
        self.by_name.read().get(name).cloned()
    }

    /// All of them, in the order of their names.
    pub fn all(&self) -> Vec<Arc<Namespace>> {
        self.by_name.read().values().cloned().collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_name.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The namespace of that name; if there is none, an empty one that nobody else sees until it is [adopted](Self::adopt). `None`: there
    /// are as many as there may be.
    pub(super) fn get_or_make(&self, name: &Arc<str>) -> Option<Arc<Namespace>> {
        let by_name = self.by_name.read();
        match by_name.get(name) {
            Some(present) => Some(Arc::clone(present)),
            None if by_name.len() >= self.limits.namespaces_max => None,
            None => Some(self.make(name)),
        }
    }

    /// Lets everyone see a namespace that was made. Gives the one that everyone sees: another of that name may have come first, empty too.
    pub(super) fn adopt(&self, made: Arc<Namespace>) -> Arc<Namespace> {
        let mut by_name = self.by_name.write();
        Arc::clone(by_name.entry(Arc::clone(&made.name)).or_insert(made))
    }

    /// The namespace of that name, for someone who waits for something to happen in it. `None`: there are as many as there may be.
    pub fn await_in(self: &Arc<Self>, name: &Arc<str>) -> Option<Awaited> {
        let namespace = self.adopt(self.get_or_make(name)?);
        Some(Awaited { namespaces: Arc::clone(self), namespace })
    }

    fn make(&self, name: &Arc<str>) -> Arc<Namespace> {
        Namespace::new(Arc::clone(name), State::new(self.limits.request_memory), &self.metrics)
    }

    /// The commits that hold `from` and what follows, some of them at once, from the log. Blocks.
    ///
    /// # Errors
    /// [`ReadEvents`] if they are gone, damaged or unreadable.
    pub fn read_log(&self, namespace: &str, from: Revision) -> Result<Vec<Arc<Commit>>, ReadEvents> {
        let limit = ReadLimit { records: READ_RECORDS, bytes: READ_BYTES };
        let records = self.reader.lock().read(namespace, from.0, limit)?;
        records.iter().map(|record| Commit::from_record(record).map(Arc::new)).collect()
    }

    /// The oldest and the newest revision of a namespace's log. Blocks.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub fn log_range(&self, namespace: &str) -> Result<(u64, u64), ReadError> {
        let head = self.reader.lock().head(namespace)?;
        Ok((head.oldest_revision, head.revision))
    }
}

impl Deref for Awaited {
    type Target = Arc<Namespace>;

    fn deref(&self) -> &Arc<Namespace> {
        &self.namespace
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        let mut by_name = self.namespaces.by_name.write();
        // Two: the map's own and this. The engine holds a third from before it commits until it has published.
        if Arc::strong_count(&self.namespace) == 2 && self.namespace.read().head().0 == 0 {
            by_name.remove(&self.namespace.name);
        }
    }
}

impl Namespace {
    fn new(name: Arc<str>, state: State, metrics: &Arc<Metrics>) -> Arc<Self> {
        let head = watch::Sender::new(state.head());
        let namespace = Self {
            name,
            state: RwLock::new(state),
            recent: RwLock::default(),
            head,
            metrics: Arc::clone(metrics),
            head_gauge: OnceLock::new(),
        };
        namespace.show_head();
        Arc::new(namespace)
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its durable state. Hold it briefly: the engine waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Its newest durable revision, to wait on.
    pub fn head(&self) -> watch::Receiver<Revision> {
        self.head.subscribe()
    }

    /// The commits from the one that holds `from` on; `None`: some of them are no longer in memory.
    pub fn recent(&self, from: Revision) -> Option<Vec<Arc<Commit>>> {
        let recent = self.recent.read();
        let oldest = recent.commits.front()?.first_revision;
        if from < oldest {
            return None;
        }
        let start = recent.commits.partition_point(|commit| commit.last_revision() < from);
        Some(recent.commits.range(start..).take(READ_RECORDS).cloned().collect())
    }

    /// Puts a durable commit in place: state first, then watchers.
    pub(super) fn publish(&self, changes: baton_core::Changes, commit: Commit, limits: &EngineLimits) {
        let head = changes.head();
        self.state.write().absorb(changes);
        self.recent.write().push(Arc::new(commit), limits);
        self.head.send_replace(head);
        self.show_head();
    }

    fn show_head(&self) {
        let head = self.head.borrow().0;
        if head > 0 {
            let gauge = self.head_gauge.get_or_init(|| self.metrics.head_revision(&self.name));
            gauge.set(i64::try_from(head).unwrap_or(i64::MAX));
        }
    }
}

impl Commit {
    /// The revision of its last entry.
    pub fn last_revision(&self) -> Revision {
        Revision(self.first_revision.0 + self.entries.len() as u64 - 1)
    }

    /// Its entries with their revisions, from `from` on.
    pub fn entries_from(&self, from: Revision) -> impl Iterator<Item = (Revision, &Entry)> {
        let numbered = self.entries.iter().enumerate();
        numbered
            .map(|(index, entry)| (Revision(self.first_revision.0 + index as u64), &**entry))
            .filter(move |(revision, _)| *revision >= from)
    }

    pub(super) fn from_record(record: &Record) -> Result<Self, ReadEvents> {
        let entries = decode_body(record.format, &record.body)
            .map_err(|source| ReadEvents::Body { revision: record.first_revision, source })?;
        Ok(Self {
            first_revision: Revision(record.first_revision),
            time_us: record.time_us,
            entries: entries.into_iter().map(Box::new).collect(),
            bytes: record.body.len(),
        })
    }
}

impl Recent {
    fn push(&mut self, commit: Arc<Commit>, limits: &EngineLimits) {
        self.events += commit.entries.len();
        self.bytes += commit.bytes;
        self.commits.push_back(commit);
        while self.events > limits.recent_events_max || self.bytes > limits.recent_bytes_max {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.events -= oldest.entries.len();
            self.bytes -= oldest.bytes;
        }
    }
}
