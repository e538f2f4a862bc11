//! The archive: finished tasks that the server does not keep in memory, with their hand-offs.
//!
//! A view of the log, like checkpoints: it may be lost, and is made anew from the log. Knows nothing of what the bytes mean.
//!
//! Rows are versioned by `as_of`, the revision of the checkpoint that they were archived for. Whoever goes on from a checkpoint first
//! [rolls back](Archive::roll_back) to it, so that the archive is never ahead of the state; a [mark](Archive::mark) says that all rows
//! that a checkpoint leaves out are there.

mod checksum;
mod memory;
mod sqlite;

use std::sync::Arc;

use bytes::Bytes;

use crate::{Hash, ReadLimit};

pub use memory::MemoryArchive;
pub use sqlite::{SqliteArchive, SqliteArchiveReader};

/// One archived task, with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedRow {
    /// Unique in the namespace.
    pub task_id: Arc<str>,
    /// The newest revision that is told of in it: rows of one task with equal ones are equal.
    pub newest_revision: u64,
    /// The task, as the caller encoded it.
    pub body: Bytes,
    /// The task's hand-offs in the order of their ids, as the caller encoded them.
    pub handoffs: Vec<(u64, Bytes)>,
}

/// One archived task without its hand-offs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedBody {
    /// Unique in the namespace.
    pub task_id: Arc<str>,
    /// As [`ArchivedRow::body`].
    pub body: Bytes,
}

/// One archived hand-off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedHandoff {
    /// Unique in the namespace.
    pub handoff_id: u64,
    /// The task that it belongs to.
    pub task_id: Arc<str>,
    /// As the caller encoded it.
    pub body: Bytes,
}

/// Some rows of a range, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows<T> {
    /// The first of the range.
    pub rows: Vec<T>,
    /// Whether the range has more after them.
    pub more: bool,
}

/// Why the archive did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// It is not as it was written.
    #[error(
        "the archive of finished tasks is damaged ({0}); stop the server and restore the data folder from a backup, or, if the \
         log begins at revision 1, move `archive.db` away: it is made anew from the log"
    )]
    Damaged(String),
    /// The storage cannot be used now; nothing was changed.
    #[error("the archive of finished tasks cannot be used: {0}")]
    Io(String),
}

/// Reads an archive; sees only what is durable. Of each task the newest row counts, and of hand-offs those of that row.
pub trait ArchiveReader: Send {
    /// The newest row of a task that was archived at `as_of_max` or before.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn task(
        &self,
        namespace: &str,
        task_id: &str,
        as_of_max: u64,
    ) -> Result<Option<ArchivedRow>, ArchiveError>;

    /// The hand-off of that id.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn handoff(&self, namespace: &str, handoff_id: u64) -> Result<Option<ArchivedHandoff>, ArchiveError>;

    /// The tasks in the order of their ids, those after `after` only. At least one if there is one.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn tasks_after(
        &self,
        namespace: &str,
        after: Option<&str>,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedBody>, ArchiveError>;

    /// The hand-offs in the order of their ids, those after `after` only. At least one if there is one.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn handoffs_after(
        &self,
        namespace: &str,
        after: u64,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedHandoff>, ArchiveError>;

    /// The hand-offs before `before`, newest first. At least one if there is one.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn handoffs_before(
        &self,
        namespace: &str,
        before: u64,
        limit: ReadLimit,
    ) -> Result<Rows<ArchivedHandoff>, ArchiveError>;

    /// Whether it was [marked](Archive::mark) as complete for the checkpoint at `revision` of a log whose record there has that `hash`.
    ///
    /// # Errors
    /// [`ArchiveError`].
    fn is_marked(&self, namespace: &str, revision: u64, hash: Hash) -> Result<bool, ArchiveError>;
}

/// Writes an archive. Blocking: one thread owns it. What a call did is durable on return.
pub trait Archive: ArchiveReader {
    /// Saves all of `rows` or none, for the checkpoint at `as_of`. Leaves out what it has with the same newest revision.
    ///
    /// # Errors
    /// [`ArchiveError`]; nothing was changed then.
    fn save(&mut self, namespace: &str, as_of: u64, rows: &[ArchivedRow]) -> Result<(), ArchiveError>;

    /// Notes that everything is saved that the checkpoint at `revision` leaves out; `hash` is that of the log's record that ends there.
    ///
    /// # Errors
    /// [`ArchiveError`]; nothing was changed then.
    fn mark(&mut self, namespace: &str, revision: u64, hash: Hash) -> Result<(), ArchiveError>;

    /// Removes what was saved and marked for checkpoints after `revision`, which is marked; 0: everything of the namespace. The time it takes grows with
    /// what it removes.
    ///
    /// # Errors
    /// [`ArchiveError`]; what is to go may be gone in part then, and so are the marks.
    fn roll_back(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError>;

    /// Removes rows that a newer one up to `revision` stands in for, and marks before it: nobody will start from a checkpoint before
    /// `revision` any more. The time it takes grows with what was saved since the last time.
    ///
    /// # Errors
    /// [`ArchiveError`]; what is to go may be gone in part then.
    fn prune(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError>;

    /// Opens a handle of its own for another thread.
    ///
    /// # Errors
    /// [`ArchiveError`] if the storage cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn ArchiveReader>, ArchiveError>;
}

/// Fills [`Rows`] up to a limit.
struct Filling<T> {
    rows: Rows<T>,
    bytes: usize,
    limit: ReadLimit,
}

impl<T> Filling<T> {
    fn new(limit: ReadLimit) -> Self {
        Self { rows: Rows { rows: Vec::new(), more: false }, bytes: 0, limit }
    }

    /// Takes one row of so many bytes; `false`: there was no room for it.
    fn take(&mut self, row: T, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        let count = self.rows.rows.len();
        if count > 0 && (count >= self.limit.records || self.bytes > self.limit.bytes) {
            self.rows.more = true;
            return false;
        }
        self.rows.rows.push(row);
        true
    }
}
