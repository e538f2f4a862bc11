//! The journal before the database: whatever is left of its end, a log is whole or says what is missing.

use std::fs;
use std::path::Path;

use baton_log::testing::{append_one, next_append, truncate};
use baton_log::{Append, Faulty, Keep, Log, LogReader, OpenError, ReadLimit, Record, SqliteLog, verify};
use tempfile::TempDir;

use crate::folders::{flip_byte, healthy, killed, open};

/// Frames begin on multiples of so many bytes.
const BLOCK: usize = 4096;

/// What stands before the body of the first record of a frame, besides the name of its namespace.
const FRAME_HEADER: usize = 94;
const RECORD_HEADER: usize = 96;

/// A log with two answered appends, and a third of 9,000 bytes, all in the journal. As a killed process leaves it.
fn with_three_frames(is_answered: bool) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut log = healthy(folder.path());
    append_one(&mut log, "a", 1, 100);
    append_one(&mut log, "b", 1, 100);
    let third = [next_append(&log, "a", 1, 3_000), next_append(&log, "new", 1, 6_000)];
    if is_answered { log.append(&third) } else { log.append_unanswered(&third) }.unwrap();
    killed(folder.path())
}

fn revisions(log: &SqliteLog) -> [u64; 3] {
    ["a", "b", "new"].map(|namespace| log.head(namespace).unwrap().revision)
}

#[test]
fn a_torn_frame_that_was_never_answered_is_cut_wherever_it_is_torn() {
    // From the first byte of the frame to the last one, which is in its third block.
    for kept in [0, 1, 8, 62, 94, 95, 130, 1_000, BLOCK, BLOCK + 1, 2 * BLOCK, 9_200] {
        let folder = with_three_frames(false);
        let journal = folder.path().join("journal-0");
        let mut bytes = fs::read(&journal).unwrap();
        bytes[2 * BLOCK + kept..].fill(0);
        fs::write(&journal, &bytes).unwrap();
        let mut log = healthy(folder.path());
        assert_eq!(revisions(&log), [1, 1, 0], "{kept} bytes of the frame");
        // What is appended in its place is what is there from then on, by whichever file it goes through.
        append_one(&mut log, "new", 2, 50);
        let log = healthy(killed(folder.path()).path());
        assert_eq!(revisions(&log), [1, 1, 2], "{kept} bytes of the frame");
        assert!(verify(&log, "new", |_| ()).is_ok());
    }
    assert_eq!(revisions(&healthy(with_three_frames(false).path())), [2, 1, 1], "a whole one is kept");
}

#[test]
fn an_altered_frame_that_was_answered_stops_the_server() {
    let altered = [0, 9, 12, 30, 40, 50, 61, 93, 94, 96, 97, 105, 110, 120, 150, 185, 200, 5_000, 9_200];
    for at in altered {
        let folder = with_three_frames(true);
        let journal = folder.path().join("journal-0");
        flip_byte(&journal, 2 * BLOCK + at);
        let found = fs::read(&journal).unwrap();
        for _ in 0..2 {
            let error = open(folder.path()).expect_err("an answered record is gone");
            let is_named = matches!(error, OpenError::Damaged { .. } | OpenError::AnsweredMissing { .. });
            assert!(is_named, "byte {at}: {error}");
            let looked_at = SqliteLog::open_read_only(folder.path());
            assert!(looked_at.is_err(), "byte {at}: `verify` says so too");
        }
        assert_eq!(fs::read(&journal).unwrap(), found, "the evidence is left alone");
        // The operator accepts the loss.
        fs::remove_file(folder.path().join("answered")).unwrap();
        assert_eq!(revisions(&healthy(folder.path())), [1, 1, 0], "byte {at}");
    }
}

#[test]
fn a_frame_that_somebody_put_into_a_body_is_not_taken_for_one() {
    let base = TempDir::new().unwrap();
    drop(healthy(base.path()));
    // The same log elsewhere, whose third append opens `forged`.
    let elsewhere = copy_of(base.path());
    let mut log = healthy(elsewhere.path());
    for namespace in ["a", "a", "forged"] {
        append_one(&mut log, namespace, 1, 50);
    }
    let frame = fs::read(elsewhere.path().join("journal-0")).unwrap()[2 * BLOCK..3 * BLOCK].to_vec();

    // A body brings that frame to where the third append will be looked for.
    let folder = copy_of(base.path());
    let mut log = healthy(folder.path());
    let body_start = FRAME_HEADER + RECORD_HEADER + "a".len();
    let mut body = vec![0; BLOCK - body_start];
    body.extend_from_slice(&frame);
    append_body(&mut log, body);
    assert_eq!(fs::read(folder.path().join("journal-0")).unwrap()[BLOCK..2 * BLOCK], frame);
    drop(log);
    let mut log = healthy(folder.path());
    append_one(&mut log, "a", 1, 50);

    let left = killed(folder.path());
    assert_eq!(fs::read(left.path().join("journal-0")).unwrap()[BLOCK..2 * BLOCK], frame);
    let found = healthy(left.path());
    assert_eq!(found.head("a").unwrap().revision, 2);
    assert_eq!(found.head("forged").unwrap().revision, 0);
}

/// A stopped log, once more.
fn copy_of(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in ["baton.db", "answered"] {
        fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn append_body(log: &mut SqliteLog, body: Vec<u8>) {
    let head = log.head("a").unwrap();
    let first = head.revision + 1;
    let record = Record::seal(head.namespace, first, 1, first as i64 * 1_000, 1, head.hash, body.into());
    log.append(&[Append { expected_revision: first - 1, record }]).unwrap();
}

/// Appends, truncations and readers beside each other, over many files of the journal; all that is kept is there, in order, at any time.
#[test]
fn a_log_reads_the_same_wherever_its_records_are() {
    for seed in 1..=4 {
        tracing::info!(seed, "runs");
        let mut random = fastrand::Rng::with_seed(seed);
        let folder = TempDir::new().unwrap();
        let mut log = healthy(folder.path());
        let mut reader = log.reader().unwrap();
        let mut expected = vec![Expected::default(); NAMESPACES.len()];
        for _ in 0..150 {
            match random.u32(0..10) {
                0 => truncate_some(&mut log, &mut expected, &mut random),
                1 if random.u32(0..4) == 0 => {
                    drop(reader);
                    drop(log);
                    log = healthy(folder.path());
                    reader = log.reader().unwrap();
                }
                _ => append_some(&mut log, &mut expected, &mut random),
            }
            let at = random.usize(0..NAMESPACES.len());
            expected[at].check(&*reader, NAMESPACES[at], &mut random);
        }
        let heads = reader.heads().unwrap();
        assert_eq!(heads, log.heads().unwrap());
        let expected = expected.iter().filter(|expected| !expected.records.is_empty()).count();
        assert_eq!(heads.len(), expected);
    }
}

const NAMESPACES: [&str; 4] = ["a", "b", "c", "d"];

/// All records that a namespace ever had, and the first revision that is kept.
#[derive(Clone, Default)]
struct Expected {
    records: Vec<Record>,
    truncated_to: u64,
}

impl Expected {
    fn kept(&self) -> &[Record] {
        let start = self.records.partition_point(|record| record.last_revision() < self.truncated_to);
        &self.records[start..]
    }

    fn newest(&self) -> u64 {
        self.records.last().map_or(0, Record::last_revision)
    }

    fn check(&self, reader: &dyn LogReader, namespace: &str, random: &mut fastrand::Rng) {
        let kept = self.kept();
        let oldest = kept.first().map_or(self.newest() + 1, |record| record.first_revision);
        let head = reader.head(namespace).unwrap();
        assert_eq!((head.revision, head.oldest_revision), (self.newest(), oldest));
        let from = random.u64(oldest..=self.newest() + 1);
        let limit = ReadLimit { records: random.usize(1..60), bytes: random.usize(0..4_000_000) };
        let read = reader.read(namespace, from, limit).unwrap();
        let start = kept.partition_point(|record| record.last_revision() < from);
        let rest = &kept[start..];
        assert_eq!(read, rest[..read.len()]);
        let bytes: usize = rest.iter().take(read.len() + 1).map(|record| record.body.len()).sum();
        let could_be_more = read.len() < rest.len() && read.len() < limit.records && bytes <= limit.bytes;
        assert!(
            !could_be_more && (rest.is_empty() || !read.is_empty()),
            "from {from}, {limit:?}: {}",
            read.len()
        );

        let since_us = random.u64(0..=self.newest() + 1) as i64 * 1_000;
        let first = kept.iter().find(|record| record.time_us >= since_us);
        let expected = first.map_or(self.newest() + 1, |record| record.first_revision);
        assert_eq!(
            reader.first_kept(namespace, Keep { since_us: Some(since_us), bytes: None }),
            Ok(expected)
        );
    }
}

fn append_some(log: &mut SqliteLog, expected: &mut [Expected], random: &mut fastrand::Rng) {
    let mut appends = Vec::new();
    for (namespace, expected) in NAMESPACES.iter().zip(expected) {
        if random.bool() {
            let bytes =
                if random.u32(0..4) == 0 { random.usize(0..1_500_000) } else { random.usize(0..5_000) };
            let append = next_append(log, namespace, random.u32(1..4), bytes);
            expected.records.push(append.record.clone());
            appends.push(append);
        }
    }
    log.append(&appends).unwrap();
}

fn truncate_some(log: &mut SqliteLog, expected: &mut [Expected], random: &mut fastrand::Rng) {
    let at = random.usize(0..NAMESPACES.len());
    let revision = random.u64(0..=expected[at].newest() + 1);
    truncate(log, NAMESPACES[at], revision);
    expected[at].truncated_to = expected[at].truncated_to.max(revision);
}
