//! Reads rows, and checks each against its checksum.
//!
//! Each function reads one snapshot: a change beside it is seen whole or not at all.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row};

use super::failed;
use crate::archive::checksum::{self, Checksum};
use crate::archive::{ArchiveError, ArchivedBody, ArchivedHandoff, ArchivedRow, Filling, Rows};
use crate::sqlite::read::{signed, unsigned};
use crate::{Hash, ReadLimit};

const TASK: &str = "SELECT task_id, as_of, newest_revision, handoffs, body, checksum FROM tasks
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND task_id = ?2 AND as_of <= ?3
    ORDER BY as_of DESC LIMIT 1";

/// Reads the index alone.
const HAS_TASK: &str = "SELECT 1 FROM tasks WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND task_id = ?2 LIMIT 1";

const TASKS_AFTER: &str =
    "SELECT task_id, as_of, newest_revision, handoffs, body, checksum FROM tasks AS this
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND task_id > ?2 AND NOT EXISTS
        (SELECT 1 FROM tasks WHERE namespace = this.namespace AND task_id = this.task_id AND as_of > this.as_of)
    ORDER BY task_id";

const HANDOFF_AT: &str = "SELECT handoff_id, as_of, task_id, body, checksum FROM handoffs
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND handoff_id = ?2 AND as_of = ?3";

/// Of the newest row of its task only.
const HANDOFF: &str = "SELECT handoff_id, as_of, task_id, body, checksum FROM handoffs AS this
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND handoff_id = ?2 AND NOT EXISTS
        (SELECT 1 FROM tasks WHERE namespace = this.namespace AND task_id = this.task_id AND as_of > this.as_of)";

/// The hand-offs after one.
pub(super) const AFTER: &str = "SELECT handoff_id, as_of, task_id, body, checksum FROM handoffs AS this
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND handoff_id > ?2 AND NOT EXISTS
        (SELECT 1 FROM tasks WHERE namespace = this.namespace AND task_id = this.task_id AND as_of > this.as_of)
    ORDER BY handoff_id";

/// The hand-offs before one, newest first.
pub(super) const BEFORE: &str = "SELECT handoff_id, as_of, task_id, body, checksum FROM handoffs AS this
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND handoff_id < ?2 AND NOT EXISTS
        (SELECT 1 FROM tasks WHERE namespace = this.namespace AND task_id = this.task_id AND as_of > this.as_of)
    ORDER BY handoff_id DESC";

const MARK: &str = "SELECT hash FROM marks
    WHERE namespace = (SELECT id FROM namespaces WHERE name = ?1) AND revision = ?2";

/// A row of `tasks`, whose hand-offs are not read yet.
struct TaskRow {
    as_of: u64,
    handoffs: Vec<u64>,
    row: ArchivedRow,
}

/// See [`ArchiveReader::task`](crate::ArchiveReader::task).
pub(super) fn task(
    connection: &Connection,
    namespace: &str,
    task_id: &str,
    as_of_max: u64,
) -> Result<Option<ArchivedRow>, ArchiveError> {
    // Each new task is looked for, and hardly ever found; what is there is never removed without a newer row in its place.
    let has_task = || connection.prepare_cached(HAS_TASK)?.exists((namespace, task_id));
    if !has_task().map_err(|error| failed(&error))? {
        return Ok(None);
    }
    let snapshot = connection.unchecked_transaction().map_err(|error| failed(&error))?;
    let read = || {
        let mut statement = snapshot.prepare_cached(TASK)?;
        statement
            .query_row((namespace, task_id, signed(as_of_max)), |row| task_row(row, namespace))
            .optional()
    };
    let Some(found) = read().map_err(|error| failed(&error))? else { return Ok(None) };
    let TaskRow { as_of, handoffs, mut row } = found?;
    for handoff_id in handoffs {
        let body = handoff_at(&snapshot, namespace, handoff_id, as_of)?.body;
        row.handoffs.push((handoff_id, body));
    }
    Ok(Some(row))
}

/// See [`ArchiveReader::handoff`](crate::ArchiveReader::handoff).
pub(super) fn handoff(
    connection: &Connection,
    namespace: &str,
    handoff_id: u64,
) -> Result<Option<ArchivedHandoff>, ArchiveError> {
    let read = || {
        let mut statement = connection.prepare_cached(HANDOFF)?;
        statement.query_row((namespace, signed(handoff_id)), |row| handoff_row(row, namespace)).optional()
    };
    read().map_err(|error| failed(&error))?.transpose()
}

/// See [`ArchiveReader::tasks_after`](crate::ArchiveReader::tasks_after).
pub(super) fn tasks_after(
    connection: &Connection,
    namespace: &str,
    after: Option<&str>,
    limit: ReadLimit,
) -> Result<Rows<ArchivedBody>, ArchiveError> {
    let sqlite = |error: rusqlite::Error| failed(&error);
    let mut filling = Filling::new(limit);
    let mut statement = connection.prepare_cached(TASKS_AFTER).map_err(sqlite)?;
    let mut rows = statement.query((namespace, after.unwrap_or_default())).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let ArchivedRow { task_id, body, .. } = task_row(row, namespace).map_err(sqlite)??.row;
        let bytes = body.len();
        if !filling.take(ArchivedBody { task_id, body }, bytes) {
            break;
        }
    }
    Ok(filling.rows)
}

/// The hand-offs [`AFTER`] or [`BEFORE`] one.
pub(super) fn handoffs(
    connection: &Connection,
    query: &str,
    namespace: &str,
    place: u64,
    limit: ReadLimit,
) -> Result<Rows<ArchivedHandoff>, ArchiveError> {
    let sqlite = |error: rusqlite::Error| failed(&error);
    let mut filling = Filling::new(limit);
    let mut statement = connection.prepare_cached(query).map_err(sqlite)?;
    let mut rows = statement.query((namespace, signed(place))).map_err(sqlite)?;
    while let Some(row) = rows.next().map_err(sqlite)? {
        let row = handoff_row(row, namespace).map_err(sqlite)??;
        let bytes = row.body.len();
        if !filling.take(row, bytes) {
            break;
        }
    }
    Ok(filling.rows)
}

/// See [`ArchiveReader::is_marked`](crate::ArchiveReader::is_marked).
pub(super) fn is_marked(
    connection: &Connection,
    namespace: &str,
    revision: u64,
    hash: Hash,
) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(MARK)?;
    let marked =
        statement.query_row((namespace, signed(revision)), |row| row.get::<_, [u8; 32]>(0)).optional()?;
    Ok(marked == Some(hash.0))
}

/// The ids as they are kept with their task.
pub(super) fn joined(handoffs: impl Iterator<Item = u64>) -> Vec<u8> {
    handoffs.flat_map(u64::to_be_bytes).collect()
}

/// The ids that were kept with a task.
pub(super) fn split(joined: &[u8]) -> Vec<u64> {
    joined.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect()
}

fn handoff_at(
    connection: &Connection,
    namespace: &str,
    handoff_id: u64,
    as_of: u64,
) -> Result<ArchivedHandoff, ArchiveError> {
    let read = || {
        let mut statement = connection.prepare_cached(HANDOFF_AT)?;
        let place = (namespace, signed(handoff_id), signed(as_of));
        statement.query_row(place, |row| handoff_row(row, namespace)).optional()
    };
    let missing = || ArchiveError::Damaged(format!("hand-off {handoff_id} as of {as_of} is missing"));
    read().map_err(|error| failed(&error))?.ok_or_else(missing)?
}

fn task_row(row: &Row<'_>, namespace: &str) -> rusqlite::Result<Result<TaskRow, ArchiveError>> {
    let task_id: Arc<str> = row.get(0)?;
    let (as_of, newest_revision) = (unsigned(row.get(1)?), unsigned(row.get(2)?));
    let (handoffs, body) = (row.get_ref(3)?.as_blob()?, row.get_ref(4)?.as_blob()?);
    let checksum: Checksum = row.get(5)?;
    if checksum != checksum::of_task(namespace, &task_id, as_of, newest_revision, handoffs, body) {
        return Ok(Err(altered(&format!("task {task_id}"))));
    }
    let body = Bytes::copy_from_slice(body);
    let handoffs = split(handoffs);
    let row = ArchivedRow { task_id, newest_revision, body, handoffs: Vec::with_capacity(handoffs.len()) };
    Ok(Ok(TaskRow { as_of, handoffs, row }))
}

fn handoff_row(row: &Row<'_>, namespace: &str) -> rusqlite::Result<Result<ArchivedHandoff, ArchiveError>> {
    let (handoff_id, as_of) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
    let task_id: Arc<str> = row.get(2)?;
    let body = row.get_ref(3)?.as_blob()?;
    let checksum: Checksum = row.get(4)?;
    if checksum != checksum::of_handoff(namespace, handoff_id, as_of, &task_id, body) {
        return Ok(Err(altered(&format!("hand-off {handoff_id}"))));
    }
    Ok(Ok(ArchivedHandoff { handoff_id, task_id, body: Bytes::copy_from_slice(body) }))
}

fn altered(what: &str) -> ArchiveError {
    ArchiveError::Damaged(format!("the content of {what} does not match its checksum"))
}
