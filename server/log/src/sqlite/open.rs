//! Opens the log in a folder: creates it, or recovers it and refuses what cannot be recovered.
//!
//! Knows nothing of appending.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::answered_file::AnsweredFile;
use super::append::{Heads, data_version};
use super::recover::{check, recover};
use super::wal::Mover;
use super::{
    SqliteLog, SqliteOptions, SqliteReader, SqliteStopped, connection, failure, folder, kept, schema,
};
use crate::answered::Answered;
use crate::{LogId, OpenError};

impl SqliteLog {
    /// Opens the log in `folder`; creates the folder and a new log if there is none (the parent must exist).
    ///
    /// The newest records of each namespace are checked. If the newest append is torn and was never answered, it is
    /// cut, with a warning in the server's log; any other damage is an error. All that can be read then is durable.
    ///
    /// # Errors
    /// [`OpenError`], each with the path and what to do; nothing was changed then.
    pub fn open(folder: &Path, options: &SqliteOptions) -> Result<SqliteLog, OpenError> {
        let lock = folder::prepare(folder)?;
        let marked = AnsweredFile::load(folder)?;
        let path = folder::database(folder);
        refuse_lost_database(folder, &path, marked.as_ref())?;
        let failed = |error| failure::of_open(&path, "cannot open it", error);
        let connection = connection::open_writer(&path, true).map_err(failed)?;
        let id = create_or_identify(&connection, &path)?;
        let mark = mark_of(folder, id, marked)?;
        connection::make_durable(&connection).map_err(failed)?;
        let reader = SqliteReader { connection, id };
        let mark = recover(folder, &reader, &mark)?;
        let connection = reader.connection;
        connection::may_clean_up(&connection).map_err(failed)?;
        if let Some(bytes) = options.size_bytes_max {
            connection::limit_size(&connection, bytes).map_err(failed)?;
        }
        let data_version = data_version(&connection).map_err(failed)?;
        let heads = Heads::load(&connection).map_err(|error| OpenError::from_read(folder, error))?;
        let answered = AnsweredFile::begin(folder, id, &mark)?;
        let sequence = mark.sequence;
        let position = kept::end(&connection).map_err(failed)?;
        let folder = folder.to_owned();
        Ok(SqliteLog {
            connection,
            id,
            folder,
            heads,
            data_version,
            sequence,
            position,
            answered,
            wal: Mover::new(&path),
            broken: None,
            _lock: lock,
        })
    }

    /// Opens the log of a stopped server to read it, as `baton verify --data` does. Nothing is cut or changed.
    ///
    /// # Errors
    /// [`OpenError::InUse`] while a server runs on the folder, and what [`SqliteLog::open`] says, but for damage at
    /// the end of the log, which a walk along the chain reports.
    pub fn open_read_only(folder: &Path) -> Result<SqliteStopped, OpenError> {
        let lock = folder::lock_existing(folder)?;
        let path = folder::database(folder);
        let marked = AnsweredFile::load(folder)?;
        let failed = |error| failure::of_open(&path, "cannot open it", error);
        let connection = connection::open_reader(&path).map_err(failed)?;
        let id = schema::identify(&connection, &path)?;
        let mark = mark_of(folder, id, marked)?;
        let reader = SqliteReader { connection, id };
        match check(folder, &reader, &mark) {
            Ok(_) | Err(OpenError::Damaged { .. }) => Ok(SqliteStopped { reader, _lock: lock }),
            Err(error) => Err(error),
        }
    }
}

/// A mark without a database means that the database was lost: a new one would hide that.
fn refuse_lost_database(
    folder: &Path,
    database: &Path,
    marked: Option<&(LogId, Answered)>,
) -> Result<(), OpenError> {
    let is_there = fs::metadata(database).is_ok_and(|file| file.len() > 0);
    match marked {
        Some((_, mark)) if !is_there && mark.sequence > 0 => Err(mark.missing(folder, 0)),
        _ => Ok(()),
    }
}

fn create_or_identify(connection: &Connection, path: &Path) -> Result<LogId, OpenError> {
    let failed = |error| failure::of_open(path, "cannot create its tables", error);
    if schema::is_new(connection).map_err(failed)? {
        let id = LogId::random()
            .map_err(|error| OpenError::Io { path: path.to_owned(), what: error.to_string() })?;
        connection::make_durable(connection).map_err(failed)?;
        schema::create(connection, id).map_err(failed)?;
    }
    schema::identify(connection, path)
}

/// The mark if it is of this log. No mark means that an operator removed it to accept a loss, or that the process
/// died while it created the log.
fn mark_of(folder: &Path, id: LogId, marked: Option<(LogId, Answered)>) -> Result<Answered, OpenError> {
    match marked {
        None => Ok(Answered::NOTHING),
        Some((log, mark)) if log == id || mark.sequence == 0 => Ok(mark),
        Some(_) => Err(OpenError::AnsweredUnusable {
            path: folder::answered(folder),
            what: "belongs to another log",
        }),
    }
}
