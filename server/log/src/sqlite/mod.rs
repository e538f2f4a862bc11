//! The log in a folder, kept by SQLite: the default, with nothing to install.
//!
//! One row per record, one transaction per append, one fsync per transaction (WAL with `synchronous=FULL`). The folder
//! holds `baton.db` and its WAL, `lock` (held while a server uses the folder) and `answered` (the answered mark).
//! Knows nothing of what record bodies mean.

mod answered_file;
mod append;
pub(crate) mod connection;
pub(crate) mod failure;
mod folder;
mod kept;
mod open;
pub(crate) mod read;
mod recover;
mod schema;
mod tamper;
mod truncate;
mod wal;

use std::path::PathBuf;

use rusqlite::Connection;

use crate::{
    Append, AppendError, Head, Keep, Log, LogId, LogReader, ReadError, ReadLimit, Record, Truncated,
};
use answered_file::AnsweredFile;
use append::Heads;
use folder::Lock;
use wal::Mover;

const KIND: &str = "sqlite";

/// How a [`SqliteLog`] is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Greatest size of `baton.db`, in bytes; the default is bounded by the disk. The WAL comes on top, about 24 MiB.
    /// A log that is larger already stays as large as it is.
    pub size_bytes_max: Option<u64>,
}

/// A [`Log`] in a folder. One process at a time has it open.
#[derive(Debug)]
pub struct SqliteLog {
    // Fields are dropped in this order: the lock is the last to go.
    connection: Connection,
    id: LogId,
    folder: PathBuf,
    heads: Heads,
    /// As of when the heads were read: see [`append::data_version`].
    data_version: i64,
    /// Sequence of the newest record.
    sequence: u64,
    /// Position of the newest record.
    position: u64,
    answered: AnsweredFile,
    wal: Mover,
    /// Why nothing can be appended any more.
    broken: Option<String>,
    _lock: Lock,
}

/// Reads a [`SqliteLog`] from another thread, by a connection of its own.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
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
        self.id
    }

    fn kind(&self) -> &'static str {
        KIND
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        match &self.broken {
            None => Ok(self.heads.all()),
            Some(_) => read::heads(&self.connection),
        }
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        match &self.broken {
            None => Ok(self.heads.of(namespace)),
            Some(_) => read::head(&self.connection, namespace),
        }
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        read::records(&self.connection, namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        kept::first(&self.connection, namespace, keep)
    }
}

impl Log for SqliteLog {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.append_rows(appends)?;
        if let Some(last) = appends.last() {
            self.answered.mark(self.sequence, &last.record);
        }
        Ok(())
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        self.truncate_rows(namespace, revision)
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        let connection = connection::open_reader(&folder::database(&self.folder))
            .map_err(|error| failure::of_read("", 0, &error))?;
        Ok(Box::new(SqliteReader { connection, id: self.id }))
    }
}

impl Drop for SqliteLog {
    fn drop(&mut self) {
        // What cannot be trusted is left as it is.
        if self.broken.is_none() {
            self.wal.finish(&self.connection);
        }
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
        read::heads(&self.connection)
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        read::head(&self.connection, namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        read::records(&self.connection, namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        kept::first(&self.connection, namespace, keep)
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
