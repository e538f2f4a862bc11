//! Folders and files that are not what a log needs: each is refused in its own words.

use std::fs;
use std::path::Path;

use baton_log::{OpenError, SqliteLog};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::folders::{alter, filled, healthy, open};

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let folder = filled();
    let log = healthy(folder.path());
    let text = open(folder.path()).unwrap_err().to_string();
    assert!(text.contains("is in use by another server"), "{text}");
    assert!(text.contains(&folder.path().display().to_string()), "{text}");
    assert!(matches!(SqliteLog::open_read_only(folder.path()), Err(OpenError::InUse { .. })));
    drop(log);
    healthy(folder.path());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let page = vec![0x5a; 8192];
    for content in [b"hello".as_slice(), &page] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("baton.db"), content).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error}");
        assert!(error.to_string().contains("baton.db is not a database"), "{error}");
        assert_eq!(fs::read(folder.path().join("baton.db")).unwrap(), content, "it is left as it was");
    }
}

#[test]
fn a_database_of_something_else_is_refused() {
    let folder = TempDir::new().unwrap();
    let connection = Connection::open(folder.path().join("baton.db")).unwrap();
    connection.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(connection);
    assert!(matches!(open(folder.path()), Err(OpenError::NotALog { .. })));
}

#[test]
fn other_versions_are_refused_by_name() {
    for (column, what, known) in [("schema_version", "schema", 2), ("record_version", "record", 1)] {
        for found in [0, known - 1, known + 1] {
            let folder = filled();
            alter(folder.path(), &format!("UPDATE meta SET {column} = {found}"));
            let text = open(folder.path()).unwrap_err().to_string();
            assert!(
                text.contains(&format!(
                    "{what} version {found}, this program knows version {known}; run the version"
                )),
                "{text}"
            );
        }
    }
}

#[test]
fn paths_that_cannot_hold_a_log_are_refused() {
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("no").join("such");
    assert!(matches!(open(&missing), Err(OpenError::ParentMissing { .. })));
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(matches!(open(&file), Err(OpenError::NotAFolder { .. })));
    assert!(matches!(open(&file.join("below")), Err(OpenError::NotAFolder { .. })));
    for path in [missing.as_path(), folder.path()] {
        assert!(matches!(SqliteLog::open_read_only(path), Err(OpenError::NoLog { .. })));
    }
    assert!(matches!(SqliteLog::open_read_only(&file), Err(OpenError::NotAFolder { .. })));
    healthy(&folder.path().join("new"));
}

/// Nobody can create files in `/sys`, not even root, whom permissions do not stop.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_is_not_writable_is_refused() {
    let error = open(Path::new("/sys/kernel")).unwrap_err();
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(error.to_string().starts_with("the data folder /sys/kernel is not writable"), "{error}");
}
