//! All namespaces, and how those who wait in one keep it.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use baton_core::{BodyError, Revision, State};
use baton_log::{ArchiveReader, LogReader, ReadError, ReadLimit};
use parking_lot::RwLock;
use tokio::sync::watch;

use super::{
    EngineLimits, announcer,
    namespace::Namespace,
    readers::Readers,
    recent::{Commit, Presentation},
};
use crate::metrics::Metrics;

/// Most records that are read from the log at once.
const READ_RECORDS: usize = 256;
/// Most bytes of records that are read from the log at once, if there are more than one: what a watcher that is far behind may hold.
const READ_BYTES: usize = 256 * 1024;

type ArchiveReaders = Vec<Box<dyn ArchiveReader>>;

/// All namespaces.
pub struct Namespaces {
    by_name: RwLock<BTreeMap<Arc<str>, Arc<Namespace>>>,
    readers: Arc<Readers<dyn LogReader>>,
    pub(super) archive: Arc<Readers<dyn ArchiveReader>>,
    pub(super) archive_at_length: Arc<Readers<dyn ArchiveReader>>,
    limits: EngineLimits,
    metrics: Arc<Metrics>,
}

/// A namespace that someone waits in.
pub struct Awaited {
    namespace: Kept,
    /// The newest revision that is announced.
    pub announced: watch::Receiver<Revision>,
}

/// A namespace that is needed. If nothing has happened in it when the last one leaves who needs it, it is forgotten.
pub(super) struct Kept {
    namespaces: Arc<Namespaces>,
    namespace: Arc<Namespace>,
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
    /// The server ends.
    #[error("the read of the log was broken off")]
    BrokenOff,
}

impl Namespaces {
    pub(super) fn new(
        states: Vec<(Arc<str>, State)>,
        readers: Vec<Box<dyn LogReader>>,
        (archive, archive_at_length): (ArchiveReaders, ArchiveReaders),
        limits: EngineLimits,
        metrics: Arc<Metrics>,
    ) -> Self {
        let by_name = states.into_iter().map(|(name, state)| {
            let namespace = Namespace::new(Arc::clone(&name), state, &metrics);
            (name, namespace)
        });
        let by_name = RwLock::new(by_name.collect());
        Self {
            by_name,
            readers: Readers::new(readers),
            archive: Readers::new(archive),
            archive_at_length: Readers::new(archive_at_length),
            limits,
            metrics,
        }
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
    ///
    /// To be called on a runtime: what happens is announced by a task of its own. All who wait see events as they are presented to the first.
    pub fn await_in(
        self: &Arc<Self>,
        name: &Arc<str>,
        presentation: &'static Presentation,
    ) -> Option<Awaited> {
        let namespace = Kept { namespaces: Arc::clone(self), namespace: self.adopt(self.get_or_make(name)?) };
        let announced = namespace.announced.subscribe();
        announcer::start(&namespace, presentation);
        Some(Awaited { namespace, announced })
    }

    fn make(&self, name: &Arc<str>) -> Arc<Namespace> {
        Namespace::new(Arc::clone(name), State::new(self.limits.request_memory), &self.metrics)
    }

    /// The commits that hold `from` and what follows, some of them at once, from the log. `prepare` is done to each where it may take its time.
    ///
    /// # Errors
    /// [`ReadEvents`] if they are gone, damaged or unreadable.
    pub async fn read_log(
        &self,
        namespace: &Arc<str>,
        from: Revision,
        prepare: impl Fn(&Commit) + Send + 'static,
    ) -> Result<Vec<Arc<Commit>>, ReadEvents> {
        let limit = ReadLimit { records: READ_RECORDS, bytes: READ_BYTES };
        let namespace = Arc::clone(namespace);
        let read = self.readers.read(move |reader| {
            let records = reader.read(&namespace, from.0, limit)?;
            let commits = records.iter().map(|record| Arc::new(Commit::of(record)));
            Ok(commits.inspect(|commit| prepare(commit)).collect())
        });
        read.await.unwrap_or(Err(ReadEvents::BrokenOff))
    }

    /// The oldest and the newest revision of a namespace's log.
    ///
    /// # Errors
    /// [`ReadEvents`] if the log cannot be read.
    pub async fn log_range(&self, namespace: &Arc<str>) -> Result<(Revision, Revision), ReadEvents> {
        let namespace = Arc::clone(namespace);
        let head = self.readers.read(move |reader| reader.head(&namespace)).await;
        let head = head.ok_or(ReadEvents::BrokenOff)??;
        Ok((Revision(head.oldest_revision), Revision(head.revision)))
    }
}

impl Deref for Awaited {
    type Target = Arc<Namespace>;

    fn deref(&self) -> &Arc<Namespace> {
        &self.namespace
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        Self { namespaces: Arc::clone(&self.namespaces), namespace: Arc::clone(&self.namespace) }
    }
}

impl Deref for Kept {
    type Target = Arc<Namespace>;

    fn deref(&self) -> &Arc<Namespace> {
        &self.namespace
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let mut by_name = self.namespaces.by_name.write();
        // Two: the map's own and this. The engine holds a third from before it commits until it has published.
        if Arc::strong_count(&self.namespace) == 2 && self.namespace.read().head().0 == 0 {
            by_name.remove(&self.namespace.name);
        }
    }
}
