//! The database that records are moved into: whole appends at a time, in order, each chunk in one transaction.
//!
//! Knows nothing of the journal that they come from.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::read::{self, signed, unsigned};
use super::{connection, failure};
use crate::recovery::Placed;
use crate::{AppendError, ReadError, Record};

/// The connection that writes, and what it knows of the tables.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    /// Ids of all namespaces.
    ids: HashMap<Arc<str>, i64>,
    /// Sequence of the newest record that the database has or had.
    sequence: u64,
    /// As of when `ids` and `sequence` were read: see [`data_version`].
    data_version: i64,
    /// Why nothing that is written is sure to be durable any more: a sync that is tried again may succeed without having written anything.
    broken: Option<String>,
}

/// The newest revision of a namespace, as the database has it.
const END: &str = "SELECT coalesce(
    (SELECT first_revision + event_count - 1 FROM records WHERE namespace = ?1 ORDER BY first_revision DESC LIMIT 1),
    (SELECT anchor_revision FROM namespaces WHERE id = ?1))";

const NEWEST_SEQUENCE: &str = "SELECT max(coalesce((SELECT max(sequence) FROM records), 0),
    coalesce((SELECT max(anchor_sequence) FROM namespaces), 0))";

/// Changes when another connection has written to the database; in a transaction, it tells of all that the transaction builds on.
const DATA_VERSION: &str = "PRAGMA data_version";

/// Values alone: if it looked at the table that it inserts into, SQLite would first put each record, body and all, into a table of its own
/// and read it back.
const INSERT: &str =
    "INSERT INTO records (sequence, append_first, namespace, first_revision, event_count, time_us,
    format, previous, checksum, body, position) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

impl Store {
    /// Takes the connection that writes, when the log's end has been checked.
    pub(super) fn new(connection: Connection) -> Result<Store, ReadError> {
        let failed = |error: rusqlite::Error| failure::of_read("", 0, &error);
        let sequence = newest_sequence(&connection).map_err(failed)?;
        let data_version = data_version(&connection).map_err(failed)?;
        let ids = read::namespaces(&connection)?.into_iter().map(|row| (row.name, row.id)).collect();
        Ok(Store { connection, ids, sequence, data_version, broken: None })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) fn id(&self, namespace: &str) -> Option<i64> {
        self.ids.get(namespace).copied()
    }

    /// Sequence of the newest record that the database has or had.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Inserts whole appends that follow what the database has; durable on return.
    pub(super) fn insert(&mut self, placed: &[Placed]) -> Result<(), AppendError> {
        let Some(last) = placed.last() else { return Ok(()) };
        let opened = self.transaction(|store| store.insert_all(placed))?;
        self.ids.extend(opened);
        self.sequence = last.sequence;
        Ok(())
    }

    /// Runs `change` in a transaction of its own: committed if it succeeds, rolled back if it does not.
    pub(super) fn transaction<T>(
        &mut self,
        change: impl FnOnce(&Store) -> Result<T, AppendError>,
    ) -> Result<T, AppendError> {
        if let Some(why) = &self.broken {
            return Err(AppendError::Broken(why.clone()));
        }
        self.execute("BEGIN IMMEDIATE").map_err(|error| failure::before_commit(&error))?;
        let outcome = change(self).and_then(|value| {
            self.execute("COMMIT").map(|()| value).map_err(|error| failure::of_commit(&error))
        });
        let Err(error) = outcome else { return outcome };
        let error = self.roll_back(error);
        match &error {
            AppendError::Full(_) => connection::make_room(&self.connection),
            AppendError::Broken(why) => self.broken = Some(why.clone()),
            _ => (),
        }
        Err(error)
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

    /// Returns the names and ids of the namespaces that are new.
    fn insert_all(&self, placed: &[Placed]) -> Result<HashMap<Arc<str>, i64>, AppendError> {
        let failed = |error: rusqlite::Error| failure::before_commit(&error);
        let mut opened = HashMap::new();
        let mut inserter = self.inserter().map_err(failed)?;
        for placed in placed {
            let namespace = &placed.record.namespace;
            let known = self.id(namespace).or_else(|| opened.get(namespace).copied());
            let id = match known {
                Some(id) => id,
                None => {
                    let id = insert_namespace(&self.connection, namespace).map_err(failed)?;
                    opened.insert(namespace.clone(), id);
                    id
                }
            };
            inserter.insert(id, placed)?;
        }
        Ok(opened)
    }

    fn inserter(&self) -> rusqlite::Result<Inserter<'_>> {
        let is_alone = data_version(&self.connection)? == self.data_version;
        let end = if is_alone { None } else { Some(self.connection.prepare_cached(END)?) };
        Ok(Inserter { end, insert: self.connection.prepare_cached(INSERT)? })
    }
}

fn insert_namespace(connection: &Connection, namespace: &str) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached("INSERT INTO namespaces (name) VALUES (?1)")?;
    statement.insert([namespace])
}

/// Inserts records inside a transaction.
struct Inserter<'connection> {
    /// Asks where a chain ends, if somebody has written to the database past the lock since it was read.
    end: Option<CachedStatement<'connection>>,
    insert: CachedStatement<'connection>,
}

impl Inserter<'_> {
    /// Inserts only where the chain ends right before the record, whatever the writer believes.
    fn insert(&mut self, id: i64, placed: &Placed) -> Result<(), AppendError> {
        self.refuse_unless_at_end(id, &placed.record)?;
        self.insert_row(id, placed).map_err(|error| failure::before_commit(&error))
    }

    fn refuse_unless_at_end(&mut self, id: i64, record: &Record) -> Result<(), AppendError> {
        let Some(end) = &mut self.end else { return Ok(()) };
        let actual = end.query_row([id], |row| row.get(0).map(unsigned));
        let actual = actual.map_err(|error| failure::before_commit(&error))?;
        if actual + 1 == record.first_revision {
            return Ok(());
        }
        let expected = record.first_revision - 1;
        Err(AppendError::Conflict { namespace: record.namespace.clone(), expected, actual })
    }

    fn insert_row(&mut self, id: i64, placed: &Placed) -> rusqlite::Result<()> {
        let record = &placed.record;
        self.insert.execute((
            signed(placed.sequence),
            signed(placed.append_first),
            id,
            signed(record.first_revision),
            record.event_count,
            record.time_us,
            record.format,
            record.previous.0.as_slice(),
            record.checksum.0.as_slice(),
            record.body.as_ref(),
            signed(placed.position),
        ))?;
        Ok(())
    }
}

/// Sequence of the newest record that the database has or had.
pub(super) fn newest_sequence(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row(NEWEST_SEQUENCE, [], |row| row.get(0)).map(unsigned)
}

/// What changes when another connection writes to the database.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached(DATA_VERSION)?.query_row([], |row| row.get(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::data_version;
    use crate::sqlite::{SqliteLog, SqliteOptions};
    use crate::testing::{append_one, next_append};
    use crate::{AppendError, Log, LogReader, ReadLimit, verify};

    #[test]
    fn what_is_done_to_a_log_by_itself_is_not_taken_for_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        let reader = log.reader().unwrap();
        // Many files of the journal, and after each the WAL is moved by a connection of its own.
        for round in 1..=40 {
            append_one(&mut log, "a", 1, 1 << 20);
            let read = reader.read("a", round, ReadLimit::UNLIMITED).unwrap();
            assert_eq!(read.len(), 1);
            log.truncate_before("a", round).unwrap();
        }
        let store = log.moving.store();
        assert_eq!(data_version(store.connection()), Ok(store.data_version));
    }

    #[test]
    fn after_a_commit_that_failed_nothing_is_moved_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        append_one(&mut log, "a", 1, 100);
        // A commit that fails as one does whose sync fails, as far as the log can tell.
        let unfit = "PRAGMA foreign_keys = ON;
            CREATE TABLE parents (id INTEGER PRIMARY KEY) STRICT;
            CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED) STRICT;";
        log.moving.store().connection().execute_batch(unfit).unwrap();
        let failed = log.moving.store().transaction(|store| {
            store.connection().execute("INSERT INTO children VALUES (1)", []).unwrap();
            Ok(())
        });
        let Err(AppendError::Broken(why)) = failed else { panic!("{failed:?}") };
        assert_eq!(log.moving.move_all(), Err(AppendError::Broken(why.clone())), "whoever moves next");
        assert_eq!(log.truncate_before("a", 2), Err(AppendError::Broken(why.clone())));
        assert_eq!(log.append(&[next_append(&log, "a", 1, 1)]), Err(AppendError::Broken(why)));
        drop(log);
        let log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        assert_eq!(log.head("a").unwrap().revision, 1, "the journal has it");
    }

    /// SQLite tells of a full disk and of its greatest size alike.
    #[test]
    fn a_full_disk_refuses_appends_once_the_journal_is_full_and_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        let set_pages_max = |log: &SqliteLog, pages: u32| {
            let store = log.moving.store();
            store.connection().pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        };
        set_pages_max(&log, 150);
        let mut appended = 0;
        let full = loop {
            match log.append(&[next_append(&log, "a", 1, 500_000)]) {
                Ok(()) => appended += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(full, AppendError::Full(_)), "{full}");
        // The two files hold eight each. Of those of the first, 2.4 MB of pages take four.
        assert!((15..=17).contains(&appended), "{appended} appends of 500 kB");
        assert!(matches!(log.append(&[next_append(&log, "b", 1, 500_000)]), Err(AppendError::Full(_))));
        assert_eq!(verify(&log, "a", |_| ()).map(|proven| proven.records), Ok(appended));

        // What the database has can be removed; then there is room for more of what the journal has.
        while log.head("a").unwrap().oldest_revision < 10 {
            log.truncate_before("a", 10).unwrap();
        }
        append_one(&mut log, "b", 1, 500_000);
        set_pages_max(&log, 10_000);
        drop(log);
        let log = SqliteLog::open(folder.path(), &SqliteOptions::default()).unwrap();
        assert_eq!(log.head("a").unwrap().revision, appended);
        assert!(verify(&log, "a", |_| ()).is_ok() && verify(&log, "b", |_| ()).is_ok());
    }
}
