//! An archive in memory, for tests.
//!
//! Clones share it, so that it survives the server that wrote it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Archive, ArchiveError, ArchiveReader, ArchivedBody, ArchivedHandoff, ArchivedRow, Filling, Rows,
};
use crate::{Hash, ReadLimit};

/// An [`Archive`] that lasts as long as a clone of it.
#[derive(Clone, Debug, Default)]
pub struct MemoryArchive {
    kept: Arc<Mutex<BTreeMap<Arc<str>, Kept>>>,
}

/// What is kept of one namespace.
#[derive(Clone, Debug, Default)]
struct Kept {
    /// By id, and by the revision that they were archived for.
    tasks: BTreeMap<Arc<str>, BTreeMap<u64, ArchivedRow>>,
    /// The tasks that hand-offs belong to, and the revision that each was archived for, by id.
    handoffs: BTreeMap<u64, BTreeMap<u64, Arc<str>>>,
    marks: BTreeMap<u64, Hash>,
}

impl Kept {
    fn newest(&self, task_id: &str) -> Option<(u64, &ArchivedRow)> {
        let (as_of, row) = self.tasks.get(task_id)?.last_key_value()?;
        Some((*as_of, row))
    }

    fn handoff(&self, handoff_id: u64) -> Option<ArchivedHandoff> {
        let (as_of, task_id) = self.handoffs.get(&handoff_id)?.last_key_value()?;
        let (newest, row) = self.newest(task_id)?;
        let (_, body) = row.handoffs.iter().find(|(id, _)| newest == *as_of && *id == handoff_id)?;
        Some(ArchivedHandoff { handoff_id, task_id: Arc::clone(task_id), body: body.clone() })
    }

    /// Removes the versions of which `is_needless` says so, given all of a task.
    fn remove(&mut self, is_needless: impl Fn(u64, &BTreeMap<u64, ArchivedRow>) -> bool) {
        for versions in self.tasks.values_mut() {
            let needless: Vec<u64> =
                versions.keys().copied().filter(|as_of| is_needless(*as_of, versions)).collect();
            for as_of in needless {
                for (handoff, _) in versions.remove(&as_of).into_iter().flat_map(|row| row.handoffs) {
                    self.handoffs.entry(handoff).or_default().remove(&as_of);
                }
            }
        }
        self.tasks.retain(|_, versions| !versions.is_empty());
        self.handoffs.retain(|_, versions| !versions.is_empty());
    }
}

impl MemoryArchive {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, namespace: &str, read: impl FnOnce(&Kept) -> T) -> T {
        match self.lock().get(namespace) {
            Some(kept) => read(kept),
            None => read(&Kept::default()),
        }
    }
}

impl ArchiveReader for MemoryArchive {
    fn task(
        &self,
        namespace: &str,
        task_id: &str,
        as_of_max: u64,
    ) -> Result<Option<ArchivedRow>, ArchiveError> {
        Ok(self.read(namespace, |kept| {
            let (_, row) = kept.tasks.get(task_id)?.range(..=as_of_max).next_back()?;
            Some(row.clone())
        }))
    }

    fn handoff(&self, namespace: &str, handoff_id: u64) -> Result<Option<ArchivedHandoff>, ArchiveError> {
        Ok(self.read(namespace, |kept| kept.handoff(handoff_id)))
    }

    fn tasks_after(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedBody>, ArchiveError> {
        Ok(self.read(namespace, |kept| {
            let start = after.map_or(Bound::Unbounded, Bound::Excluded);
            let found = kept.tasks.range::<str, _>((start, Bound::Unbounded));
            fill(limit, found.filter_map(|(task_id, _)| kept.newest(task_id)), |(_, row)| {
                (ArchivedBody { task_id: Arc::clone(&row.task_id), body: row.body.clone() }, row.body.len())
            })
        }))
    }

    fn handoffs_after(
        &self,
        namespace: &str,
        after: u64,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedHandoff>, ArchiveError> {
        Ok(self.read(namespace, |kept| {
            let ids = kept.handoffs.range((Bound::Excluded(after), Bound::Unbounded));
            fill(limit, ids.filter_map(|(id, _)| kept.handoff(*id)), with_bytes)
        }))
    }

    fn handoffs_before(
        &self,
        namespace: &str,
        before: u64,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedHandoff>, ArchiveError> {
        Ok(self.read(namespace, |kept| {
            let ids = kept.handoffs.range(..before).rev();
            fill(limit, ids.filter_map(|(id, _)| kept.handoff(*id)), with_bytes)
        }))
    }

    fn is_marked(&self, namespace: &str, revision: u64, hash: Hash) -> Result<bool, ArchiveError> {
        Ok(self.read(namespace, |kept| kept.marks.get(&revision) == Some(&hash)))
    }
}

impl Archive for MemoryArchive {
    fn save(&mut self, namespace: &str, as_of: u64, rows: &[ArchivedRow]) -> Result<(), ArchiveError> {
        let mut all = self.lock();
        let kept = all.entry(namespace.into()).or_default();
        for row in rows {
            let versions = kept.tasks.entry(Arc::clone(&row.task_id)).or_default();
            let known = versions.range(..=as_of).next_back().map(|(_, known)| known.newest_revision);
            if known != Some(row.newest_revision) {
                versions.insert(as_of, row.clone());
                for (handoff, _) in &row.handoffs {
                    kept.handoffs.entry(*handoff).or_default().insert(as_of, Arc::clone(&row.task_id));
                }
            }
        }
        Ok(())
    }

    fn mark(&mut self, namespace: &str, revision: u64, hash: Hash) -> Result<(), ArchiveError> {
        self.lock().entry(namespace.into()).or_default().marks.insert(revision, hash);
        Ok(())
    }

    fn roll_back(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError> {
        if let Some(kept) = self.lock().get_mut(namespace) {
            kept.marks.retain(|marked, _| *marked <= revision);
            kept.remove(|as_of, _| as_of > revision);
        }
        Ok(())
    }

    fn prune(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError> {
        if let Some(kept) = self.lock().get_mut(namespace) {
            kept.marks.retain(|marked, _| *marked >= revision);
            kept.remove(|as_of, versions| {
                versions
                    .range((Bound::Excluded(as_of), Bound::Included(revision.max(as_of))))
                    .next()
                    .is_some()
            });
        }
        Ok(())
    }

    fn reader(&self) -> Result<Box<dyn ArchiveReader>, ArchiveError> {
        Ok(Box::new(self.clone()))
    }
}

fn with_bytes(row: ArchivedHandoff) -> (ArchivedHandoff, usize) {
    let bytes = row.body.len();
    (row, bytes)
}

fn fill<I, T>(limit: ReadLimit, items: impl Iterator<Item = I>, row: impl Fn(I) -> (T, usize)) -> Rows<T> {
    let mut filling = Filling::new(limit);
    for item in items {
        let (row, bytes) = row(item);
        if !filling.take(row, bytes) {
            break;
        }
    }
    filling.rows
}
