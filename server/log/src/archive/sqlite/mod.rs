//! The archive as a SQLite database: `archive.db` in the data folder.
//!
//! One transaction per call or per bounded part of it, durable on return (WAL with `synchronous=FULL`). The folder's lock is the log's.

mod open;
mod read;
mod schema;
mod write;

use std::path::PathBuf;

use rusqlite::Connection;

use super::{Archive, ArchiveError, ArchiveReader, ArchivedBody, ArchivedHandoff, ArchivedRow, Rows};
use crate::sqlite::{connection, failure};
use crate::{Hash, ReadLimit};

/// An [`Archive`] in the data folder of a log, by whoever has that log open.
#[derive(Debug)]
pub struct SqliteArchive {
    connection: Connection,
    path: PathBuf,
}

/// Reads a [`SqliteArchive`] from another thread, by a connection of its own.
#[derive(Debug)]
pub struct SqliteArchiveReader {
    connection: Connection,
}

macro_rules! reads_by_connection {
    ($reader:ty) => {
        impl ArchiveReader for $reader {
            fn task(
                &self,
                namespace: &str,
                task_id: &str,
                as_of_max: u64,
            ) -> Result<Option<ArchivedRow>, ArchiveError> {
                read::task(&self.connection, namespace, task_id, as_of_max)
            }

            fn handoff(
                &self,
                namespace: &str,
                handoff_id: u64,
            ) -> Result<Option<ArchivedHandoff>, ArchiveError> {
                read::handoff(&self.connection, namespace, handoff_id)
            }

            fn tasks_after(
                &self,
                namespace: &str,
                after: Option<&str>,
                limit: ReadLimit,
            ) -> Result<Rows<ArchivedBody>, ArchiveError> {
                read::tasks_after(&self.connection, namespace, after, limit)
            }

            fn handoffs_after(
                &self,
                namespace: &str,
                after: u64,
                limit: ReadLimit,
            ) -> Result<Rows<ArchivedHandoff>, ArchiveError> {
                read::handoffs(&self.connection, read::AFTER, namespace, after, limit)
            }

            fn handoffs_before(
                &self,
                namespace: &str,
                before: u64,
                limit: ReadLimit,
            ) -> Result<Rows<ArchivedHandoff>, ArchiveError> {
                read::handoffs(&self.connection, read::BEFORE, namespace, before, limit)
            }

            fn is_marked(&self, namespace: &str, revision: u64, hash: Hash) -> Result<bool, ArchiveError> {
                read::is_marked(&self.connection, namespace, revision, hash).map_err(|error| failed(&error))
            }
        }
    };
}

reads_by_connection!(SqliteArchive);
reads_by_connection!(SqliteArchiveReader);

impl Archive for SqliteArchive {
    fn save(&mut self, namespace: &str, as_of: u64, rows: &[ArchivedRow]) -> Result<(), ArchiveError> {
        write::save(&mut self.connection, namespace, as_of, rows).map_err(|error| failed(&error))
    }

    fn mark(&mut self, namespace: &str, revision: u64, hash: Hash) -> Result<(), ArchiveError> {
        write::mark(&mut self.connection, namespace, revision, hash).map_err(|error| failed(&error))
    }

    fn roll_back(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError> {
        write::roll_back(&mut self.connection, namespace, revision).map_err(|error| failed(&error))
    }

    fn prune(&mut self, namespace: &str, revision: u64) -> Result<(), ArchiveError> {
        write::prune(&mut self.connection, namespace, revision).map_err(|error| failed(&error))
    }

    fn reader(&self) -> Result<Box<dyn ArchiveReader>, ArchiveError> {
        let connection = connection::open_reader(&self.path).map_err(|error| failed(&error))?;
        Ok(Box::new(SqliteArchiveReader { connection }))
    }
}

impl Drop for SqliteArchive {
    /// Moves the WAL into the database, so that the file is whole by itself. Readers may be closed later, and leave the WAL alone.
    fn drop(&mut self) {
        if let Err(error) = connection::may_clean_up(&self.connection) {
            tracing::warn!(%error, "the archive's WAL is left for the next start");
        }
    }
}

/// What a failure means. Rows that cannot be decoded are damage: nothing but an archive wrote them.
fn failed(error: &rusqlite::Error) -> ArchiveError {
    let what = failure::describe(error);
    if is_damage(error) { ArchiveError::Damaged(what) } else { ArchiveError::Io(what) }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(error.sqlite_error_code(), None | Some(DatabaseCorrupt | NotADatabase))
}
