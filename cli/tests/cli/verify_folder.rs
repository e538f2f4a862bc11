//! `verify --data` proves a stopped server's log, or says where it is damaged.

use std::{fs, path::Path};

use baton_log::{Hash, SqliteLog, SqliteOptions, testing::append_one};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::baton;

/// A folder with a log of two namespaces, 20 records each, and the checksum of a record in the middle of `green`.
fn folder() -> (TempDir, Hash) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).expect("a new log");
    let mut middle = Hash::ZERO;
    for index in 0..20 {
        append_one(&mut log, "blue", 2, 100);
        let record = append_one(&mut log, "green", 1, 100);
        if index == 10 {
            middle = record.checksum;
        }
    }
    (folder, middle)
}

/// Alters one byte of every copy of `hash` in the files of the folder.
fn alter(folder: &Path, hash: Hash) {
    let mut altered = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        let mut bytes = fs::read(&path).expect("a file");
        let places: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(&hash.0)).collect();
        places.iter().for_each(|&at| bytes[at] ^= 1);
        fs::write(&path, bytes).expect("the file is written");
        altered += places.len();
    }
    assert!(altered > 0, "the checksum is somewhere in the folder");
}

fn path(folder: &TempDir) -> &str {
    folder.path().to_str().expect("a UTF-8 path")
}

#[test]
fn a_log_that_holds_is_told_namespace_by_namespace() {
    let (folder, _) = folder();
    let ended = baton(&["verify", "--data", path(&folder), "-o", "json"]);
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    let told: Value = serde_json::from_str(&ended.stdout).expect("stdout is JSON");
    let found = |index: usize| {
        (told[index]["namespace"].as_str(), told[index]["records"].as_u64(), told[index]["revision"].as_u64())
    };
    assert_eq!(found(0), (Some("blue"), Some(20), Some(40)));
    assert_eq!(found(1), (Some("green"), Some(20), Some(20)));
    assert_eq!(told[0]["hash"].as_str().map(str::len), Some(64));

    let ended = baton(&["verify", "--data", path(&folder), "-n", "green"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.contains("green") && !ended.stdout.contains("blue"), "{ended:?}");
    assert_eq!(ended.stderr, "✓ the log holds\n");
}

#[test]
fn an_altered_record_ends_with_7_and_is_named() {
    let (folder, middle) = folder();
    alter(folder.path(), middle);
    let ended = baton(&["verify", "--data", path(&folder), "-o", "json"]);
    assert_eq!((ended.code, &*ended.stdout), (7, ""), "{ended:?}");
    let error = ended.error();
    assert_eq!(error["reason"], "LOG_DAMAGED");
    assert_eq!(
        (&error["metadata"]["namespace"], &error["metadata"]["revision"]),
        (&"green".into(), &"11".into()),
        "{error}"
    );
}

#[test]
fn a_folder_that_a_server_uses_is_left_alone() {
    let (folder, _) = folder();
    let in_use = SqliteLog::open(folder.path(), &SqliteOptions::default()).expect("the log");
    let ended = baton(&["verify", "--data", path(&folder)]);
    drop(in_use);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains("in use") && ended.stderr.contains("hint: ask the server itself"),
        "{ended:?}"
    );
}

#[test]
fn a_folder_without_a_log_is_a_usage_error() {
    let empty = tempfile::tempdir().expect("a folder");
    let ended = baton(&["verify", "--data", path(&empty)]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("there is no log in"), "{ended:?}");
}
