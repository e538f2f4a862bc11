//! Reads what states left to the archive: together they show each task and each hand-off once, and never an older version than the state has.
//!
//! The state is read first: what it lacks then was archived before, or is not there. After a hit it is looked at once more. Knows nothing
//! of pages or of what is asked for.

use std::{collections::BTreeMap, sync::Arc};

use baton_core::{
    ArchivedTask, Handoff, HandoffId, Revision, State, Task, TaskId, archived_handoff, archived_task,
};
use baton_log::{ArchiveError, ArchiveReader, ArchivedHandoff, ReadLimit, Rows};

use super::{Namespace, Namespaces, recall::from_row};

/// Most bytes of rows that are read at once, if there is more than one.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Why the archive was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadArchive {
    /// The archive said so.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The server ends.
    #[error("the read of the archive was broken off")]
    BrokenOff,
}

/// Some items of a namespace, in order.
pub struct Part<K, T> {
    /// Each with what it is ordered by.
    pub items: Vec<(K, T)>,
    /// Where the next part begins; `None`: there is no more.
    pub more_after: Option<K>,
}

impl Namespaces {
    /// Has `read` done with the archive, on a thread that may block.
    ///
    /// # Errors
    /// [`ReadArchive`].
    pub async fn read_archive<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn ArchiveReader) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ReadArchive> {
        Ok(self
            .archive
            .read(move |archive: &(dyn ArchiveReader + 'static)| read(archive))
            .await
            .ok_or(ReadArchive::BrokenOff)??)
    }

    /// As [`Namespaces::read_archive`], for what reads much: it does not hold up those who read little.
    ///
    /// # Errors
    /// [`ReadArchive`].
    pub async fn read_much_of_archive<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn ArchiveReader) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ReadArchive> {
        Ok(self
            .archive_at_length
            .read(move |archive: &(dyn ArchiveReader + 'static)| read(archive))
            .await
            .ok_or(ReadArchive::BrokenOff)??)
    }

    /// The task of that id as the archive has it.
    ///
    /// # Errors
    /// [`ReadArchive`].
    pub async fn archived_task(
        &self,
        namespace: &Arc<str>,
        id: &str,
    ) -> Result<Option<ArchivedTask>, ReadArchive> {
        let (namespace, id) = (Arc::clone(namespace), id.to_owned());
        let row = self.read_archive(move |archive| archive.task(&namespace, &id, u64::MAX)).await?;
        Ok(row.map(from_row))
    }

    /// The hand-off of that id, wherever it is kept.
    ///
    /// # Errors
    /// [`ReadArchive`].
    pub async fn handoff(
        &self,
        namespace: &Arc<Namespace>,
        id: HandoffId,
    ) -> Result<Option<Arc<Handoff>>, ReadArchive> {
        if let Some(found) = in_state(&namespace.read(), |state| state.handoff(id)) {
            return Ok(found);
        }
        let name = Arc::clone(namespace.name());
        let row = self.read_archive(move |archive| archive.handoff(&name, id.0.0)).await?;
        let Some(row) = row else { return Ok(None) };
        let state = namespace.read();
        if state.has_task(&row.task_id) {
            return Ok(state.handoff(id));
        }
        Ok(Some(Arc::new(archived_handoff(id, &row.body))))
    }
}

/// What `read` finds in the state, or that there is nothing; `None`: the archive may have it.
pub fn in_state<T>(state: &State, read: impl FnOnce(&State) -> Option<T>) -> Option<Option<T>> {
    match read(state) {
        None if state.archived_count() > 0 => None,
        found => Some(found),
    }
}

/// About `count` tasks in the order of their ids, those after `after` only. Blocks.
///
/// # Errors
/// [`ArchiveError`].
pub fn tasks_after(
    namespace: &Namespace,
    archive: &dyn ArchiveReader,
    after: Option<&str>,
    count: usize,
) -> Result<Part<TaskId, Arc<Task>>, ArchiveError> {
    let keyed = |task: Arc<Task>| (task.id.clone(), task);
    let (held, is_all) = held(namespace, |state| taken(state.tasks_after(after).map(keyed), count));
    if is_all {
        return Ok(held.into_part());
    }
    let rows = archive.tasks_after(namespace.name(), after, limit(count))?;
    let archived = rows.rows.into_iter().map(|row| {
        let id = TaskId::new(row.task_id);
        let task = Arc::new(archived_task(&id, &row.body));
        (id, task)
    });
    let mut archived = Read::up_to_last(archived.collect(), rows.more);
    let state = namespace.read();
    for (id, task) in &mut archived.items {
        if let Some(present) = state.task(id) {
            *task = present;
        }
    }
    Ok(merged(held, archived, Direction::Up))
}

/// About `count` hand-offs in the order in which they were created, those after `after` only. Blocks.
///
/// # Errors
/// [`ArchiveError`].
pub fn handoffs_after(
    namespace: &Namespace,
    archive: &dyn ArchiveReader,
    after: Option<HandoffId>,
    count: usize,
) -> Result<Part<HandoffId, Arc<Handoff>>, ArchiveError> {
    let keyed = |handoff: Arc<Handoff>| (handoff.id, handoff);
    let (held, is_all) = held(namespace, |state| taken(state.handoffs_after(after).map(keyed), count));
    if is_all {
        return Ok(held.into_part());
    }
    let place = after.map_or(0, |after| after.0.0);
    let rows = archive.handoffs_after(namespace.name(), place, limit(count))?;
    Ok(merged(held, present(namespace, rows), Direction::Up))
}

/// About `count` hand-offs before `before`, newest first. Blocks.
///
/// # Errors
/// [`ArchiveError`].
pub fn handoffs_before(
    namespace: &Namespace,
    archive: &dyn ArchiveReader,
    before: HandoffId,
    count: usize,
) -> Result<Part<HandoffId, Arc<Handoff>>, ArchiveError> {
    let keyed = |handoff: Arc<Handoff>| (handoff.id, handoff);
    let (held, is_all) =
        held(namespace, |state| taken(state.handoffs_before(Some(before)).map(keyed), count));
    if is_all {
        return Ok(held.into_part());
    }
    let rows = archive.handoffs_before(namespace.name(), before.0.0, limit(count))?;
    Ok(merged(held, present(namespace, rows), Direction::Down))
}

fn limit(count: usize) -> ReadLimit {
    ReadLimit { records: count, bytes: READ_BYTES }
}

/// What was read of one side.
struct Read<K, T> {
    items: Vec<(K, T)>,
    /// How far it was read, if not to the end.
    end: Option<K>,
}

impl<K: Clone, T> Read<K, T> {
    fn up_to_last(items: Vec<(K, T)>, more: bool) -> Self {
        let end = items.last().filter(|_| more).map(|(key, _)| key.clone());
        Self { items, end }
    }

    fn into_part(self) -> Part<K, T> {
        Part { items: self.items, more_after: self.end }
    }
}

/// What `read` finds in the state, and whether nothing was archived then, so that there can be no more.
fn held<T>(namespace: &Namespace, read: impl FnOnce(&State) -> T) -> (T, bool) {
    let state = namespace.read();
    (read(&state), state.archived_count() == 0)
}

/// The first `count` of `items`.
fn taken<K: Clone, T>(items: impl Iterator<Item = (K, T)>, count: usize) -> Read<K, T> {
    let mut taken: Vec<_> = items.take(count + 1).collect();
    let more = taken.len() > count;
    taken.truncate(count);
    Read::up_to_last(taken, more)
}

/// Archived hand-offs as they are now: where the state has the task again, it alone says what hand-offs there are.
fn present(namespace: &Namespace, read: Rows<ArchivedHandoff>) -> Read<HandoffId, Arc<Handoff>> {
    let state = namespace.read();
    let id = |row: &ArchivedHandoff| HandoffId(Revision(row.handoff_id));
    let end = read.rows.last().filter(|_| read.more).map(id);
    let now = read.rows.into_iter().filter_map(|row| {
        let id = id(&row);
        let handoff = if state.has_task(&row.task_id) {
            state.handoff(id)?
        } else {
            Arc::new(archived_handoff(id, &row.body))
        };
        Some((id, handoff))
    });
    Read { items: now.collect(), end }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// Both in one order, each once, as far as both were read: what the state has counts.
fn merged<K: Ord + Clone, T>(held: Read<K, T>, archived: Read<K, T>, direction: Direction) -> Part<K, T> {
    let ends = [held.end, archived.end].into_iter().flatten();
    let end = if direction == Direction::Up { ends.min() } else { ends.max() };
    let is_within = |key: &K| match (&end, direction) {
        (None, _) => true,
        (Some(end), Direction::Up) => key <= end,
        (Some(end), Direction::Down) => key >= end,
    };
    let both = archived.items.into_iter().chain(held.items).filter(|(key, _)| is_within(key));
    let in_order = both.collect::<BTreeMap<K, T>>().into_iter();
    let items = if direction == Direction::Up { in_order.collect() } else { in_order.rev().collect() };
    Part { items, more_after: end }
}
