//! The tables, and whether a database has them.
//!
//! Knows nothing of files or of recovery.

use std::path::Path;

use rusqlite::{Connection, Result};

use super::failure;
use crate::{LogId, OpenError, RECORD_VERSION};

/// Marks a SQLite file as a log of baton: "BATN".
const APPLICATION_ID: i64 = 0x4241_544e;

/// Version of the tables below.
const SCHEMA_VERSION: i64 = 2;

/// `anchor_*` is the last record that was removed from the front of a chain (0 and 32 zero bytes if none was).
/// `sequence` orders all records of the log; `append_first` is the sequence of the first record of the same append.
/// `position` is how many bytes of bodies were ever appended to the log, up to and with the record; `removed_position` is
/// that of the newest record that was removed.
/// The unique index *is* compare-and-append: no two records can follow the same one.
const TABLES: &str = "
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        log_id BLOB NOT NULL CHECK (length(log_id) = 16),
        schema_version INTEGER NOT NULL,
        record_version INTEGER NOT NULL,
        removed_position INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE namespaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        anchor_revision INTEGER NOT NULL DEFAULT 0,
        anchor_hash BLOB NOT NULL DEFAULT (zeroblob(32)),
        anchor_sequence INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE records (
        sequence INTEGER PRIMARY KEY,
        append_first INTEGER NOT NULL,
        position INTEGER NOT NULL,
        namespace INTEGER NOT NULL,
        first_revision INTEGER NOT NULL,
        event_count INTEGER NOT NULL,
        time_us INTEGER NOT NULL,
        format INTEGER NOT NULL,
        previous BLOB NOT NULL,
        checksum BLOB NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (namespace, first_revision)
    ) STRICT;
";

/// Whether the database has no tables yet.
pub(super) fn is_new(connection: &Connection) -> Result<bool> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(tables == 0 && application_id(connection)? == 0)
}

/// Creates the tables of a new log, in one transaction.
pub(super) fn create(connection: &Connection, id: LogId) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO meta (only, log_id, schema_version, record_version) VALUES (1, ?1, ?2, ?3)",
        (id.0.to_be_bytes(), SCHEMA_VERSION, RECORD_VERSION),
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// Makes sure that this is a log that this program can read, and returns its identity.
pub(super) fn identify(connection: &Connection, path: &Path) -> Result<LogId, OpenError> {
    let failed = |error| failure::of_open(path, "cannot read its tables", error);
    if application_id(connection).map_err(failed)? != APPLICATION_ID {
        return Err(OpenError::NotALog { path: path.to_owned() });
    }
    let query = "SELECT schema_version, record_version, log_id FROM meta";
    let row = connection.query_row(query, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, [u8; 16]>(2)?))
    });
    let (schema, record, id) = row.map_err(failed)?;
    expect_version(path, "schema", schema, SCHEMA_VERSION)?;
    expect_version(path, "record", record, i64::from(RECORD_VERSION))?;
    Ok(LogId(u128::from_be_bytes(id)))
}

fn application_id(connection: &Connection) -> Result<i64> {
    connection.query_row("PRAGMA application_id", [], |row| row.get(0))
}

fn expect_version(path: &Path, what: &'static str, found: i64, known: i64) -> Result<(), OpenError> {
    if found == known {
        return Ok(());
    }
    Err(OpenError::Version { path: path.to_owned(), what, found, known })
}
