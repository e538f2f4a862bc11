//! Opens the log in a folder: creates it, or recovers it and refuses what cannot be recovered.
//!
//! Knows nothing of appending.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::answered_file::AnsweredFile;
use super::connection::LONG_PAGE_BYTES;
use super::heads::Heads;
use super::journal::{After, Journal};
use super::mover::Mover;
use super::moving::Moving;
use super::pending::Pending;
use super::recover::{Journaled, check, recover};
use super::room::Room;
use super::store::Store;
use super::{
    SqliteLog, SqliteOptions, SqliteReader, SqliteStopped, connection, failure, folder, kept, schema,
};
use crate::answered::Answered;
use crate::{AppendError, LogId, LogReader, OpenError, recovery};

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
        connection::make_durable(&connection, LONG_PAGE_BYTES).map_err(failed)?;
        let journaled = Journaled::load(folder, &connection, id, &mark)?;
        if let Some(damage) = &journaled.torn {
            recovery::warn_of_cut(folder, damage);
        }
        let pending = Arc::new(Pending::found(journaled.placed));
        let reader = SqliteReader { connection, pending, id };
        let mark = recover(folder, &reader, &mark)?;
        let SqliteReader { connection, pending, .. } = reader;
        let moving = Moving::new(store_of(folder, connection)?, pending);
        let (newest, room) = settle(folder, &moving, options)?;
        let journal = Journal::open(folder, id).map_err(|error| folder::of_write(folder, error))?;
        let answered = AnsweredFile::begin(folder, id, &mark)?;
        let reader = SqliteReader::open(folder, moving.pending_shared(), id)
            .map_err(|error| OpenError::from_read(folder, error))?;
        let heads = Heads::new(reader.heads().map_err(|error| OpenError::from_read(folder, error))?);
        let moving = Arc::new(moving);
        let mover = Mover::start(&path, moving.clone());
        let folder = folder.to_owned();
        Ok(SqliteLog {
            journal,
            mover,
            moving,
            reader,
            folder,
            heads,
            newest,
            room,
            answered,
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
        let journaled = Journaled::load(folder, &connection, id, &mark)?;
        let reader = SqliteReader { connection, pending: Arc::new(Pending::found(journaled.placed)), id };
        match check(folder, &reader, &mark) {
            Ok(_) | Err(OpenError::Damaged { .. }) => Ok(SqliteStopped { reader, _lock: lock }),
            Err(error) => Err(error),
        }
    }
}

fn store_of(folder: &Path, connection: Connection) -> Result<Store, OpenError> {
    Store::new(connection).map_err(|error| OpenError::from_read(folder, error))
}

/// Moves what the journal held into the database. Returns where the log ends, and what the database may still take.
fn settle(
    folder: &Path,
    moving: &Moving,
    options: &SqliteOptions,
) -> Result<(After, Option<Room>), OpenError> {
    moving.move_all().map_err(|error| match error {
        AppendError::Full(what) => OpenError::Full { path: folder.to_owned(), what },
        error => {
            let what = format!("cannot move the journal into the database: {error}");
            OpenError::Io { path: folder.to_owned(), what }
        }
    })?;
    let path = folder::database(folder);
    let failed = |error| failure::of_open(&path, "cannot read its end", error);
    let store = moving.store();
    connection::may_clean_up(store.connection()).map_err(failed)?;
    let position = kept::end(store.connection()).map_err(failed)?;
    let newest = After { sequence: store.sequence(), position };
    let room = options.size_bytes_max.map(|bytes_max| Room::new(bytes_max, store.connection()));
    Ok((newest, room.transpose().map_err(failed)?))
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
        connection::make_durable(connection, LONG_PAGE_BYTES).map_err(failed)?;
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
