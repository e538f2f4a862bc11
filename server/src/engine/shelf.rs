//! The checkpoints of all namespaces: makes new ones from the log, and knows which can be started from.
//!
//! Keeps the newest two that can be, so that one that is damaged later costs time and nothing else. Knows nothing of when one is wanted.

use std::{collections::BTreeMap, sync::Arc};

use baton_core::{CHECKPOINT_FORMAT, RequestMemory, Revision, State};
use baton_log::{Archive, ArchiveError, CheckpointError, Checkpoints, Hash, Head, LogReader, ReadError};
use tracing::{debug, warn};

use super::{
    OpenEngineError, attic::take_out, forgetting::Forgets, open::from_checkpoint, replay::catch_up,
    snapshots::is_due, trust::judge,
};

/// How many checkpoints of each namespace are kept.
const KEPT: usize = 2;

/// The checkpoints, the archive of what they leave out, and the log that both are made from.
pub(super) struct Shelf {
    reader: Box<dyn LogReader>,
    checkpoints: Box<dyn Checkpoints>,
    archive: Box<dyn Archive>,
    /// How the engine's states are told what was archived, once there is an engine.
    forgets: Option<Forgets>,
    memory: RequestMemory,
    /// Fewest events between two checkpoints; after so many, what rests is archived.
    checkpoint_events: u64,
    /// The revisions of those that can be started from, newest first, of each namespace that was looked at.
    usable: BTreeMap<Arc<str>, Vec<u64>>,
}

/// Why it is not known which checkpoints can be used, or why there are no new ones.
#[derive(Debug, thiserror::Error)]
pub(super) enum ShelfError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Checkpoints(#[from] CheckpointError),
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
        let usable = BTreeMap::new();
        Self { reader, checkpoints, archive, forgets: None, memory, checkpoint_events, usable }
    }

    /// Tells the engine from now on what was archived.
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
            let replayed = catch_up(&*self.reader, &*self.archive, namespace, state, step)?;
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
            if is_due(since, state.held_count(), self.checkpoint_events) {
                self.save(namespace, state.head(), hash, &state.to_checkpoint());
                advanced.saved = Some(state.head());
            }
        }
    }

    /// Moves the finished tasks that rest from `state` to the archive, and has the engine's state forget them.
    fn take_out(&mut self, namespace: &Arc<str>, state: &mut State) -> Result<(), ArchiveError> {
        let mut forgets = self.forgets.as_mut();
        take_out(state, namespace, &mut *self.archive, |tasks| {
            if let Some(forgets) = &mut forgets {
                forgets.ask(namespace, tasks);
            }
        })
    }

    /// The log.
    pub(super) fn log(&self) -> &dyn LogReader {
        &*self.reader
    }

    /// The revisions of the newest checkpoints of a namespace that can be started from, newest first.
    pub(super) fn usable(&mut self, namespace: &Arc<str>) -> Result<&[u64], ShelfError> {
        if !self.usable.contains_key(namespace) {
            let head = self.reader.head(namespace)?;
            let found = self.look(&head)?;
            self.usable.insert(Arc::clone(namespace), found);
        }
        Ok(self.usable.get(namespace).map_or(&[], Vec::as_slice))
    }

    /// The first revision that fewer than two of them hold; 0 if there are not two.
    pub(super) fn held_twice(&mut self, namespace: &Arc<str>) -> Result<u64, ShelfError> {
        Ok(self.usable(namespace)?.get(1).map_or(0, |older| older + 1))
    }

    fn look(&self, head: &Head) -> Result<Vec<u64>, ShelfError> {
        let mut usable = Vec::new();
        for checkpoint in self.checkpoints.load(&head.namespace)? {
            if judge(&checkpoint, &*self.reader, &*self.archive, head)?.is_ok() {
                usable.push(checkpoint.revision);
            }
        }
        Ok(usable)
    }

    /// Makes a checkpoint of a namespace as of now, from the newest one and what the log has after it.
    pub(super) fn replay_and_save(&mut self, namespace: &Arc<str>) {
        if let Err(error) = self.try_replay_and_save(namespace) {
            warn!(%namespace, %error, "no checkpoint was written; the next start replays more");
        }
    }

    fn try_replay_and_save(&mut self, namespace: &Arc<str>) -> Result<(), ShelfError> {
        let head = self.reader.head(namespace)?;
        let newest = Revision(head.revision);
        let mut state = self.base(&head, newest)?;
        self.advance(namespace, &mut state, newest)?;
        self.take_out(namespace, &mut state)?;
        self.save(namespace, newest, head.hash, &state.to_checkpoint());
        Ok(())
    }

    /// Makes checkpoints of a namespace before and after the newest record of `head`, as far as they are not there.
    pub(super) fn replay_and_save_twice(&mut self, head: &Head, before: Revision) -> Result<(), ShelfError> {
        let namespace = &head.namespace;
        let mut state = self.base(head, before)?;
        for until in [before, Revision(head.revision)] {
            // Where nothing had to be replayed there is a checkpoint already.
            if let Some(hash) = self.advance(namespace, &mut state, until)?.hash
                && !self.usable(namespace)?.contains(&until.0)
            {
                self.take_out(namespace, &mut state)?;
                self.save(namespace, until, hash, &state.to_checkpoint());
            }
        }
        Ok(())
    }

    fn base(&self, head: &Head, until: Revision) -> Result<State, OpenEngineError> {
        from_checkpoint(&*self.reader, &*self.checkpoints, &*self.archive, head, until, self.memory)
    }

    /// Saves a checkpoint as it is given, and removes those that are needed no more.
    pub(super) fn save(&mut self, namespace: &Arc<str>, revision: Revision, hash: Hash, body: &[u8]) {
        // Those that were there are looked at first: an older one that is damaged must not push out one that is whole.
        let before = self.usable(namespace).map(<[u64]>::to_vec);
        if let Err(error) = self.archive.mark(namespace, revision.0, hash) {
            warn!(%namespace, %revision, %error, "no checkpoint was written; the next start replays more");
            return;
        }
        if let Err(error) = self.checkpoints.save(namespace, revision.0, hash, CHECKPOINT_FORMAT, body) {
            warn!(%namespace, %revision, %error, "no checkpoint was written; the next start replays more");
            return;
        }
        debug!(%namespace, %revision, bytes = body.len(), "checkpoint written");
        match before {
            Ok(mut usable) => {
                usable.push(revision.0);
                usable.sort_unstable_by(|a, b| b.cmp(a));
                usable.dedup();
                usable.truncate(KEPT);
                self.checkpoints.remove_others(namespace, &usable);
                self.prune(namespace, &usable);
                self.usable.insert(Arc::clone(namespace), usable);
            }
            Err(error) => warn!(%namespace, %error, "old checkpoints are left where they are"),
        }
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
