//! The contract suite: what every log promises, as checks that any implementation can be put through.
//!
//! Knows nothing of the implementations: a [`Bench`] opens, and opens again, the log under test. The checks panic with
//! what was promised and not kept; they are meant to be called from tests.

pub mod archive;
mod retention;

use std::sync::Arc;

use bytes::Bytes;

use crate::{Append, AppendError, Hash, Head, Log, LogReader, ReadError, ReadLimit, Record, verify};

/// Gives the suite a log to test.
pub trait Bench {
    /// The log under test.
    type Log: Log;

    /// Opens the same log each time; the suite has dropped the one before.
    fn open(&mut self) -> Self::Log;
}

/// Runs the whole suite. `fresh` makes a new, empty log for each promise.
pub fn run_contract<B: Bench>(mut fresh: impl FnMut() -> B) {
    for (promise, check) in promises::<B>() {
        // Seen only if the check fails: the test runner keeps it until then.
        tracing::info!(promise, "checks");
        check(&mut fresh());
    }
}

type Promise<B> = (&'static str, fn(&mut B));

/// Each promise by its name, for a runner that wants to report them one by one.
pub fn promises<B: Bench>() -> [Promise<B>; 17] {
    [
        ("a new log is empty", a_new_log_is_empty),
        ("what was appended is read", what_was_appended_is_read),
        ("a read begins with the record that holds the revision", a_read_begins_with_its_record),
        ("a read keeps its limits but gives at least one record", a_read_keeps_its_limits),
        ("an append to a moved namespace is a conflict", a_moved_namespace_is_a_conflict),
        ("a record that does not continue the chain is refused", a_stray_record_is_refused),
        ("a batch over many namespaces is written whole", a_batch_is_written_whole),
        ("a batch with one misfit is not written at all", a_batch_with_a_misfit_is_not_written),
        ("a batch has one record per namespace at most", a_batch_has_one_record_per_namespace),
        ("a reader sees each append when it is durable", a_reader_sees_appends),
        ("everything survives opening again", everything_survives_opening_again),
        ("truncation keeps whole records and a provable chain", truncation_keeps_a_provable_chain),
        ("a namespace truncated to nothing goes on", a_namespace_truncated_to_nothing_goes_on),
        ("a long truncation goes step by step", retention::a_long_truncation_goes_step_by_step),
        ("the first record to keep is what a scan finds", retention::the_first_kept_is_what_a_scan_finds),
        ("what lies exactly at a boundary is kept", retention::boundaries_are_exact),
        ("verify proves a chain and times that go back fail it", verify_proves_a_chain),
    ]
}

/// Removes all records that end before `revision`, however many steps it takes; returns how many it took.
pub fn truncate(log: &mut dyn Log, namespace: &str, revision: u64) -> usize {
    let mut steps = 1;
    while !log.truncate_before(namespace, revision).expect("a healthy log truncates").is_done {
        steps += 1;
    }
    steps
}

/// Seals a record that continues `head`, with a body of `body_bytes` bytes.
pub fn next_record(head: &Head, event_count: u32, body_bytes: usize) -> Record {
    let first = head.revision + 1;
    let body: Bytes = (0..body_bytes).map(|at| (at as u64 ^ first) as u8).collect::<Vec<u8>>().into();
    Record::seal(head.namespace.clone(), first, event_count, first as i64 * 1_000, 1, head.hash, body)
}

/// The append of [`next_record`] to the log as it is.
pub fn next_append(log: &dyn LogReader, namespace: &str, event_count: u32, body_bytes: usize) -> Append {
    let head = log.head(namespace).expect("a healthy log gives its head");
    Append { expected_revision: head.revision, record: next_record(&head, event_count, body_bytes) }
}

/// Appends one record and returns it.
pub fn append_one(log: &mut dyn Log, namespace: &str, event_count: u32, body_bytes: usize) -> Record {
    let append = next_append(&*log, namespace, event_count, body_bytes);
    log.append(std::slice::from_ref(&append)).expect("a healthy log takes an append that continues it");
    append.record
}

fn read_all(log: &dyn LogReader, namespace: &str, from: u64) -> Vec<Record> {
    log.read(namespace, from, ReadLimit::UNLIMITED).expect("a healthy log can be read")
}

fn a_new_log_is_empty<B: Bench>(bench: &mut B) {
    let log = bench.open();
    assert_eq!(log.heads(), Ok(Vec::new()));
    assert_eq!(log.head("a"), Ok(Head::empty("a")));
    assert_eq!(read_all(&log, "a", 1), []);
}

fn what_was_appended_is_read<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let records: Vec<Record> = [(1, 10), (3, 0), (250, 100_000)]
        .map(|(events, bytes)| append_one(&mut log, "a", events, bytes))
        .into();
    assert_eq!(read_all(&log, "a", 1), records);
    assert_eq!(read_all(&log, "a", 0), records, "revision 0 means from the beginning");
    let newest = records.last().expect("three were appended");
    let head = Head { namespace: "a".into(), revision: 254, oldest_revision: 1, hash: newest.checksum };
    assert_eq!(log.head("a"), Ok(head.clone()));
    assert_eq!(log.heads(), Ok(vec![head]));
    assert_eq!(records[0].previous, Hash::ZERO);
    assert_eq!(records[1].previous, records[0].checksum);
}

fn a_read_begins_with_its_record<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..5 {
        append_one(&mut log, "a", 3, 8);
    }
    for (from, first) in [(1, 1), (3, 1), (4, 4), (6, 4), (15, 13)] {
        assert_eq!(read_all(&log, "a", from)[0].first_revision, first, "read from {from}");
    }
    assert_eq!(read_all(&log, "a", 16), []);
    assert_eq!(read_all(&log, "a", u64::MAX), []);
    assert_eq!(read_all(&log, "b", 1), []);
}

fn a_read_keeps_its_limits<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..10 {
        append_one(&mut log, "a", 1, 100);
    }
    let count = |records, bytes| log.read("a", 1, ReadLimit { records, bytes }).map(|read| read.len());
    assert_eq!(count(3, usize::MAX), Ok(3));
    assert_eq!(count(usize::MAX, 450), Ok(4));
    assert_eq!(count(usize::MAX, 500), Ok(5));
    assert_eq!(count(0, 0), Ok(1));
    assert_eq!(count(usize::MAX, usize::MAX), Ok(10));
}

fn a_moved_namespace_is_a_conflict<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let stale = next_append(&log, "a", 1, 8);
    append_one(&mut log, "a", 2, 8);
    let conflict = AppendError::Conflict { namespace: "a".into(), expected: 0, actual: 2 };
    assert_eq!(log.append(&[stale]), Err(conflict));

    let head = log.head("a").expect("readable");
    let ahead = Head { revision: 7, ..head.clone() };
    let early = Append { expected_revision: 7, record: next_record(&ahead, 1, 8) };
    let conflict = AppendError::Conflict { namespace: "a".into(), expected: 7, actual: 2 };
    assert_eq!(log.append(&[early]), Err(conflict));
    assert_eq!(log.head("a"), Ok(head), "a conflict leaves the namespace alone");
}

fn a_stray_record_is_refused<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    append_one(&mut log, "a", 2, 8);
    let head = log.head("a").expect("readable");
    let gap = next_record(&Head { revision: 3, ..head.clone() }, 1, 8);
    let unlinked = next_record(&Head { hash: Hash([7; 32]), ..head.clone() }, 1, 8);
    let eventless = next_record(&head, 0, 8);
    let long: Arc<str> = "n".repeat(257).into();
    for record in [gap, unlinked, eventless] {
        let append = Append { expected_revision: head.revision, record };
        let answer = log.append(std::slice::from_ref(&append));
        assert!(matches!(answer, Err(AppendError::Refused(_))), "{append:?} gave {answer:?}");
    }
    for name in ["", &long] {
        let append = Append { expected_revision: 0, record: next_record(&Head::empty(name), 1, 8) };
        assert!(matches!(log.append(&[append]), Err(AppendError::Refused(_))));
    }
    assert_eq!(log.heads(), Ok(vec![head]));
}

fn a_batch_is_written_whole<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for round in 0..3 {
        let batch = ["c", "a", "b"].map(|namespace| next_append(&log, namespace, 2, 50));
        log.append(&batch).expect("a batch that continues every chain is taken");
        let heads = log.heads().expect("readable");
        let names: Vec<&str> = heads.iter().map(|head| &*head.namespace).collect();
        assert_eq!(names, ["a", "b", "c"], "heads are ordered by name");
        assert!(heads.iter().all(|head| head.revision == 2 * (round + 1)));
    }
    assert_eq!(log.append(&[]), Ok(()), "nothing to append is no error");
}

fn a_batch_with_a_misfit_is_not_written<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    append_one(&mut log, "b", 1, 8);
    let stale = Append { expected_revision: 0, record: next_record(&Head::empty("b"), 1, 8) };
    let batch = [next_append(&log, "a", 1, 8), stale, next_append(&log, "c", 1, 8)];
    let conflict = AppendError::Conflict { namespace: "b".into(), expected: 0, actual: 1 };
    assert_eq!(log.append(&batch), Err(conflict));
    assert_eq!(log.heads().expect("readable").len(), 1);
    assert_eq!(read_all(&log, "a", 1), []);
    append_one(&mut log, "a", 1, 8);
}

fn a_batch_has_one_record_per_namespace<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let first = next_append(&log, "a", 1, 8);
    let after = Head { revision: 1, hash: first.record.checksum, ..Head::empty("a") };
    let second = Append { expected_revision: 1, record: next_record(&after, 1, 8) };
    assert!(matches!(log.append(&[first, second]), Err(AppendError::Refused(_))));
    assert_eq!(log.heads(), Ok(Vec::new()));
}

fn a_reader_sees_appends<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let reader = log.reader().expect("a healthy log gives readers");
    assert_eq!((reader.id(), reader.kind()), (log.id(), log.kind()));
    assert_eq!(reader.head("a"), Ok(Head::empty("a")));
    let record = append_one(&mut log, "a", 2, 8);
    let from_thread = std::thread::spawn(move || (read_all(&*reader, "a", 2), reader.heads()));
    let (read, heads) = from_thread.join().expect("the reader does not panic");
    assert_eq!(read, [record]);
    assert_eq!(heads, log.heads());
}

fn everything_survives_opening_again<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let id = log.id();
    for _ in 0..20 {
        append_one(&mut log, "a", 3, 500);
        append_one(&mut log, "b", 1, 20);
    }
    let before = (log.heads(), read_all(&log, "a", 1), read_all(&log, "b", 1));
    drop(log);
    let mut log = bench.open();
    assert_eq!(log.id(), id);
    assert_eq!((log.heads(), read_all(&log, "a", 1), read_all(&log, "b", 1)), before);
    append_one(&mut log, "a", 1, 8);
    drop(log);
    assert_eq!(bench.open().head("a").map(|head| head.revision), Ok(61));
}

fn truncation_keeps_a_provable_chain<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..10 {
        append_one(&mut log, "a", 3, 8);
        append_one(&mut log, "b", 3, 8);
    }
    let newest = log.head("a").expect("readable");
    for (before, oldest) in [(1, 1), (3, 1), (4, 4), (12, 10), (5, 10), (13, 13)] {
        truncate(&mut log, "a", before);
        let head = Head { oldest_revision: oldest, ..newest.clone() };
        assert_eq!(log.head("a"), Ok(head), "truncated before {before}");
    }
    drop(log);
    let log = bench.open();
    let compacted = Err(ReadError::Compacted { oldest: 13, newest: 30 });
    assert_eq!(log.read("a", 12, ReadLimit::UNLIMITED), compacted);
    assert_eq!(log.read("a", 0, ReadLimit::UNLIMITED), compacted);
    assert_eq!(read_all(&log, "a", 13).len(), 6);
    assert_eq!(read_all(&log, "b", 1).len(), 10, "other namespaces are left alone");
    let proven = verify(&log, "a", |_| ()).expect("the rest of the chain is provable");
    assert_eq!((proven.records, proven.oldest_revision, proven.hash), (6, 13, newest.hash));
}

fn a_namespace_truncated_to_nothing_goes_on<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    let last = append_one(&mut log, "a", 3, 8);
    truncate(&mut log, "a", u64::MAX);
    truncate(&mut log, "unknown", 9);
    let empty = Head { namespace: "a".into(), revision: 3, oldest_revision: 4, hash: last.checksum };
    assert_eq!(log.heads(), Ok(vec![empty.clone()]));
    drop(log);
    let mut log = bench.open();
    assert_eq!(log.head("a"), Ok(empty));
    assert_eq!(read_all(&log, "a", 4), []);
    let next = append_one(&mut log, "a", 1, 8);
    assert_eq!(next.first_revision, 4);
    assert_eq!(read_all(&log, "a", 4), [next]);
    drop(log);
    assert_eq!(bench.open().head("a").map(|head| head.revision), Ok(4));
}

fn verify_proves_a_chain<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..2_500 {
        append_one(&mut log, "a", 2, 8);
    }
    let mut steps = Vec::new();
    let proven = verify(&log, "a", |progress| steps.push(progress)).expect("the chain is whole");
    let head = log.head("a").expect("readable");
    assert_eq!((proven.records, proven.revisions, proven.revision), (2_500, 5_000, 5_000));
    assert_eq!((proven.oldest_revision, proven.hash), (1, head.hash));
    assert!(steps.len() > 1 && steps.is_sorted_by_key(|step| step.revision));
    assert!(steps.iter().all(|step| step.newest == 5_000));
    assert_eq!(verify(&log, "unknown", |_| ()).map(|proven| proven.records), Ok(0));

    let past = Record::seal("a".into(), 5_001, 1, 0, 1, head.hash, Bytes::new());
    log.append(&[Append { expected_revision: 5_000, record: past }]).expect("the log does not judge times");
    let damage = verify(&log, "a", |_| ()).expect_err("time went back");
    assert!(damage.to_string().contains("revision 5001: the record's time (0 us) is before"), "{damage}");
}
