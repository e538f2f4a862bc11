//! What is there after a fault, in memory and on real files alike: all that was answered, nothing of what was refused.

use std::path::Path;

use baton_log::testing::{append_one, next_append, truncate};
use baton_log::{
    AppendError, AppendFault, Damage, DamageKind, FaultLog, Faulty, Keep, Log, LogReader, MemoryLog,
    MemoryStore, OpenError, Plan, ReadError, ReadFault, ReadLimit, SqliteLog, SqliteOptions,
    TRUNCATE_BYTES_MAX, TruncateFault, verify,
};
use tempfile::TempDir;

/// Opens the log of one storage again and again.
trait Storage {
    type Log: Faulty;
    fn open(&self) -> Result<Self::Log, OpenError>;
}

impl Storage for MemoryStore {
    type Log = MemoryLog;
    fn open(&self) -> Result<MemoryLog, OpenError> {
        MemoryLog::open(self.clone())
    }
}

impl Storage for TempDir {
    type Log = SqliteLog;
    fn open(&self) -> Result<SqliteLog, OpenError> {
        let folder: &Path = self.path();
        SqliteLog::open(folder, &SqliteOptions::default())
    }
}

fn revision(log: &dyn LogReader) -> u64 {
    log.head("a").unwrap().revision
}

fn append(log: &mut dyn Log) -> Result<(), AppendError> {
    let append = next_append(&*log, "a", 2, 64);
    log.append(&[append])
}

/// Appends twice, then once with the fault; returns the log and what it answered.
fn third_append<S: Storage>(storage: &S, fault: AppendFault) -> (FaultLog<S::Log>, Result<(), AppendError>) {
    let mut log = FaultLog::new(storage.open().unwrap(), Plan::list(vec![(3, fault)]));
    append_one(&mut log, "a", 2, 64);
    append_one(&mut log, "a", 2, 64);
    let answer = append(&mut log);
    (log, answer)
}

fn each_fault_leaves_what_it_says<S: Storage>(fresh: impl Fn() -> S) {
    let broken = [
        (AppendFault::FsyncFailsAfterWrite { persists: true }, 6),
        (AppendFault::FsyncFailsAfterWrite { persists: false }, 4),
        (AppendFault::FsyncFailsBeforeWrite, 4),
        (AppendFault::ShortWrite, 4),
    ];
    for (fault, after_restart) in broken {
        let storage = fresh();
        let (mut log, answer) = third_append(&storage, fault);
        assert!(matches!(answer, Err(AppendError::Broken(_))), "{fault:?}: {answer:?}");
        assert!(matches!(append(&mut log), Err(AppendError::Broken(_))), "{fault:?} stays broken");
        assert!(matches!(log.truncate_before("a", 3), Err(AppendError::Broken(_))), "{fault:?} stays broken");
        drop(log);
        let mut log = storage.open().unwrap();
        assert_eq!(revision(&log), after_restart, "{fault:?}");
        append(&mut log).unwrap();
        assert!(verify(&log, "a", |_| ()).is_ok(), "{fault:?}");
    }

    let (mut log, answer) = third_append(&fresh(), AppendFault::NoSpace);
    assert!(matches!(answer, Err(AppendError::Full(_))));
    assert_eq!(revision(&log), 4);
    append(&mut log).unwrap();
    assert_eq!(revision(&log), 6);

    for (applied, revision_after) in [(true, 6), (false, 4)] {
        let (mut log, answer) = third_append(&fresh(), AppendFault::UnknownOutcome { applied });
        assert!(matches!(answer, Err(AppendError::Unknown(_))));
        assert_eq!(revision(&log), revision_after, "reading settles it");
        append(&mut log).unwrap();
    }
}

fn an_altered_byte_is_found<S: Storage>(fresh: impl Fn() -> S) {
    for (back, byte_index) in [(0, 0), (2, 63), (2, 64), (6, 95)] {
        let storage = fresh();
        let fault = AppendFault::AlteredByte { back, byte_index };
        let (log, answer) = third_append(&storage, fault);
        assert_eq!(answer, Ok(()), "nobody notices while it happens");
        let damage = Damage::new("a", 5_u64.saturating_sub(back).max(1), DamageKind::Altered);
        assert_eq!(log.read("a", 1, ReadLimit::UNLIMITED), Err(ReadError::Damaged(damage.clone())));
        drop(log);
        match storage.open().map(|_| ()) {
            Err(OpenError::Damaged { damage: found, .. }) => assert_eq!(found, damage),
            other => panic!("expected damage, got {other:?}"),
        }
    }
}

/// Truncates a log of three and a half steps; the second step meets the fault. Returns the oldest revision that a start finds.
fn second_step<S: Storage>(storage: &S, fault: TruncateFault, expected: fn(&AppendError) -> bool) -> u64 {
    let plan = Plan::none().with_truncations(move |number| (number == 2).then_some(fault));
    let mut log = FaultLog::new(storage.open().unwrap(), plan);
    // A step removes two of these.
    let half = TRUNCATE_BYTES_MAX / 2;
    for _ in 0..7 {
        append_one(&mut log, "a", 1, half as usize);
    }
    let newest = revision(&log);
    assert!(!log.truncate_before("a", newest).unwrap().is_done);
    let failure = log.truncate_before("a", newest).unwrap_err();
    assert!(expected(&failure), "{fault:?}: {failure}");
    if matches!(failure, AppendError::Broken(_)) {
        assert_eq!(log.truncate_before("a", newest), Err(failure), "{fault:?} stays broken");
    }
    drop(log);

    let mut log = storage.open().unwrap();
    let head = log.head("a").unwrap();
    assert_eq!(head.revision, newest, "{fault:?}: nothing but the oldest records may go");
    assert_eq!(verify(&log, "a", |_| ()).unwrap().oldest_revision, head.oldest_revision);
    assert_eq!(
        log.first_kept("a", Keep { since_us: None, bytes: Some(half + 1) }),
        Ok(newest - 1),
        "{fault:?}"
    );
    append(&mut log).unwrap();
    truncate(&mut log, "a", newest);
    assert_eq!(verify(&log, "a", |_| ()).unwrap().records, 2, "{fault:?}: the rest can be removed later");
    head.oldest_revision
}

fn a_truncation_that_fails_leaves_whole_steps<S: Storage>(fresh: impl Fn() -> S) {
    let is_broken = |error: &AppendError| matches!(error, AppendError::Broken(_));
    let is_full = |error: &AppendError| matches!(error, AppendError::Full(_));
    assert_eq!(second_step(&fresh(), TruncateFault::NoSpace, is_full), 3);
    let fsync = |persists| TruncateFault::FsyncFails { persists };
    assert_eq!(second_step(&fresh(), fsync(false), is_broken), 3);
    assert_eq!(second_step(&fresh(), fsync(true), is_broken), 5);
}

/// Appends and truncates through seeded faults, opening again whenever the log breaks, and keeps book of what was answered.
fn seeded_faults_lose_nothing<S: Storage>(storage: &S, seed: u64) {
    let mut answered = 0;
    // The oldest revision that a truncation may have left.
    let mut oldest_max = 1;
    let mut restarts = 0;
    while restarts < 20 {
        let mut log = FaultLog::new(storage.open().unwrap(), Plan::seeded(seed + restarts, 5));
        restarts += 1;
        let found = revision(&log);
        assert!(
            found == answered || found == answered + 2,
            "seed {seed}: {answered} answered, {found} found"
        );
        answered = found;
        loop {
            match append(&mut log) {
                Ok(()) => answered += 2,
                Err(AppendError::Full(_)) => assert_eq!(revision(&log), answered, "seed {seed}"),
                Err(AppendError::Unknown(_)) => answered = revision(&log),
                Err(AppendError::Broken(_)) => break,
                Err(other) => panic!("seed {seed}: {other}"),
            }
            oldest_max = answered.saturating_sub(8).max(oldest_max);
            match log.truncate_before("a", oldest_max) {
                Ok(truncated) => assert!(truncated.is_done, "seed {seed}: few are removed at once"),
                Err(AppendError::Full(_)) => (),
                Err(AppendError::Broken(_)) => break,
                Err(other) => panic!("seed {seed}: {other}"),
            }
        }
    }
    let log = storage.open().unwrap();
    let proven = verify(&log, "a", |_| ()).unwrap();
    assert!(proven.revision >= answered, "seed {seed}");
    assert!((2..=oldest_max).contains(&proven.oldest_revision), "seed {seed}: {proven:?}");
}

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

#[test]
fn each_fault_leaves_what_it_says_in_memory() {
    each_fault_leaves_what_it_says(MemoryStore::new);
}

#[test]
fn each_fault_leaves_what_it_says_in_a_folder() {
    each_fault_leaves_what_it_says(folder);
}

#[test]
fn a_truncation_that_fails_leaves_whole_steps_in_memory() {
    a_truncation_that_fails_leaves_whole_steps(MemoryStore::new);
}

#[test]
fn a_truncation_that_fails_leaves_whole_steps_in_a_folder() {
    a_truncation_that_fails_leaves_whole_steps(folder);
}

#[test]
fn an_altered_byte_is_found_in_memory() {
    an_altered_byte_is_found(MemoryStore::new);
}

#[test]
fn an_altered_byte_is_found_in_a_folder() {
    an_altered_byte_is_found(folder);
}

#[test]
fn seeded_faults_lose_nothing_in_memory() {
    for seed in first_seed()..first_seed() + 100 {
        seeded_faults_lose_nothing(&MemoryStore::new(), seed);
    }
}

#[test]
fn seeded_faults_lose_nothing_in_a_folder() {
    for seed in first_seed()..first_seed() + 3 {
        seeded_faults_lose_nothing(&folder(), seed);
    }
}

fn first_seed() -> u64 {
    std::env::var("BATON_TEST_SEED").map_or(1, |seed| seed.parse().expect("BATON_TEST_SEED is a number"))
}

#[test]
fn the_same_seed_gives_the_same_faults() {
    let outcomes = |seed| {
        let mut log = FaultLog::new(MemoryLog::open(MemoryStore::new()).unwrap(), Plan::seeded(seed, 4));
        (0..30).map(|_| format!("{:?}", append(&mut log))).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(7), outcomes(7));
    assert_ne!(outcomes(7), outcomes(8));
}

#[test]
fn planned_reads_fail_in_the_log_and_its_readers() {
    let plan = Plan::none().with_reads(|number| (number % 2 == 0).then_some(ReadFault::Io));
    let mut log = FaultLog::new(MemoryLog::open(MemoryStore::new()).unwrap(), plan);
    append_one(&mut log, "a", 1, 8);
    let reader = log.reader().unwrap();
    assert!(log.read("a", 1, ReadLimit::UNLIMITED).is_ok());
    assert!(matches!(reader.read("a", 1, ReadLimit::UNLIMITED), Err(ReadError::Io(_))));
    assert!(reader.read("a", 1, ReadLimit::UNLIMITED).is_ok());
    assert!(matches!(log.read("a", 1, ReadLimit::UNLIMITED), Err(ReadError::Io(_))));
}

#[test]
fn what_is_written_but_not_durable_is_not_read_and_goes_with_the_power() {
    for power_cut in [false, true] {
        let store = MemoryStore::new();
        let mut log = MemoryLog::open(store.clone()).unwrap();
        append_one(&mut log, "a", 2, 64);
        let reader = log.reader().unwrap();
        log.append_unanswered(&[next_append(&log, "a", 2, 64), next_append(&log, "new", 1, 8)]).unwrap();
        assert_eq!((revision(&log), revision(&*reader)), (2, 2));
        assert_eq!(reader.read("a", 1, ReadLimit::UNLIMITED).unwrap().len(), 1);
        assert_eq!(reader.heads().unwrap().len(), 1);
        assert!(matches!(append(&mut log), Err(AppendError::Broken(_))));
        drop(log);
        if power_cut {
            store.power_cut();
        }
        let log = MemoryLog::open(store).unwrap();
        assert_eq!(revision(&log), if power_cut { 2 } else { 4 });
        assert_eq!(log.heads().unwrap().len(), if power_cut { 1 } else { 2 });
    }
}

#[test]
fn a_memory_store_that_lost_an_answered_record_is_refused_until_the_loss_is_accepted() {
    let store = MemoryStore::new();
    let mut log = MemoryLog::open(store.clone()).unwrap();
    append_one(&mut log, "a", 2, 64);
    append_one(&mut log, "a", 2, 64);
    drop(log);
    assert!(store.tear_tail());
    assert!(matches!(MemoryLog::open(store.clone()), Err(OpenError::Damaged { .. })));
    store.forget_answered();
    assert_eq!(revision(&MemoryLog::open(store).unwrap()), 2);
}
