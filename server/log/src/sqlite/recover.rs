//! Checks the end of the log in the tables, and cuts what may be cut.
//!
//! Knows nothing of how the end is judged: that is [`crate::recovery`].

use std::path::Path;

use rusqlite::Connection;

use super::read::{self, signed};
use super::{SqliteReader, failure};
use crate::OpenError;
use crate::answered::Answered;
use crate::recovery::{self, Tail, Verdict};

/// Checks the newest records against each other and against the mark; cuts a torn end that was never answered.
/// Returns the mark for the log as it is then.
pub(super) fn recover(folder: &Path, reader: &SqliteReader, mark: &Answered) -> Result<Answered, OpenError> {
    let connection = &reader.connection;
    let verdict = check(folder, reader, mark)?;
    if let Verdict::Cut { append_first, damage } = verdict {
        recovery::warn_of_cut(folder, &damage);
        cut(connection, append_first).map_err(|error| {
            failure::of_open(&super::folder::database(folder), "cannot cut its torn end", error)
        })?;
    }
    Ok(recovery::answered_at_end(&tails(folder, connection)?))
}

/// Checks without changing anything.
pub(super) fn check(folder: &Path, reader: &SqliteReader, mark: &Answered) -> Result<Verdict, OpenError> {
    let tails = tails(folder, &reader.connection)?;
    let verdict = recovery::judge(&tails, mark).map_err(|damage| recovery::damaged(folder, damage))?;
    mark.check(folder, reader)?;
    Ok(verdict)
}

fn tails(folder: &Path, connection: &Connection) -> Result<Vec<Tail>, OpenError> {
    let namespaces = read::namespaces(connection).map_err(|error| OpenError::from_read(folder, error))?;
    let tails = namespaces.iter().map(|row| read::tail(connection, row));
    tails.collect::<Result<_, _>>().map_err(|error| OpenError::from_read(folder, error))
}

fn cut(connection: &Connection, append_first: u64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM records WHERE sequence >= ?1", [signed(append_first)]).map(|_| ())
}
