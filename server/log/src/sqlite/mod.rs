//! The log in a folder: a journal before a database, the default, with nothing to install.
//!
//! An append is one write to the journal, durable when it returns (docs/adr/0020). A thread moves what was appended into SQLite, in bulk; readers
//! look at both. The folder holds `baton.db` and its WAL, `journal-0` and `journal-1`, `lock` (held while a server uses the folder) and `answered`
//! (the answered mark). Knows nothing of what record bodies mean.

mod answered_file;
mod append;
pub(crate) mod connection;
pub(crate) mod failure;
mod folder;
mod heads;
mod journal;
mod kept;
mod mover;
mod moving;
mod open;
mod pending;
pub(crate) mod read;
mod recover;
mod room;
mod schema;
mod store;
mod tamper;
mod truncate;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::Connection;

use crate::{
    Append, AppendError, Head, Keep, Log, LogId, LogReader, ReadError, ReadLimit, Record, Truncated,
};
use answered_file::AnsweredFile;
use folder::Lock;
use heads::Heads;
use journal::{After, Journal};
use mover::Mover;
use moving::Moving;
use pending::Pending;
use room::Room;

const KIND: &str = "sqlite";

/// How a [`SqliteLog`] is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Greatest size of `baton.db`, in bytes; the default is bounded by the disk. The journal and the WAL come on top, 8 MiB and about as much again.
    /// A log that is larger already stays as large as it is.
    pub size_bytes_max: Option<u64>,
}

/// A [`Log`] in a folder. One process at a time has it open.
#[derive(Debug)]
pub struct SqliteLog {
    // Fields are dropped in this order: the lock is the last to go.
    journal: Journal,
    mover: Mover,
    moving: Arc<Moving>,
    reader: SqliteReader,
    folder: PathBuf,
    heads: Heads,
    /// Where the log ends.
    newest: After,
    /// What the database may still take, if it is bounded.
    room: Option<Room>,
    answered: AnsweredFile,
    /// Why nothing can be appended any more.
    broken: Option<String>,
    _lock: Lock,
}

/// Reads a [`SqliteLog`] from another thread, by a connection of its own.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
    pending: Arc<Pending>,
    id: LogId,
}

/// The log of a stopped server, opened to be looked at: nothing is recovered, cut or written.
#[derive(Debug)]
pub struct SqliteStopped {
    reader: SqliteReader,
    _lock: Lock,
}

impl LogReader for SqliteLog {
    fn id(&self) -> LogId {
        self.reader.id()
    }

    fn kind(&self) -> &'static str {
        self.reader.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        match &self.broken {
            None => Ok(self.heads.all()),
            Some(_) => self.reader.heads(),
        }
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        match &self.broken {
            None => Ok(self.heads.of(namespace)),
            Some(_) => self.reader.head(namespace),
        }
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.reader.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.reader.first_kept(namespace, keep)
    }
}

impl Log for SqliteLog {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.append_records(appends)?;
        if let Some(last) = appends.last() {
            self.answered.mark(self.newest.sequence, &last.record);
        }
        Ok(())
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        self.truncate_rows(namespace, revision)
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        let pending = self.reader.pending.clone();
        Ok(Box::new(SqliteReader::open(&self.folder, pending, self.reader.id)?))
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        // What cannot be trusted is left as it is.
        let is_moved = self.broken.is_none() && self.move_rest();
        self.mover.stop();
        if is_moved {
            self.leave_one_file();
        }
    }
}

impl SqliteLog {
    fn move_rest(&mut self) -> bool {
        let moved = self.settle();
        if let Err(error) = &moved {
            tracing::warn!(%error, "records stay in the journal; the next start moves them");
        }
        moved.is_ok()
    }

    /// A log that was closed is in `baton.db`, all of it.
    fn leave_one_file(&mut self) {
        if let Err(error) = self.journal.forget() {
            tracing::warn!(%error, "the journal keeps what the database has; the next start passes over it");
        }
        if let Err(error) = connection::empty_wal(self.moving.store().connection()) {
            tracing::warn!(%error, "the WAL stays beside the database; the next start moves it");
        }
    }
}

impl SqliteReader {
    fn open(folder: &Path, pending: Arc<Pending>, id: LogId) -> Result<SqliteReader, ReadError> {
        let connection = connection::open_reader(&folder::database(folder))
            .map_err(|error| failure::of_read("", 0, &error))?;
        Ok(SqliteReader { connection, pending, id })
    }
}

impl LogReader for SqliteReader {
    fn id(&self) -> LogId {
        self.id
    }

    fn kind(&self) -> &'static str {
        KIND
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        read::heads(&self.connection, &self.pending)
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        read::head(&self.connection, &self.pending, namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        read::records(&self.connection, &self.pending, namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        kept::first(&self.connection, &self.pending, namespace, keep)
    }
}

impl LogReader for SqliteStopped {
    fn id(&self) -> LogId {
        self.reader.id()
    }

    fn kind(&self) -> &'static str {
        self.reader.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.reader.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.reader.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.reader.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.reader.first_kept(namespace, keep)
    }
}
