//! Archives: the contract, both kinds alike in random runs, and a damaged one that gives nothing wrong.

use std::fs;
use std::path::Path;

use baton_log::testing::archive::{ArchiveBench, row, run_archive_contract};
use baton_log::{Archive, ArchiveError, ArchiveReader, Hash, LogId, MemoryArchive, ReadLimit, SqliteArchive};
use fastrand::Rng;
use tempfile::TempDir;

const LOG: LogId = LogId(7);
const FORMAT: u16 = 3;

struct InMemory(MemoryArchive);

impl ArchiveBench for InMemory {
    type Archive = MemoryArchive;

    fn open(&mut self) -> MemoryArchive {
        self.0.clone()
    }
}

struct InFolder(TempDir);

impl ArchiveBench for InFolder {
    type Archive = SqliteArchive;

    fn open(&mut self) -> SqliteArchive {
        open(self.0.path())
    }
}

fn open(data: &Path) -> SqliteArchive {
    SqliteArchive::open(data, LOG, FORMAT).unwrap()
}

#[test]
fn memory_keeps_the_contract() {
    run_archive_contract(|| InMemory(MemoryArchive::default()));
}

#[test]
fn sqlite_keeps_the_contract() {
    run_archive_contract(|| InFolder(TempDir::new().unwrap()));
}

/// Everything that can be read of the namespace `a`, as text.
fn shown(archive: &dyn ArchiveReader) -> String {
    let one = ReadLimit { records: 1, bytes: usize::MAX };
    let (mut shown, mut after) = (String::new(), None);
    loop {
        let part = archive.tasks_after("a", after.as_deref(), one).unwrap();
        for body in &part.rows {
            let row = archive.task("a", &body.task_id, u64::MAX).unwrap().unwrap();
            assert_eq!(row.body, body.body);
            shown += &format!("{row:?}\n");
        }
        after = part.rows.last().map(|row| row.task_id.to_string());
        if !part.more {
            break;
        }
    }
    let mut handoffs = archive.handoffs_after("a", 0, ReadLimit::UNLIMITED).unwrap().rows;
    for handoff in &handoffs {
        assert_eq!(archive.handoff("a", handoff.handoff_id).unwrap().as_ref(), Some(handoff));
    }
    shown += &format!("{handoffs:?}\n");
    handoffs.reverse();
    assert_eq!(archive.handoffs_before("a", u64::MAX, ReadLimit::UNLIMITED).unwrap().rows, handoffs);
    for as_of in 0..60 {
        for task in 0..6 {
            shown += &format!("{:?}", archive.task("a", &format!("t{task}"), as_of).unwrap());
        }
        shown += &format!("{}\n", archive.is_marked("a", as_of, Hash::ZERO).unwrap());
    }
    shown
}

#[test]
fn both_kinds_show_the_same_after_random_work() {
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let data = TempDir::new().unwrap();
        let (mut memory, mut sqlite) = (MemoryArchive::default(), open(data.path()));
        let (mut head, mut pruned) = (0, 0);
        for _ in 0..25 {
            head += 2;
            // Nobody goes back to where rows were pruned already, except to the beginning.
            let back = if rng.u32(0..6) == 0 { 0 } else { rng.u64(pruned..=head) };
            let kind = rng.u32(0..10);
            let saved: Vec<_> = (0..rng.usize(0..4))
                .map(|_| {
                    let task = rng.u64(0..6);
                    row(&format!("t{task}"), head - rng.u64(0..2), &[task + 1, 10 * (task + 1) + head % 4])
                })
                .collect();
            for archive in [&mut memory as &mut dyn Archive, &mut sqlite] {
                match kind {
                    0 => archive.roll_back("a", back).unwrap(),
                    1 | 2 => archive.prune("a", back).unwrap(),
                    _ => {
                        archive.save("a", head, &saved).unwrap();
                        archive.mark("a", head, Hash::ZERO).unwrap();
                    }
                }
            }
            match kind {
                0 => (head, pruned) = (back.max(2), pruned.min(back)),
                1 | 2 => pruned = pruned.max(back),
                _ => (),
            }
            assert!(shown(&memory) == shown(&sqlite), "seed {seed} at {head}: they differ");
        }
    }
}

#[test]
fn an_archive_that_cannot_be_used_is_moved_aside() {
    let data = TempDir::new().unwrap();
    let aside = data.path().join("archive.db.unusable");
    let fill = || open(data.path()).save("a", 10, &[row("t", 9, &[3])]).unwrap();
    type Opening = fn(&Path) -> Result<SqliteArchive, ArchiveError>;
    let others: [(&str, Opening); 3] = [
        ("of another log", |data| SqliteArchive::open(data, LogId(8), FORMAT)),
        ("of another format", |data| SqliteArchive::open(data, LOG, FORMAT + 1)),
        ("not a database", |data| {
            fs::write(
                data.join("archive.db"),
                "not a database, but some text that is long enough for a page",
            )
            .unwrap();
            SqliteArchive::open(data, LOG, FORMAT)
        }),
    ];
    for (what, opening) in others {
        let _ = fs::remove_file(data.path().join("archive.db"));
        fill();
        assert!(!aside.exists());
        let archive = opening(data.path()).unwrap();
        assert_eq!(archive.task("a", "t", u64::MAX), Ok(None), "{what}");
        assert!(aside.exists(), "{what}: it is not thrown away");
        drop(archive);
        fs::remove_file(&aside).unwrap();
    }
}

#[test]
fn an_archive_stays_what_it_is_when_it_is_opened_again() {
    let data = TempDir::new().unwrap();
    open(data.path()).save("a", 10, &[row("t", 9, &[3])]).unwrap();
    for _ in 0..2 {
        assert_eq!(open(data.path()).task("a", "t", 10), Ok(Some(row("t", 9, &[3]))));
    }
    assert!(!data.path().join("archive.db.unusable").exists());
}

#[test]
fn an_altered_row_is_damage_and_never_given() {
    let data = TempDir::new().unwrap();
    open(data.path()).save("a", 10, &[row("t", 9, &[3]), row("u", 8, &[])]).unwrap();
    let path = data.path().join("archive.db");
    let whole = fs::read(&path).unwrap();
    let find = |text: &str| whole.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    for (text, of_task) in [("the task of t at 9", true), ("hand-off 3 of t at 9", false)] {
        let mut bytes = whole.clone();
        bytes[find(text)] ^= 1;
        fs::write(&path, bytes).unwrap();
        let archive = open(data.path());
        assert!(matches!(archive.task("a", "t", 10), Err(ArchiveError::Damaged(_))), "{text}");
        assert_eq!(archive.tasks_after("a", None, ReadLimit::UNLIMITED).is_err(), of_task, "{text}");
        assert_eq!(archive.handoff("a", 3).is_err(), !of_task, "{text}");
        assert_eq!(archive.task("a", "u", 10), Ok(Some(row("u", 8, &[]))), "the others are whole");
    }
}

#[test]
fn an_archive_in_a_folder_that_is_not_there_is_an_error() {
    let data = TempDir::new().unwrap();
    let missing = SqliteArchive::open(&data.path().join("missing"), LOG, FORMAT);
    assert!(matches!(missing, Err(ArchiveError::Io(_))));
}
