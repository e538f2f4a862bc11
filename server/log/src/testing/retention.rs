//! What a log promises to those who remove old records: bounded steps, and a search that finds the first one to keep.

use bytes::Bytes;

use super::{Bench, append_one, next_append, truncate};
use crate::faults::scramble;
use crate::{
    Append, Keep, Log, LogReader, Record, TRUNCATE_BYTES_MAX, TRUNCATE_RECORDS_MAX, Truncated, verify,
};

pub(super) fn a_long_truncation_goes_step_by_step<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..2 * TRUNCATE_RECORDS_MAX + 3 {
        append_one(&mut log, "a", 2, 8);
    }
    let step = 2 * TRUNCATE_RECORDS_MAX as u64;
    // The last two records stay: the revision is the second of the one before the last.
    let before = 2 * step + 4;
    let steps = [(step + 1, false), (2 * step + 1, false), (2 * step + 3, true), (2 * step + 3, true)];
    for (oldest_revision, is_done) in steps {
        let truncated = log.truncate_before("a", before);
        assert_eq!(truncated, Ok(Truncated { oldest_revision, is_done }));
        assert_eq!(log.head("a").map(|head| head.oldest_revision), Ok(oldest_revision));
        verify(&log, "a", |_| ()).expect("after each step the chain can be proven");
    }
    assert_eq!(log.truncate_before("b", 9), Ok(Truncated { oldest_revision: 1, is_done: true }));

    let half = TRUNCATE_BYTES_MAX as usize / 2 + 1;
    for _ in 0..3 {
        append_one(&mut log, "large", 1, half);
    }
    assert_eq!(truncate(&mut log, "large", 3), 2, "two are more than a step may remove");
    append_one(&mut log, "huge", 1, 2 * half);
    assert_eq!(truncate(&mut log, "huge", 2), 1, "a step removes one record at least");
}

/// All records that were ever appended, in their order.
type Appended = Vec<Record>;

/// The definition, told plainly: the newest bytes reach back from the end over all namespaces.
fn scan(appended: &Appended, log: &dyn LogReader, namespace: &str, keep: Keep) -> u64 {
    let head = log.head(namespace).expect("readable");
    let mut bytes_after = 0_u64;
    let mut first = head.revision + 1;
    for record in appended.iter().rev() {
        let reaches_in = keep.bytes.is_none_or(|bytes| bytes_after < bytes);
        bytes_after += record.body.len() as u64;
        let of_it = &*record.namespace == namespace && record.first_revision >= head.oldest_revision;
        if of_it && reaches_in && keep.since_us.is_none_or(|since_us| record.time_us >= since_us) {
            first = record.first_revision;
        }
    }
    first
}

/// Random numbers that are the same each time.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 += 1;
        scramble(self.0) % bound
    }
}

const NAMESPACES: [&str; 3] = ["a", "b", "c"];

/// Appends to some namespaces at once, at a time that may be that of the append before.
fn append_some(log: &mut dyn Log, time_us: &mut i64, appended: &mut Appended, draw: &mut Draw) {
    *time_us += draw.below(3) as i64;
    let chosen = NAMESPACES.into_iter().filter(|_| draw.below(2) == 0).collect::<Vec<_>>();
    let appends: Vec<Append> =
        chosen.into_iter().map(|namespace| random_append(log, namespace, *time_us, draw)).collect();
    log.append(&appends).expect("a healthy log takes appends that continue it");
    appended.extend(appends.into_iter().map(|append| append.record));
}

fn random_append(log: &dyn LogReader, namespace: &str, time_us: i64, draw: &mut Draw) -> Append {
    let head = log.head(namespace).expect("readable");
    let (event_count, body_bytes) = (1 + draw.below(4) as u32, draw.below(6) as usize);
    let body = Bytes::from(vec![7; body_bytes]);
    let first = head.revision + 1;
    let record = Record::seal(namespace.into(), first, event_count, time_us, 1, head.hash, body);
    Append { expected_revision: head.revision, record }
}

fn compare(log: &dyn LogReader, appended: &Appended, keep: Keep) {
    for namespace in NAMESPACES.into_iter().chain(["unknown"]) {
        let found = log.first_kept(namespace, keep);
        assert_eq!(found, Ok(scan(appended, log, namespace, keep)), "{namespace}, {keep:?}");
    }
}

/// Every boundary of a random log: each time and each number of bytes that tells two records apart, and none.
fn compare_all(log: &dyn LogReader, appended: &Appended, time_us: i64) {
    let bytes = appended.iter().map(|record| record.body.len() as u64).sum::<u64>();
    for since_us in (0..=time_us + 1).map(Some).chain([None]) {
        compare(log, appended, Keep { since_us, bytes: None });
        compare(log, appended, Keep { since_us, bytes: Some(bytes / 2) });
    }
    for bytes in (0..=bytes + 1).map(Some) {
        compare(log, appended, Keep { since_us: None, bytes });
        compare(log, appended, Keep { since_us: Some(time_us / 2), bytes });
    }
}

pub(super) fn the_first_kept_is_what_a_scan_finds<B: Bench>(bench: &mut B) {
    let mut draw = Draw(1);
    let mut log = bench.open();
    let (mut appended, mut time_us) = (Appended::new(), 0);
    compare_all(&log, &appended, time_us);
    for round in 0..3 {
        for _ in 0..25 {
            append_some(&mut log, &mut time_us, &mut appended, &mut draw);
        }
        compare_all(&log, &appended, time_us);
        // What was removed still counts for where the log ends, also where everything was.
        truncate(&mut log, "a", draw.below(60));
        truncate(&mut log, "b", if round == 1 { u64::MAX } else { 5 });
        compare_all(&log, &appended, time_us);
        drop(log);
        log = bench.open();
        compare_all(&*log.reader().expect("a healthy log gives readers"), &appended, time_us);
    }
}

pub(super) fn boundaries_are_exact<B: Bench>(bench: &mut B) {
    let mut log = bench.open();
    for _ in 0..10 {
        append_one(&mut log, "a", 3, 100);
        log.append(&[next_append(&log, "b", 1, 50)]).expect("a healthy log takes it");
    }
    let by_size = |bytes| log.first_kept("a", Keep { since_us: None, bytes: Some(bytes) });
    // The newest record of `a` lies between 50 and 150 bytes before the end.
    for (bytes, first) in
        [(0, 31), (50, 31), (51, 28), (200, 28), (201, 25), (1_400, 4), (1_401, 1), (u64::MAX, 1)]
    {
        assert_eq!(by_size(bytes), Ok(first), "the newest {bytes} bytes");
    }
    // A record of `a` has its first revision in milliseconds as its time.
    let by_age = |since_us| log.first_kept("a", Keep { since_us: Some(since_us), bytes: None });
    for (since_us, first) in
        [(i64::MIN, 1), (1_000, 1), (1_001, 4), (28_000, 28), (28_001, 31), (i64::MAX, 31)]
    {
        assert_eq!(by_age(since_us), Ok(first), "since {since_us}");
    }
    let both = Keep { since_us: Some(25_000), bytes: Some(201) };
    assert_eq!(log.first_kept("a", both), Ok(25));
    assert_eq!(
        log.first_kept("a", Keep { since_us: Some(28_000), ..both }),
        Ok(28),
        "the stricter one counts"
    );
    assert_eq!(log.first_kept("a", Keep::default()), Ok(1));
}
