//! The tables, and whether a database has them.
//!
//! Knows nothing of files.

use rusqlite::{Connection, Result};

use crate::LogId;

/// Marks a SQLite file as an archive of baton: "BATA".
const APPLICATION_ID: i64 = 0x4241_5441;

/// Version of the tables below.
const SCHEMA_VERSION: i64 = 1;

/// Tasks lie in the order in which they were archived, apart from the index by id: so the index stays dense, and finding out that an
/// id is not there reads no body. Hand-offs are archived about in the order of their ids, so theirs holds the bodies.
/// `handoffs` in `tasks` are the ids of its hand-offs, eight bytes each, big-endian; their rows have the same `as_of`.
/// `saved` says what was saved for which revision, as long as that may have to be taken back or makes older rows needless.
const TABLES: &str = "
    CREATE TABLE meta (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        log_id BLOB NOT NULL CHECK (length(log_id) = 16),
        schema_version INTEGER NOT NULL,
        body_format INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE namespaces (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE marks (
        namespace INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        hash BLOB NOT NULL,
        PRIMARY KEY (namespace, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE tasks (
        sequence INTEGER PRIMARY KEY,
        namespace INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        as_of INTEGER NOT NULL,
        newest_revision INTEGER NOT NULL,
        handoffs BLOB NOT NULL,
        body BLOB NOT NULL,
        checksum BLOB NOT NULL,
        UNIQUE (namespace, task_id, as_of)
    ) STRICT;
    CREATE TABLE handoffs (
        namespace INTEGER NOT NULL,
        handoff_id INTEGER NOT NULL,
        as_of INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        body BLOB NOT NULL,
        checksum BLOB NOT NULL,
        PRIMARY KEY (namespace, handoff_id, as_of)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE saved (
        namespace INTEGER NOT NULL,
        as_of INTEGER NOT NULL,
        task_id TEXT NOT NULL,
        PRIMARY KEY (namespace, as_of, task_id)
    ) STRICT, WITHOUT ROWID;
";

/// Creates the tables of a new archive, in one transaction.
pub(super) fn create(connection: &Connection, log: LogId, body_format: u16) -> Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.execute(
        "INSERT INTO meta (only, log_id, schema_version, body_format) VALUES (1, ?1, ?2, ?3)",
        (log.0.to_be_bytes(), SCHEMA_VERSION, body_format),
    )?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}

/// Why the database is not the archive of that log in that format; `None`: it is.
pub(super) fn mismatch(connection: &Connection, log: LogId, body_format: u16) -> Result<Option<String>> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != APPLICATION_ID {
        return Ok(Some("it is not an archive of baton".to_owned()));
    }
    let query = "SELECT schema_version, body_format, log_id FROM meta";
    let (schema, format, id) = connection.query_row(query, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, [u8; 16]>(2)?))
    })?;
    Ok(if schema != SCHEMA_VERSION {
        Some(format!("it has schema version {schema}, this program knows version {SCHEMA_VERSION}"))
    } else if format != i64::from(body_format) {
        Some(format!("its tasks have format {format}, this program reads format {body_format}"))
    } else if id != log.0.to_be_bytes() {
        Some("it was made from another log".to_owned())
    } else {
        None
    })
}
