//! The checkpoints of all namespaces: makes new ones from the log, and knows which can be started from.
//!
//! Keeps the newest two that can be, so that one that is damaged later costs time and nothing else. Knows nothing of when one is wanted.

use std::{collections::BTreeMap, sync::Arc};

use baton_core::{CHECKPOINT_FORMAT, RequestMemory, Revision, State};
use baton_log::{CheckpointError, Checkpoints, Hash, Head, LogReader, ReadError};
use tracing::{debug, warn};

use super::{
    OpenEngineError,
    open::{catch_up, from_checkpoint},
    trust::judge,
};

/// How many checkpoints of each namespace are kept.
const KEPT: usize = 2;

/// The checkpoints, and the log that they are made from.
pub(super) struct Shelf {
    reader: Box<dyn LogReader>,
    checkpoints: Box<dyn Checkpoints>,
    memory: RequestMemory,
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
    Replay(#[from] OpenEngineError),
}

impl Shelf {
    pub(super) fn new(
        reader: Box<dyn LogReader>,
        checkpoints: Box<dyn Checkpoints>,
        memory: RequestMemory,
    ) -> Self {
        Self { reader, checkpoints, memory, usable: BTreeMap::new() }
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
            if judge(&checkpoint, &*self.reader, head)?.is_ok() {
                usable.push(checkpoint.revision);
            }
        }
        Ok(usable)
    }

    /// Makes a checkpoint of a namespace as of now, from the newest one and what the log has after it.
    pub(super) fn replay_and_save(&mut self, namespace: &Arc<str>) {
        match self.replayed(namespace) {
            Ok((state, hash)) => self.save(namespace, state.head(), hash, &state.to_checkpoint()),
            Err(error) => warn!(%namespace, %error, "no checkpoint was written; the next start replays more"),
        }
    }

    /// Makes checkpoints of a namespace before and after the newest record of `head`, as far as they are not there.
    pub(super) fn replay_and_save_twice(&mut self, head: &Head, before: Revision) -> Result<(), ShelfError> {
        let namespace = &head.namespace;
        let mut state = self.base(head, before)?;
        for until in [before, Revision(head.revision)] {
            // Where nothing had to be replayed there is a checkpoint already.
            if let Some(hash) = catch_up(&*self.reader, namespace, &mut state, until)?
                && !self.usable(namespace)?.contains(&until.0)
            {
                self.save(namespace, until, hash, &state.to_checkpoint());
            }
        }
        Ok(())
    }

    fn replayed(&self, namespace: &Arc<str>) -> Result<(State, Hash), OpenEngineError> {
        let head = self.reader.head(namespace)?;
        let newest = Revision(head.revision);
        let mut state = self.base(&head, newest)?;
        catch_up(&*self.reader, namespace, &mut state, newest)?;
        Ok((state, head.hash))
    }

    fn base(&self, head: &Head, until: Revision) -> Result<State, OpenEngineError> {
        from_checkpoint(&*self.reader, &*self.checkpoints, head, until, self.memory)
    }

    /// Saves a checkpoint as it is given, and removes those that are needed no more.
    pub(super) fn save(&mut self, namespace: &Arc<str>, revision: Revision, hash: Hash, body: &[u8]) {
        // Those that were there are looked at first: an older one that is damaged must not push out one that is whole.
        let before = self.usable(namespace).map(<[u64]>::to_vec);
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
                self.usable.insert(Arc::clone(namespace), usable);
            }
            Err(error) => warn!(%namespace, %error, "old checkpoints are left where they are"),
        }
    }
}
