//! Opens the archive of a log, and begins a new one where there is none that can be used.
//!
//! One that cannot be used is moved aside, never overwritten. Knows nothing of whether the log still has what it held.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{SqliteArchive, failed, is_damage, schema};
use crate::sqlite::connection;
use crate::sync_folder::sync_folder;
use crate::{ArchiveError, LogId};

impl SqliteArchive {
    /// Opens the archive in a data folder, which must exist and whose log of that id the caller has open. `body_format` is the format of
    /// the bodies. If there is none, or none of that log and format, an empty one is made; what was there is then called
    /// `archive.db.unusable`, and the server's log has a warning.
    ///
    /// # Errors
    /// [`ArchiveError::Io`] if the files cannot be used.
    pub fn open(data: &Path, log: LogId, body_format: u16) -> Result<SqliteArchive, ArchiveError> {
        let path = data.join("archive.db");
        if path.exists() {
            let why = match open_present(&path, log, body_format) {
                Ok(Ok(connection)) => return Ok(SqliteArchive { connection, path }),
                Ok(Err(why)) => why,
                Err(error) if is_damage(&error) => error.to_string(),
                Err(error) => return Err(failed(&error)),
            };
            tracing::warn!(path = %path.display(), %why, "the archive cannot be used; it is moved aside and made anew from the log");
            move_aside(&path).map_err(|error| {
                ArchiveError::Io(format!("cannot move {} aside: {error}", path.display()))
            })?;
        }
        let connection = create(&path, log, body_format).map_err(|error| failed(&error))?;
        sync_folder(data)
            .map_err(|error| ArchiveError::Io(format!("cannot sync {}: {error}", data.display())))?;
        Ok(SqliteArchive { connection, path })
    }
}

/// The archive that is there, or why it cannot be used.
fn open_present(path: &Path, log: LogId, body_format: u16) -> rusqlite::Result<Result<Connection, String>> {
    let connection = connection::open_writer(path, false)?;
    if let Some(why) = schema::mismatch(&connection, log, body_format)? {
        return Ok(Err(why));
    }
    connection::make_durable(&connection, connection::PAGE_BYTES)?;
    connection::may_clean_up(&connection)?;
    Ok(Ok(connection))
}

fn create(path: &Path, log: LogId, body_format: u16) -> rusqlite::Result<Connection> {
    let connection = connection::open_writer(path, true)?;
    connection::make_durable(&connection, connection::PAGE_BYTES)?;
    schema::create(&connection, log, body_format)?;
    connection::may_clean_up(&connection)?;
    Ok(connection)
}

/// The files that belong to a database, with what names them aside.
fn move_aside(path: &Path) -> io::Result<()> {
    let named = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    // The database last: as long as it is there, so is the reason to go on with this.
    for (from, to) in [("-wal", ".unusable-wal"), ("-shm", ".unusable-shm"), ("", ".unusable")] {
        let (from, to) = (named(from), named(to));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::remove_file(&to) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => (),
            },
            other => other?,
        }
    }
    Ok(())
}
