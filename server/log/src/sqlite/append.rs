//! Appends rows in one transaction, and remembers the heads.
//!
//! Knows nothing of the answered mark.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::read::{self, Namespace, signed, unsigned};
use super::{SqliteLog, connection, failure};
use crate::admission::admit;
use crate::{Append, AppendError, Head, ReadError, Record};

/// The heads as of the last commit: the only writer need not ask the database.
#[derive(Debug, Default)]
pub(super) struct Heads {
    by_name: HashMap<Arc<str>, Known>,
}

#[derive(Debug)]
struct Known {
    id: i64,
    head: Head,
}

impl Heads {
    /// Reads them all.
    pub(super) fn load(connection: &Connection) -> Result<Heads, ReadError> {
        let known = |row: Namespace| {
            let head = read::head_of(connection, &row).map_err(|e| failure::of_read(&row.name, 0, &e))?;
            Ok((row.name, Known { id: row.id, head }))
        };
        let by_name =
            read::namespaces(connection)?.into_iter().map(known).collect::<Result<_, ReadError>>()?;
        Ok(Heads { by_name })
    }

    /// Those of namespaces that have records or had some, ordered by name.
    pub(super) fn all(&self) -> Vec<Head> {
        let heads = self.by_name.values().map(|known| &known.head);
        let mut heads: Vec<_> = heads.filter(|head| head.revision > 0).cloned().collect();
        heads.sort_unstable_by(|one, other| one.namespace.cmp(&other.namespace));
        heads
    }

    pub(super) fn of(&self, namespace: &str) -> Head {
        self.by_name.get(namespace).map_or_else(|| Head::empty(namespace), |known| known.head.clone())
    }

    pub(super) fn id(&self, namespace: &str) -> Option<i64> {
        self.by_name.get(namespace).map(|known| known.id)
    }

    pub(super) fn set_oldest(&mut self, namespace: &str, oldest_revision: u64) {
        if let Some(known) = self.by_name.get_mut(namespace) {
            known.head.oldest_revision = oldest_revision;
        }
    }

    fn advance(&mut self, id: i64, record: &Record) {
        let (revision, hash) = (record.last_revision(), record.checksum);
        if let Some(known) = self.by_name.get_mut(&record.namespace) {
            known.head.revision = revision;
            known.head.hash = hash;
            return;
        }
        let head = Head { namespace: record.namespace.clone(), revision, oldest_revision: 1, hash };
        self.by_name.insert(record.namespace.clone(), Known { id, head });
    }
}

/// The newest revision of a namespace, as the database has it.
const END: &str = "SELECT coalesce(
    (SELECT first_revision + event_count - 1 FROM records WHERE namespace = ?1 ORDER BY first_revision DESC LIMIT 1),
    (SELECT anchor_revision FROM namespaces WHERE id = ?1))";

/// Changes when another connection has written to the database; in a transaction, it tells of all that the transaction builds on.
const DATA_VERSION: &str = "PRAGMA data_version";

/// Values alone: if it looked at the table that it inserts into, SQLite would first put each record, body and all, into a table of its own
/// and read it back.
const INSERT: &str =
    "INSERT INTO records (sequence, append_first, namespace, first_revision, event_count, time_us,
    format, previous, checksum, body, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

impl SqliteLog {
    /// Appends all or nothing; durable on return.
    pub(super) fn append_rows(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.refuse_if_broken()?;
        admit(appends, |namespace| Ok(self.heads.of(namespace)))?;
        if appends.is_empty() {
            return Ok(());
        }
        let ids = self.transaction(|log| log.insert_all(appends))?;
        for (id, append) in ids.into_iter().zip(appends) {
            self.heads.advance(id, &append.record);
        }
        self.sequence += appends.len() as u64;
        self.position += appends.iter().map(body_bytes).sum::<u64>();
        self.wal.appended(&self.connection, appends);
        Ok(())
    }

    /// Runs `change` in a transaction of its own: committed if it succeeds, rolled back if it does not.
    pub(super) fn transaction<T>(
        &mut self,
        change: impl FnOnce(&mut SqliteLog) -> Result<T, AppendError>,
    ) -> Result<T, AppendError> {
        self.execute("BEGIN IMMEDIATE").map_err(|error| failure::before_commit(&error))?;
        let outcome = change(self).and_then(|value| {
            self.execute("COMMIT").map(|()| value).map_err(|error| failure::of_commit(&error))
        });
        let Err(error) = outcome else { return outcome };
        let error = self.roll_back(error);
        match &error {
            AppendError::Broken(why) => {
                tracing::error!(%why, "the log cannot be made durable any more");
                self.broken = Some(why.clone());
            }
            AppendError::Full(_) => connection::make_room(&self.connection),
            _ => (),
        }
        Err(error)
    }

    pub(super) fn refuse_if_broken(&self) -> Result<(), AppendError> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(AppendError::Broken(why.clone())),
        }
    }

    /// SQLite has rolled back by itself after some failures; a failure that cannot be rolled back is not definite.
    fn roll_back(&self, error: AppendError) -> AppendError {
        if self.connection.is_autocommit() {
            return error;
        }
        match self.execute("ROLLBACK") {
            Ok(()) => error,
            Err(second) => {
                AppendError::Broken(format!("{error}; then rollback failed: {}", failure::describe(&second)))
            }
        }
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }

    /// Returns the ids of the namespaces, in the order of the appends.
    fn insert_all(&self, appends: &[Append]) -> Result<Vec<i64>, AppendError> {
        let append_first = self.sequence + 1;
        let mut position = self.position;
        let mut inserter = self.inserter().map_err(|error| failure::before_commit(&error))?;
        (append_first..)
            .zip(appends)
            .map(|(sequence, append)| {
                let namespace = &append.record.namespace;
                let id = match self.heads.id(namespace) {
                    Some(id) => id,
                    None => {
                        self.insert_namespace(namespace).map_err(|error| failure::before_commit(&error))?
                    }
                };
                position += body_bytes(append);
                inserter.insert(id, [sequence, append_first, position], append)?;
                Ok(id)
            })
            .collect()
    }

    fn inserter(&self) -> rusqlite::Result<Inserter<'_>> {
        let is_alone = data_version(&self.connection)? == self.data_version;
        let end = if is_alone { None } else { Some(self.connection.prepare_cached(END)?) };
        Ok(Inserter { end, insert: self.connection.prepare_cached(INSERT)? })
    }

    fn insert_namespace(&self, namespace: &str) -> rusqlite::Result<i64> {
        let mut statement = self.connection.prepare_cached("INSERT INTO namespaces (name) VALUES (?1)")?;
        statement.insert([namespace])
    }
}

/// Inserts the records of one append, inside its transaction.
struct Inserter<'connection> {
    /// Asks where a chain ends, if the heads may be wrong: somebody has written to the database past the lock since they were read.
    end: Option<CachedStatement<'connection>>,
    insert: CachedStatement<'connection>,
}

impl Inserter<'_> {
    /// Inserts only where the chain ends right before the record, whatever the writer believes. `place` is the record's sequence, that of
    /// the first record of its append, and its position.
    fn insert(&mut self, id: i64, place: [u64; 3], append: &Append) -> Result<(), AppendError> {
        self.refuse_unless_at_end(id, append)?;
        self.insert_row(id, place, &append.record).map_err(|error| failure::before_commit(&error))
    }

    fn refuse_unless_at_end(&mut self, id: i64, append: &Append) -> Result<(), AppendError> {
        let Some(end) = &mut self.end else { return Ok(()) };
        let actual = end.query_row([id], |row| row.get(0).map(unsigned));
        let actual = actual.map_err(|error| failure::before_commit(&error))?;
        if actual + 1 == append.record.first_revision {
            return Ok(());
        }
        let namespace = append.record.namespace.clone();
        Err(AppendError::Conflict { namespace, expected: append.expected_revision, actual })
    }

    fn insert_row(&mut self, id: i64, place: [u64; 3], record: &Record) -> rusqlite::Result<()> {
        let [sequence, append_first, position] = place.map(signed);
        self.insert.execute((
            sequence,
            append_first,
            id,
            signed(record.first_revision),
            record.event_count,
            record.time_us,
            record.format,
            record.previous.0.as_slice(),
            record.checksum.0.as_slice(),
            record.body.as_ref(),
            position,
        ))?;
        Ok(())
    }
}

/// What changes when another connection writes to the database.
pub(super) fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached(DATA_VERSION)?.query_row([], |row| row.get(0))
}

fn body_bytes(append: &Append) -> u64 {
    append.record.body.len() as u64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::{SqliteLog, data_version};
    use crate::sqlite::SqliteOptions;
    use crate::testing::append_one;
    use crate::{Log, ReadLimit};

    #[test]
    fn what_is_done_to_a_log_by_itself_is_not_taken_for_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        let reader = log.reader().unwrap();
        // More than twice what makes its mover empty the WAL, by a connection of its own.
        for round in 1..=40 {
            append_one(&mut log, "a", 1, 1 << 20);
            let read = reader.read("a", round, ReadLimit::UNLIMITED).unwrap();
            assert_eq!(read.len(), 1);
            log.truncate_before("a", round).unwrap();
        }
        assert_eq!(data_version(&log.connection), Ok(log.data_version));
    }
}
