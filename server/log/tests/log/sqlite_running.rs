//! A log in a folder while it is used: full, contended, growing, read beside the writer.

use std::fs;

use baton_log::testing::{append_one, next_append, next_record};
use baton_log::{Append, AppendError, Head, Log, LogReader, ReadLimit, SqliteLog, SqliteOptions, verify};
use tempfile::TempDir;

use crate::folders::{alter, filled, healthy};

#[test]
fn a_full_log_says_so_and_goes_on_when_there_is_space() {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions { size_bytes_max: Some(400_000) };
    let mut log = SqliteLog::open(folder.path(), &options).unwrap();
    let mut appended = 0;
    let full = loop {
        let batch = [next_append(&log, "a", 1, 10_000), next_append(&log, "b", 1, 10_000)];
        match log.append(&batch) {
            Ok(()) => appended += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(full, AppendError::Full(_)), "{full}");
    assert!((10..20).contains(&appended), "{appended} batches of 20 kB fit in 400 kB");
    let revisions = |log: &SqliteLog| ["a", "b"].map(|namespace| log.head(namespace).unwrap().revision);
    assert_eq!(revisions(&log), [appended; 2], "all of a batch or none");
    assert!(matches!(log.append(&[next_append(&log, "a", 1, 50_000)]), Err(AppendError::Full(_))));

    log.truncate_before("a", 6).unwrap();
    append_one(&mut log, "b", 1, 10_000);
    drop(log);
    let log = healthy(folder.path());
    assert_eq!(revisions(&log), [appended, appended + 1]);
    assert!(verify(&log, "a", |_| ()).is_ok() && verify(&log, "b", |_| ()).is_ok());
}

#[test]
fn the_database_itself_refuses_a_second_successor() {
    let folder = filled();
    let mut log = healthy(folder.path());
    let stolen = next_append(&log, "a", 3, 100);
    // Somebody writes to the file past the lock, so that the log's own idea of the head is wrong.
    alter(
        folder.path(),
        "INSERT INTO records SELECT sequence + 9, append_first, position, namespace, first_revision + 3, event_count, time_us,
            format, previous, checksum, body FROM records
            WHERE namespace = (SELECT id FROM namespaces WHERE name = 'a') ORDER BY first_revision DESC LIMIT 1",
    );
    let conflict = AppendError::Conflict { namespace: "a".into(), expected: 120, actual: 123 };
    assert_eq!(log.append(&[stolen]), Err(conflict));
    append_one(&mut log, "b", 1, 8);
}

#[test]
fn nothing_is_appended_but_where_the_chain_ends() {
    let newest =
        "WHERE namespace = (SELECT id FROM namespaces WHERE name = 'a') ORDER BY first_revision DESC LIMIT 1";
    // What the unique index does not see: the newest record is gone, or one lies farther on.
    let alterations = [
        (format!("DELETE FROM records WHERE sequence = (SELECT sequence FROM records {newest})"), 117),
        (
            format!(
                "INSERT INTO records SELECT sequence + 9, append_first, position, namespace, first_revision + 7,
                    event_count, time_us, format, previous, checksum, body FROM records {newest}"
            ),
            127,
        ),
    ];
    for (alteration, actual) in alterations {
        let folder = filled();
        let mut log = healthy(folder.path());
        let batch = [next_append(&log, "b", 1, 8), next_append(&log, "a", 1, 8)];
        alter(folder.path(), &alteration);
        let conflict = AppendError::Conflict { namespace: "a".into(), expected: 120, actual };
        assert_eq!(log.append(&batch), Err(conflict), "{alteration}");
        assert_eq!(log.reader().unwrap().head("b").unwrap().revision, 120, "all of a batch or none");
        append_one(&mut log, "b", 1, 8);
    }
}

#[test]
fn the_wal_does_not_grow_without_bound() {
    let folder = TempDir::new().unwrap();
    let mut log = healthy(folder.path());
    let reader = log.reader().unwrap();
    for round in 0..120 {
        append_one(&mut log, "a", 1, 1_000_000);
        assert_eq!(reader.head("a").unwrap().revision, round + 1);
        let bytes = fs::metadata(folder.path().join("baton.db-wal")).unwrap().len();
        // It is moved from 16 MiB on, beside the appends; at four times that they wait for it.
        assert!(bytes < 70 << 20, "the WAL has {bytes} bytes after {round} rounds");
    }
    drop(log);
    let left = fs::metadata(folder.path().join("baton.db-wal")).map_or(0, |wal| wal.len());
    assert_eq!(left, 0, "a log that was closed is in one file");
    let log = healthy(folder.path());
    assert_eq!(verify(&log, "a", |_| ()).map(|proven| proven.records), Ok(120));
}

#[test]
fn appends_and_reads_go_on_beside_each_other() {
    let folder = TempDir::new().unwrap();
    let mut log = healthy(folder.path());
    append_one(&mut log, "a", 1, 200);
    let reader = log.reader().unwrap();
    let follower = std::thread::spawn(move || {
        let mut from = 1;
        while from <= 2_000 {
            let records = reader.read("a", from, ReadLimit { records: 50, bytes: 1 << 20 }).unwrap();
            from = records.last().map_or(from, |record| record.last_revision() + 1);
        }
        verify(&*reader, "a", |_| ()).map(|proven| proven.records)
    });
    while log.head("a").unwrap().revision < 2_000 {
        append_one(&mut log, "a", 1, 200);
    }
    assert_eq!(follower.join().unwrap(), Ok(2_000));
    let stale = Append { expected_revision: 0, record: next_record(&Head::empty("a"), 1, 1) };
    assert!(matches!(log.append(&[stale]), Err(AppendError::Conflict { actual: 2_000, .. })));
}
