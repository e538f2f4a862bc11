//! A log in a folder while it is used: full, contended, growing, read beside the writer.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use baton_log::testing::{append_one, next_append, next_record};
use baton_log::{
    Append, AppendError, Head, Log, LogReader, OpenError, ReadLimit, SqliteLog, SqliteOptions, verify,
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::folders::{alter, filled, healthy, open};

#[test]
fn a_full_log_says_so_and_goes_on_when_there_is_space() {
    let folder = TempDir::new().unwrap();
    let options = SqliteOptions { size_bytes_max: Some(600_000) };
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
    assert!((10..20).contains(&appended), "{appended} batches of 20 kB fit in 600 kB");
    let revisions = |log: &SqliteLog| ["a", "b"].map(|namespace| log.head(namespace).unwrap().revision);
    assert_eq!(revisions(&log), [appended; 2], "all of a batch or none");
    assert!(matches!(log.append(&[next_append(&log, "a", 1, 50_000)]), Err(AppendError::Full(_))));

    log.truncate_before("a", 6).unwrap();
    append_one(&mut log, "b", 1, 10_000);
    drop(log);
    assert!(fs::metadata(folder.path().join("baton.db")).unwrap().len() <= 600_000);
    let log = healthy(folder.path());
    assert_eq!(revisions(&log), [appended, appended + 1]);
    assert!(verify(&log, "a", |_| ()).is_ok() && verify(&log, "b", |_| ()).is_ok());
}

#[test]
fn a_log_keeps_its_size_whatever_it_is_filled_with() {
    const BYTES_MAX: u64 = 1_000_000;
    // Bytes of a body, and how many namespaces with long names each append opens; none: all go to one.
    for (body, opened) in [(10, 400), (0, 0), (9_000, 0), (17_000, 0), (130_000, 0)] {
        let folder = TempDir::new().unwrap();
        let options = SqliteOptions { size_bytes_max: Some(BYTES_MAX) };
        let mut log = SqliteLog::open(folder.path(), &options).unwrap();
        let mut appended = 0;
        loop {
            // In no order, as names come.
            let name = |at: u64| format!("{:0250}", (appended * opened + at) * 7_919 % 10_007);
            let names: Vec<String> =
                if opened == 0 { vec!["a".into()] } else { (0..opened).map(name).collect() };
            let appends: Vec<Append> = names.iter().map(|name| next_append(&log, name, 1, body)).collect();
            match log.append(&appends) {
                Ok(()) => appended += 1,
                Err(error) => break assert!(matches!(error, AppendError::Full(_)), "{error}"),
            }
        }
        drop(log);
        let bytes = fs::metadata(folder.path().join("baton.db")).unwrap().len();
        assert!(bytes <= BYTES_MAX, "{appended} bodies of {body} bytes took {bytes}");
        assert!(bytes >= BYTES_MAX / 3, "{appended} bodies of {body} bytes took no more than {bytes}");
    }
}

#[test]
fn nothing_is_moved_but_where_the_chain_ends() {
    let newest =
        "WHERE namespace = (SELECT id FROM namespaces WHERE name = 'a') ORDER BY first_revision DESC LIMIT 1";
    let follows = |distance: u64| {
        format!(
            "INSERT INTO records SELECT sequence + 9, append_first, position, namespace, first_revision + {distance},
                event_count, time_us, format, previous, checksum, body FROM records {newest}"
        )
    };
    // What the unique index sees, and what it does not: the newest record is gone, or one lies farther on.
    let alterations = [
        (follows(3), 123),
        (format!("DELETE FROM records WHERE sequence = (SELECT sequence FROM records {newest})"), 117),
        (follows(7), 127),
    ];
    for (alteration, actual) in alterations {
        let folder = filled();
        let mut log = healthy(folder.path());
        // Somebody writes to the file past the lock, so that the log's own idea of the head is wrong.
        alter(folder.path(), &alteration);
        log.append(&[next_append(&log, "b", 1, 8), next_append(&log, "a", 1, 8)]).unwrap();
        // All of `b` is to go, the record in the journal with it.
        while log.head("b").unwrap().oldest_revision < 121 {
            log.truncate_before("b", 121).unwrap();
        }
        let error = log.truncate_before("b", 122).unwrap_err();
        let expected =
            format!("the database has changed beside the log: namespace a is at revision {actual}, not 120");
        assert_eq!(error, AppendError::Broken(expected), "{alteration}");
        assert_eq!(log.append(&[next_append(&log, "b", 1, 8)]), Err(error), "{alteration}");
        drop(log);
        let opened = open(folder.path());
        assert!(
            matches!(opened, Err(OpenError::Damaged { .. } | OpenError::AnsweredMissing { .. })),
            "{alteration}: {opened:?}"
        );
    }
}

#[test]
fn the_database_follows_within_seconds() {
    let folder = TempDir::new().unwrap();
    let mut log = healthy(folder.path());
    let record = append_one(&mut log, "a", 1, 200);
    let database = Connection::open(folder.path().join("baton.db")).unwrap();
    let bodies = || -> Vec<Vec<u8>> {
        let mut statement = database.prepare("SELECT body FROM records").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(bodies().len(), 0);
    let begin = Instant::now();
    while bodies().is_empty() {
        assert!(begin.elapsed() < Duration::from_secs(60), "the record is still in the journal alone");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(bodies(), [record.body.to_vec()]);
    assert_eq!(log.read("a", 1, ReadLimit::UNLIMITED), Ok(vec![record]), "it is given once");
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
        // It is moved after each file of the journal; should that fail, from 64 MiB on within a commit.
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
    let follower = thread::spawn(move || {
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
