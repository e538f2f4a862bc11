//! The checkpoints of all namespaces: saves new ones, of snapshots or of what it replays, and knows which can be started from.
//!
//! Keeps the newest two that can be, so that one that is damaged later costs time and nothing else. Knows nothing of when one is wanted.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use baton_core::{CHECKPOINT_FORMAT, RequestMemory, Revision, State, StoredRequests};
use baton_log::{
    Archive, ArchiveError, CheckpointError, CheckpointHead, CheckpointUnreadable, Checkpoints, Hash, Head,
    LogReader, ReadError,
};
use tracing::{debug, warn};

use super::{
    OpenEngineError,
    attic::take_out,
    forgetting::Forgets,
    open::from_checkpoint,
    replay::catch_up,
    segments::{self, Complete, Incomplete, in_segments},
    snapshots::is_due,
    trust::judge,
};

/// How many checkpoints of each namespace are kept.
const KEPT: usize = 2;

/// The checkpoints, the archive of what they leave out, and the log that both are made from.
pub(super) struct Shelf {
    reader: Box<dyn LogReader>,
    checkpoints: Box<dyn Checkpoints>,
    archive: Box<dyn Archive>,
    /// How the engine's states are told what is kept elsewhere, once there is an engine.
    forgets: Option<Forgets>,
    memory: RequestMemory,
    /// Fewest events between two checkpoints; after so many, what rests is archived.
    checkpoint_events: u64,
    /// Those that can be started from, newest first, of each namespace that was looked at.
    usable: BTreeMap<Arc<str>, Vec<CheckpointHead>>,
    /// The namespaces and revisions of those that were read to their end: they need not be read again to know that they are whole.
    read: BTreeSet<(Arc<str>, u64)>,
}

/// Why it is not known which checkpoints can be used, or why there are no new ones.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShelfError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Checkpoints(#[from] CheckpointError),
    #[error(transparent)]
    Segments(#[from] Incomplete),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Replay(#[from] OpenEngineError),
}

/// How far a state was brought.
pub(super) struct Advanced {
    /// The hash of the last record that was replayed; `None`: there was nothing to replay.
    pub(super) hash: Option<Hash>,
    /// The newest checkpoint that was saved on the way, if one was.
    pub(super) saved: Option<Revision>,
}

impl Shelf {
    pub(super) fn new(
        reader: Box<dyn LogReader>,
        (checkpoints, archive): (Box<dyn Checkpoints>, Box<dyn Archive>),
        memory: RequestMemory,
        checkpoint_events: u64,
    ) -> Self {
        let (usable, read) = (BTreeMap::new(), BTreeSet::new());
        Self { reader, checkpoints, archive, forgets: None, memory, checkpoint_events, usable, read }
    }

    /// Tells the engine from now on what is kept elsewhere.
    pub(super) fn tell(&mut self, forgets: Forgets) {
        self.forgets = Some(forgets);
    }

    /// What a start begins from, with the archive rolled back to it.
    pub(super) fn begin(&mut self, head: &Head) -> Result<State, OpenEngineError> {
        let state = self.base(head, Revision(head.revision))?;
        // A state that leaves nothing to the archive may stand where that was pruned already.
        let archived_for = if state.archived_count() == 0 { Revision(0) } else { state.head() };
        self.archive.roll_back(&head.namespace, archived_for.0)?;
        Ok(state)
    }

    /// Replays what the log has after `state` up to `until`. Where that is much, archives what rests on the way, and saves checkpoints, so
    /// that memory stays bounded.
    pub(super) fn advance(
        &mut self,
        namespace: &Arc<str>,
        state: &mut State,
        until: Revision,
    ) -> Result<Advanced, OpenEngineError> {
        let (begun, mut advanced) = (state.head(), Advanced { hash: None, saved: None });
        loop {
            let step = Revision(state.head().0.saturating_add(self.checkpoint_events)).min(until);
            let replayed = catch_up(&mut *self.reader, &*self.archive, namespace, state, step)?;
            let Some(hash) = replayed else { return Ok(advanced) };
            advanced.hash = Some(hash);
            if state.head() >= until {
                return Ok(advanced);
            }
            if let Err(error) = self.take_out(namespace, state) {
                warn!(%namespace, %error, "finished tasks stay in memory");
                continue;
            }
            let since = state.head().0 - advanced.saved.unwrap_or(begun).0;
            if is_due(since, state.copied_count(), self.checkpoint_events) {
                self.save_and_let_go(namespace, state, hash);
                advanced.saved = Some(state.head());
            }
        }
    }

    /// Moves the finished tasks that rest from `state` to the archive, and has the engine's state forget them.
    fn take_out(&mut self, namespace: &Arc<str>, state: &mut State) -> Result<(), ArchiveError> {
        let mut forgets = self.forgets.as_mut();
        take_out(state, namespace, &mut *self.archive, |tasks| {
            if let Some(forgets) = &mut forgets {
                forgets.tasks(namespace, tasks);
            }
        })
    }

    /// The log.
    pub(super) fn log(&self) -> &dyn LogReader {
        &*self.reader
    }

    /// The newest checkpoints of a namespace that can be started from, newest first.
    fn usable(&mut self, namespace: &Arc<str>) -> Result<&[CheckpointHead], ShelfError> {
        if !self.usable.contains_key(namespace) {
            let head = self.reader.head(namespace)?;
            let found = self.look(&head)?;
            self.usable.insert(Arc::clone(namespace), found);
        }
        Ok(self.usable.get(namespace).map_or(&[], Vec::as_slice))
    }

    /// The first revision that fewer than two of them hold; 0 if there are not two.
    pub(super) fn held_twice(&mut self, namespace: &Arc<str>) -> Result<u64, ShelfError> {
        Ok(self.usable(namespace)?.get(1).map_or(0, |older| older.revision + 1))
    }

    /// Whether there is one of before `revision` that can be started from.
    pub(super) fn has_before(&mut self, namespace: &Arc<str>, revision: u64) -> Result<bool, ShelfError> {
        Ok(self.usable(namespace)?.iter().any(|usable| usable.revision < revision))
    }

    fn look(&self, head: &Head) -> Result<Vec<CheckpointHead>, ShelfError> {
        let mut usable = Vec::new();
        for checkpoint in self.checkpoints.heads(&head.namespace)? {
            if judge(&checkpoint, &*self.reader, &*self.archive, head)?.is_ok() && self.is_whole(&checkpoint)
            {
                usable.push(checkpoint);
            }
        }
        Ok(usable)
    }

    fn is_whole(&self, head: &CheckpointHead) -> bool {
        let CheckpointHead { namespace, revision, .. } = head;
        if self.read.contains(&(Arc::clone(namespace), *revision)) {
            return true;
        }
        let whole = read_through(&*self.checkpoints, head);
        if let Err(why) = &whole {
            warn!(%namespace, revision, %why, "left out a damaged checkpoint");
        }
        whole.is_ok()
    }

    /// Makes a checkpoint of a snapshot of the engine's state whose newest record has that hash; if `archiving`, without the finished tasks
    /// that rest. Does nothing if there is a newer one.
    pub(super) fn save_snapshot(
        &mut self,
        namespace: &Arc<str>,
        mut state: State,
        hash: Hash,
        archiving: bool,
    ) {
        let newest = self.usable(namespace).ok().and_then(|usable| Some(usable.first()?.revision));
        if newest >= Some(state.head().0) {
            // It waited while newer ones were made for the sake of retention.
            return;
        }
        if archiving {
            // What was finished before the last checkpoint leaves with this one, also where little happens.
            state.rest_until(Revision(newest.unwrap_or(0)));
            if let Err(error) = self.take_out(namespace, &mut state) {
                warn!(%namespace, %error, "no checkpoint was written; the next start replays more");
                return;
            }
        }
        let stored = self.save(namespace, &state, hash);
        // Nor does the snapshot hold what is let go.
        drop(state);
        if let Some(forgets) = self.forgets.as_mut().filter(|_| archiving) {
            stored.into_iter().for_each(|stored| forgets.requests(namespace, stored));
        }
    }

    /// Makes checkpoints of a namespace before and after the newest record of `head`, as far as they are not there.
    pub(super) fn replay_and_save_twice(&mut self, head: &Head, before: Revision) -> Result<(), ShelfError> {
        let namespace = &head.namespace;
        let mut state = self.base(head, before)?;
        for until in [before, Revision(head.revision)] {
            // Where nothing had to be replayed there is a checkpoint already.
            if let Some(hash) = self.advance(namespace, &mut state, until)?.hash
                && !self.usable(namespace)?.iter().any(|usable| usable.revision == until.0)
            {
                self.take_out(namespace, &mut state)?;
                self.save_and_let_go(namespace, &mut state, hash);
            }
        }
        Ok(())
    }

    fn base(&mut self, head: &Head, until: Revision) -> Result<State, OpenEngineError> {
        let Self { reader, checkpoints, archive, memory, .. } = self;
        let state = from_checkpoint(&**reader, &**checkpoints, &**archive, head, until, *memory)?;
        if state.head() > Revision(0) {
            self.read.insert((Arc::clone(&head.namespace), state.head().0));
        }
        Ok(state)
    }

    /// Saves a checkpoint of a state that is nobody else's.
    fn save_and_let_go(&mut self, namespace: &Arc<str>, state: &mut State, hash: Hash) {
        for stored in self.save(namespace, state, hash) {
            state.let_go(&stored);
        }
    }

    /// Saves a checkpoint of a state whose newest record has that hash, and removes those that are needed no more. Gives the requests that
    /// need not be held any more.
    fn save(&mut self, namespace: &Arc<str>, state: &State, hash: Hash) -> Vec<Arc<StoredRequests>> {
        let revision = state.head();
        // Those that were there are looked at first: an older one that is damaged must not push out one that is whole.
        let before = self.usable(namespace).map(<[CheckpointHead]>::to_vec);
        let older = before.as_deref().unwrap_or(&[]);
        let (written, stored) = match self.write(namespace, state, hash, older) {
            Ok(written) => written,
            Err(error) => {
                warn!(%namespace, %revision, %error, "no checkpoint was written; the next start replays more");
                return Vec::new();
            }
        };
        debug!(%namespace, %revision, "checkpoint written");
        match before {
            Ok(mut usable) => {
                usable.retain(|older| older.revision != revision.0);
                usable.push(written);
                usable.sort_unstable_by_key(|usable| Reverse(usable.revision));
                usable.truncate(KEPT);
                let kept: Vec<u64> = usable.iter().map(|usable| usable.revision).collect();
                self.checkpoints.remove_others(namespace, &kept);
                self.prune(namespace, &kept);
                self.usable.insert(Arc::clone(namespace), usable);
            }
            Err(error) => warn!(%namespace, %error, "old checkpoints are left where they are"),
        }
        stored
    }

    fn write(
        &mut self,
        namespace: &Arc<str>,
        state: &State,
        hash: Hash,
        older: &[CheckpointHead],
    ) -> Result<(CheckpointHead, Vec<Arc<StoredRequests>>), ShelfError> {
        let (namespace, revision) = (Arc::clone(namespace), state.head().0);
        self.archive.mark(&namespace, revision, hash)?;
        let Complete { segments, held } =
            segments::complete(&mut *self.checkpoints, older, &namespace, state)?;
        let (archived, in_segments) = (state.archived_count(), in_segments(&segments));
        let head =
            CheckpointHead { namespace, revision, hash, format: CHECKPOINT_FORMAT, archived, segments };
        self.checkpoints.save(&head, &mut |part| state.write_checkpoint_beside(in_segments, part))?;
        Ok((head, held))
    }

    /// Removes what no start from one of the `usable` checkpoints needs.
    fn prune(&mut self, namespace: &Arc<str>, usable: &[u64]) {
        if let Some(oldest) = usable.last()
            && let Err(error) = self.archive.prune(namespace, *oldest)
        {
            warn!(%namespace, %error, "rows that are needed no more are left in the archive");
        }
    }
}

/// Reads a checkpoint for nothing but to know that it is whole.
fn read_through(checkpoints: &dyn Checkpoints, head: &CheckpointHead) -> Result<(), CheckpointUnreadable> {
    let mut parts = checkpoints.open(head)?;
    while parts.next_part()?.is_some() {}
    Ok(())
}
