//! The contract suite of archives: what every archive promises, as checks that any implementation can be put through.
//!
//! Knows nothing of the implementations: an [`ArchiveBench`] opens, and opens again, the archive under test. The checks panic with what
//! was promised and not kept; they are meant to be called from tests.

use crate::{Archive, ArchiveReader, ArchivedRow, Hash, ReadLimit};

/// Gives the suite an archive to test.
pub trait ArchiveBench {
    /// The archive under test.
    type Archive: Archive;

    /// Opens the same archive each time; the suite has dropped the one before.
    fn open(&mut self) -> Self::Archive;
}

/// Runs the whole suite. `fresh` makes a new, empty archive for each promise.
pub fn run_archive_contract<B: ArchiveBench>(mut fresh: impl FnMut() -> B) {
    let promises: [fn(&mut B); 9] = [
        a_new_archive_is_empty,
        what_was_saved_is_read,
        the_newest_row_of_a_task_counts,
        ranges_are_in_order_and_bounded,
        what_is_known_is_not_saved_again,
        rolling_back_takes_back_what_is_newer,
        pruning_removes_what_a_newer_row_stands_in_for,
        marks_name_a_checkpoint_and_its_log,
        namespaces_are_apart,
    ];
    for promise in promises {
        promise(&mut fresh());
    }
}

/// A row whose content tells which it is.
pub fn row(task_id: &str, newest_revision: u64, handoffs: &[u64]) -> ArchivedRow {
    let body = |what: &str| format!("{what} of {task_id} at {newest_revision}").into_bytes().into();
    ArchivedRow {
        task_id: task_id.into(),
        newest_revision,
        body: body("the task"),
        handoffs: handoffs.iter().map(|id| (*id, body(&format!("hand-off {id}")))).collect(),
    }
}

const ALL: ReadLimit = ReadLimit::UNLIMITED;

fn newest(archive: &dyn ArchiveReader, task_id: &str) -> Option<u64> {
    archive.task("a", task_id, u64::MAX).expect("a healthy archive reads").map(|row| row.newest_revision)
}

fn handoffs(archive: &dyn ArchiveReader) -> Vec<u64> {
    let all = archive.handoffs_after("a", 0, ALL).expect("a healthy archive reads");
    all.rows.iter().map(|row| row.handoff_id).collect()
}

fn save(archive: &mut dyn Archive, as_of: u64, rows: &[ArchivedRow]) {
    archive.save("a", as_of, rows).expect("a healthy archive saves");
}

fn a_new_archive_is_empty<B: ArchiveBench>(bench: &mut B) {
    let archive = bench.open();
    assert_eq!(newest(&archive, "t"), None);
    assert_eq!(archive.handoff("a", 1), Ok(None));
    assert_eq!(archive.tasks_after("a", None, ALL).map(|rows| (rows.rows.len(), rows.more)), Ok((0, false)));
    assert_eq!(archive.is_marked("a", 1, Hash::ZERO), Ok(false));
}

fn what_was_saved_is_read<B: ArchiveBench>(bench: &mut B) {
    let (t, u) = (row("t", 9, &[3, 7]), row("ü", 8, &[]));
    let mut archive = bench.open();
    let reader = archive.reader().expect("a healthy archive has readers");
    save(&mut archive, 10, &[t.clone(), u.clone()]);
    for reader in [&archive as &dyn ArchiveReader, &*reader] {
        assert_eq!(reader.task("a", "t", u64::MAX), Ok(Some(t.clone())));
        assert_eq!(reader.task("a", "ü", 10), Ok(Some(u.clone())));
        assert_eq!(reader.task("a", "t", 9), Ok(None), "it was archived later");
        let handoff = reader.handoff("a", 7).expect("a healthy archive reads").expect("it was saved");
        assert_eq!((handoff.handoff_id, &*handoff.task_id, &handoff.body), (7, "t", &t.handoffs[1].1));
    }
    drop((archive, reader));
    assert_eq!(bench.open().task("a", "t", u64::MAX), Ok(Some(t)), "it survives opening again");
}

fn the_newest_row_of_a_task_counts<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    save(&mut archive, 10, &[row("t", 9, &[3, 7])]);
    save(&mut archive, 20, &[row("t", 18, &[7, 15])]);
    assert_eq!(newest(&archive, "t"), Some(18));
    assert_eq!(archive.task("a", "t", 19), Ok(Some(row("t", 9, &[3, 7]))), "as of an older checkpoint");
    assert_eq!(handoffs(&archive), [7, 15], "each once, and none that the newest row lacks");
    assert_eq!(archive.handoff("a", 3), Ok(None));
    let handoff = archive.handoff("a", 7).expect("a healthy archive reads").expect("it is there");
    assert_eq!(handoff.body, row("t", 18, &[7]).handoffs[0].1);
    let tasks = archive.tasks_after("a", None, ALL).expect("a healthy archive reads");
    assert_eq!(tasks.rows.iter().map(|row| &row.body).collect::<Vec<_>>(), [&row("t", 18, &[]).body]);
}

fn ranges_are_in_order_and_bounded<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    let ids = ["b", "B", "é", "aa", "a"];
    let rows: Vec<_> =
        ids.iter().zip(1_u64..).map(|(id, index)| row(id, index, &[100 - index, 200 + index])).collect();
    save(&mut archive, 10, &rows);
    let two = ReadLimit { records: 2, bytes: usize::MAX };
    let tasks = |after| {
        let part = archive.tasks_after("a", after, two).expect("a healthy archive reads");
        let ids: Vec<String> = part.rows.iter().map(|row| row.task_id.to_string()).collect();
        (ids.join(" "), part.more)
    };
    assert_eq!(tasks(None), ("B a".to_owned(), true), "in the order of their bytes");
    assert_eq!(tasks(Some("a")), ("aa b".to_owned(), true));
    assert_eq!(tasks(Some("b")), ("é".to_owned(), false));
    let after = archive.handoffs_after("a", 96, two).expect("a healthy archive reads");
    assert_eq!(
        (after.rows.iter().map(|row| row.handoff_id).collect::<Vec<_>>(), after.more),
        (vec![97, 98], true)
    );
    let before = archive.handoffs_before("a", 97, two).expect("a healthy archive reads");
    let ids: Vec<u64> = before.rows.iter().map(|row| row.handoff_id).collect();
    assert_eq!((ids, before.more), (vec![96, 95], false));
    let no_bytes = ReadLimit { records: 9, bytes: 0 };
    let one = archive.handoffs_before("a", 300, no_bytes).expect("a healthy archive reads");
    assert_eq!((one.rows.len(), one.rows[0].handoff_id, one.more), (1, 205, true), "at least one");
}

fn what_is_known_is_not_saved_again<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    save(&mut archive, 20, &[row("t", 9, &[3])]);
    save(&mut archive, 30, &[row("t", 9, &[3])]);
    archive.roll_back("a", 25).expect("a healthy archive rolls back");
    assert_eq!(newest(&archive, "t"), Some(9), "the first row still stands for it");
    // For an older checkpoint it is not known yet.
    save(&mut archive, 10, &[row("t", 9, &[3])]);
    archive.roll_back("a", 10).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), handoffs(&archive)), (Some(9), vec![3]));
}

fn rolling_back_takes_back_what_is_newer<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    save(&mut archive, 10, &[row("t", 9, &[3]), row("u", 8, &[])]);
    save(&mut archive, 20, &[row("t", 18, &[3, 15]), row("v", 19, &[])]);
    archive.roll_back("a", 20).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), newest(&archive, "v")), (Some(18), Some(19)), "nothing is newer");
    archive.roll_back("a", 19).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), newest(&archive, "v")), (Some(9), None));
    assert_eq!(handoffs(&archive), [3]);
    archive.roll_back("a", 0).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), newest(&archive, "u")), (None, None));
    assert_eq!(handoffs(&archive), []);
    archive.roll_back("unknown", 0).expect("a healthy archive rolls back");
}

fn pruning_removes_what_a_newer_row_stands_in_for<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    for (as_of, newest, handoff) in [(10, 9, 3), (20, 18, 15), (30, 28, 25)] {
        save(&mut archive, as_of, &[row("t", newest, &[handoff])]);
    }
    save(&mut archive, 10, &[row("u", 8, &[])]);
    archive.prune("a", 19).expect("a healthy archive prunes");
    assert_eq!(archive.task("a", "t", 19), Ok(Some(row("t", 9, &[3]))), "a checkpoint at 19 needs it");
    archive.prune("a", 20).expect("a healthy archive prunes");
    assert_eq!(archive.task("a", "t", 19), Ok(None));
    assert_eq!(archive.task("a", "t", 20), Ok(Some(row("t", 18, &[15]))));
    assert_eq!((newest(&archive, "t"), newest(&archive, "u")), (Some(28), Some(8)));
    archive.roll_back("a", 20).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), handoffs(&archive)), (Some(18), vec![15]));
}

fn marks_name_a_checkpoint_and_its_log<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    let hash = |byte| Hash([byte; 32]);
    for revision in [10, 20, 30] {
        archive.mark("a", revision, hash(1)).expect("a healthy archive marks");
    }
    let marked =
        |archive: &B::Archive, hash| [10, 20, 30].map(|at| archive.is_marked("a", at, hash) == Ok(true));
    assert_eq!(marked(&archive, hash(1)), [true; 3]);
    assert_eq!(marked(&archive, hash(2)), [false; 3]);
    archive.roll_back("a", 20).expect("a healthy archive rolls back");
    assert_eq!(marked(&archive, hash(1)), [true, true, false]);
    archive.prune("a", 20).expect("a healthy archive prunes");
    assert_eq!(marked(&archive, hash(1)), [false, true, false]);
    drop(archive);
    assert_eq!(marked(&bench.open(), hash(1)), [false, true, false], "they survive opening again");
}

fn namespaces_are_apart<B: ArchiveBench>(bench: &mut B) {
    let mut archive = bench.open();
    save(&mut archive, 10, &[row("t", 9, &[3])]);
    archive.save("b", 10, &[row("t", 7, &[3])]).expect("a healthy archive saves");
    archive.roll_back("b", 0).expect("a healthy archive rolls back");
    assert_eq!((newest(&archive, "t"), handoffs(&archive)), (Some(9), vec![3]));
    assert_eq!(archive.task("b", "t", u64::MAX), Ok(None));
    assert_eq!(archive.handoff("b", 3), Ok(None));
}
