//! Folders with a log in them, and ways to damage them.

use std::fs;
use std::path::Path;

use baton_log::testing::append_one;
use baton_log::{Damage, OpenError, SqliteLog, SqliteOptions};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) fn open(folder: &Path) -> Result<SqliteLog, OpenError> {
    SqliteLog::open(folder, &SqliteOptions::default())
}

pub(crate) fn healthy(folder: &Path) -> SqliteLog {
    open(folder).expect("a healthy folder opens")
}

/// A folder with a log of 40 records of 3 events in `a`, and the same in `b`.
pub(crate) fn filled() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut log = healthy(folder.path());
    for _ in 0..40 {
        append_one(&mut log, "a", 3, 100);
        append_one(&mut log, "b", 3, 100);
    }
    folder
}

pub(crate) fn alter(folder: &Path, sql: &str) {
    let connection = Connection::open(folder.join("baton.db")).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

/// The files as a process leaves them that is killed now.
pub(crate) fn killed(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["baton.db", "baton.db-wal", "journal-0", "journal-1", "answered"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

pub(crate) fn flip_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

pub(crate) fn damage_of(opened: Result<SqliteLog, OpenError>) -> Damage {
    match opened {
        Err(OpenError::Damaged { damage, .. }) => damage,
        other => panic!("expected damage, got {other:?}"),
    }
}
