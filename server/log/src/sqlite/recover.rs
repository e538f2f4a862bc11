//! Checks the end of the log, in the tables and in the journal, and cuts what may be cut.
//!
//! Knows nothing of how the end is judged: that is [`crate::recovery`].

use std::collections::HashMap;
use std::path::Path;

use rusqlite::Connection;

use super::pending::Pending;
use super::read::{self, signed};
use super::{SqliteReader, failure, folder, journal, store};
use crate::answered::Answered;
use crate::recovery::{self, Placed, Tail, Verdict};
use crate::{Chain, Damage, LogId, OpenError};

/// What the journal holds that the database does not have. Changes nothing.
pub(super) struct Journaled {
    pub(super) placed: Vec<Placed>,
    /// How the journal ends, if its newest append is torn and was never answered.
    pub(super) torn: Option<Damage>,
}

impl Journaled {
    /// Reads it, and checks that it continues the database.
    pub(super) fn load(
        folder: &Path,
        connection: &Connection,
        id: LogId,
        mark: &Answered,
    ) -> Result<Journaled, OpenError> {
        let sequence = store::newest_sequence(connection)
            .map_err(|error| OpenError::from_read(folder, failure::of_read("", 0, &error)))?;
        let loaded = journal::load(folder, id, sequence).map_err(|error| OpenError::Io {
            path: folder.to_owned(),
            what: format!("cannot read the journal: {error}"),
        })?;
        let torn = match loaded.torn {
            Some((append_first, damage)) if append_first <= mark.sequence => {
                return Err(recovery::damaged(folder, damage));
            }
            torn => torn.map(|(_, damage)| damage),
        };
        check_chains(folder, connection, &loaded.placed)?;
        Ok(Journaled { placed: loaded.placed, torn })
    }
}

fn check_chains(folder: &Path, connection: &Connection, placed: &[Placed]) -> Result<(), OpenError> {
    let mut chains = HashMap::new();
    for placed in placed {
        let record = &placed.record;
        let chain = match chains.get_mut(&record.namespace) {
            Some(chain) => chain,
            None => {
                let head = read::head(connection, &Pending::default(), &record.namespace)
                    .map_err(|error| OpenError::from_read(folder, error))?;
                let chain = Chain::after(&record.namespace, head.revision, head.hash);
                chains.entry(record.namespace.clone()).or_insert(chain)
            }
        };
        chain.follow(record).map_err(|damage| recovery::damaged(folder, damage))?;
    }
    Ok(())
}

/// Checks the newest records against each other and against the mark; cuts a torn end that was never answered.
/// Returns the mark for the log as it is then.
pub(super) fn recover(folder: &Path, reader: &SqliteReader, mark: &Answered) -> Result<Answered, OpenError> {
    let connection = &reader.connection;
    let verdict = check(folder, reader, mark)?;
    if let Verdict::Cut { append_first, damage } = verdict {
        recovery::warn_of_cut(folder, &damage);
        cut(connection, append_first)
            .map_err(|error| failure::of_open(&folder::database(folder), "cannot cut its torn end", error))?;
    }
    match reader.pending.newest() {
        Some(newest) => Ok(Answered::new(newest.sequence, &newest.record)),
        None => Ok(recovery::answered_at_end(&tails(folder, connection)?)),
    }
}

/// Checks without changing anything.
pub(super) fn check(folder: &Path, reader: &SqliteReader, mark: &Answered) -> Result<Verdict, OpenError> {
    let tails = tails(folder, &reader.connection)?;
    // What the journal continues is not the end.
    let answered = reader.pending.newest().map_or(mark.sequence, |newest| newest.sequence);
    let verdict = recovery::judge(&tails, answered).map_err(|damage| recovery::damaged(folder, damage))?;
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
