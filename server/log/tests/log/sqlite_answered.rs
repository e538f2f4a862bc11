//! The end of the log after a crash: what nobody relies on is cut, what was answered is missed if it is gone.

use std::fs::{self, File, OpenOptions};

use baton_log::testing::{append_one, next_append};
use baton_log::{Damage, DamageKind, Faulty, Log, LogReader, OpenError, ReadLimit, verify};

use crate::folders::{alter, damage_of, filled, flip_byte, healthy, killed, open};

#[test]
fn a_torn_end_that_was_never_answered_is_cut() {
    let folder = filled();
    let mut log = healthy(folder.path());
    let before = log.heads().unwrap();
    let batch = [next_append(&log, "a", 3, 100), next_append(&log, "new", 1, 100)];
    log.append_unanswered(&batch).unwrap();
    log.tear_tail().unwrap();
    drop(log);

    let mut log = healthy(folder.path());
    assert_eq!(log.heads().unwrap(), before, "the whole append is gone, not only its torn record");
    let again = [next_append(&log, "a", 3, 100), next_append(&log, "new", 1, 100)];
    log.append(&again).unwrap();
    assert!(verify(&log, "a", |_| ()).is_ok());
}

#[test]
fn a_whole_end_that_was_never_answered_is_kept() {
    let folder = filled();
    let mut log = healthy(folder.path());
    let append = next_append(&log, "a", 3, 100);
    log.append_unanswered(std::slice::from_ref(&append)).unwrap();
    let log = healthy(killed(folder.path()).path());
    assert_eq!(log.read("a", 121, ReadLimit::UNLIMITED).unwrap(), [append.record]);
}

#[test]
fn a_torn_end_that_was_answered_stops_the_server() {
    let folder = filled();
    let mut log = healthy(folder.path());
    log.tear_tail().unwrap();
    drop(log);
    for _ in 0..2 {
        let damage = damage_of(open(folder.path()));
        assert_eq!(damage, Damage::new("b", 118, DamageKind::Altered));
        assert!(damage.to_string().contains("restore the data folder from a backup"), "{damage}");
    }
    // The operator accepts the loss.
    fs::remove_file(folder.path().join("answered")).unwrap();
    assert_eq!(healthy(folder.path()).head("b").unwrap().revision, 117);
}

#[test]
fn damage_before_an_unanswered_end_stops_the_server() {
    let folder = filled();
    let mut log = healthy(folder.path());
    let append = next_append(&log, "a", 3, 100);
    log.append_unanswered(&[append]).unwrap();
    log.corrupt("a", 118, 5).unwrap();
    drop(log);
    assert_eq!(damage_of(open(folder.path())), Damage::new("a", 118, DamageKind::Altered));
}

#[test]
fn an_end_with_an_altered_order_is_not_cut() {
    let folder = filled();
    let mut log = healthy(folder.path());
    log.tear_tail().unwrap();
    drop(log);
    fs::remove_file(folder.path().join("answered")).unwrap();
    alter(
        folder.path(),
        "UPDATE records SET append_first = 1 WHERE sequence = (SELECT max(sequence) FROM records)",
    );
    assert_eq!(damage_of(open(folder.path())), Damage::new("b", 118, DamageKind::Altered));
}

#[test]
fn a_log_that_ends_before_the_answered_mark_is_refused() {
    let folder = filled();
    alter(folder.path(), "DELETE FROM records WHERE sequence = (SELECT max(sequence) FROM records)");
    for _ in 0..2 {
        match open(folder.path()) {
            Err(error @ OpenError::AnsweredMissing { .. }) => {
                let text = error.to_string();
                assert!(text.contains("namespace b was answered up to revision 120"), "{text}");
                assert!(text.contains("the log ends at 117"), "{text}");
                assert!(text.contains("remove the file `answered`"), "{text}");
            }
            other => panic!("expected missing records, got {other:?}"),
        }
    }
    fs::remove_file(folder.path().join("answered")).unwrap();
    let mut log = healthy(folder.path());
    assert_eq!(append_one(&mut log, "b", 1, 8).first_revision, 118);
}

#[test]
fn a_journal_that_lost_its_end_is_refused_and_left_as_it_is() {
    let folder = filled();
    let mut log = healthy(folder.path());
    append_one(&mut log, "a", 3, 100);
    append_one(&mut log, "a", 3, 100);
    let copy = killed(folder.path());
    assert_eq!(healthy(copy.path()).head("a").unwrap().revision, 126, "the untouched copy is whole");

    let copy = killed(folder.path());
    let journal = copy.path().join("journal-0");
    OpenOptions::new().write(true).open(&journal).unwrap().set_len(4096 + 150).unwrap();
    for _ in 0..2 {
        let opened = open(copy.path());
        assert!(
            matches!(opened, Err(OpenError::Damaged { ref damage, .. }) if damage.revision == 124),
            "{opened:?}"
        );
        assert_eq!(fs::metadata(&journal).unwrap().len(), 4246, "the evidence is left alone");
    }
    OpenOptions::new().write(true).open(&journal).unwrap().set_len(4096).unwrap();
    let opened = open(copy.path());
    assert!(
        matches!(opened, Err(OpenError::AnsweredMissing { answered: 126, newest: 123, .. })),
        "{opened:?}"
    );
    fs::remove_file(&journal).unwrap();
    assert!(matches!(open(copy.path()), Err(OpenError::AnsweredMissing { newest: 120, .. })));
}

#[test]
fn a_lost_database_is_not_replaced_by_an_empty_one() {
    let folder = filled();
    fs::remove_file(folder.path().join("baton.db")).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::AnsweredMissing { answered: 120, newest: 0, .. })));
    assert!(!folder.path().join("baton.db").exists());
}

#[test]
fn a_database_of_another_log_is_refused() {
    let (folder, other) = (filled(), filled());
    fs::copy(other.path().join("baton.db"), folder.path().join("baton.db")).unwrap();
    let text = open(folder.path()).unwrap_err().to_string();
    assert!(text.contains("answered belongs to another log"), "{text}");
}

#[test]
fn an_altered_answered_mark_is_refused() {
    for at in [0, 12, 40, 100, 511] {
        let folder = filled();
        flip_byte(&folder.path().join("answered"), at);
        let text = open(folder.path()).unwrap_err().to_string();
        assert!(text.contains("answered is torn or altered"), "byte {at}: {text}");
    }
    let folder = filled();
    File::create(folder.path().join("answered")).unwrap();
    assert!(matches!(open(folder.path()), Err(OpenError::AnsweredUnusable { .. })), "an empty mark");
}

#[test]
fn a_mark_whose_record_was_truncated_away_is_satisfied() {
    let folder = filled();
    let mut log = healthy(folder.path());
    log.truncate_before("b", u64::MAX).unwrap();
    log.truncate_before("a", u64::MAX).unwrap();
    let copy = killed(folder.path());
    for _ in 0..2 {
        let mut log = healthy(copy.path());
        assert_eq!(log.head("b").unwrap().oldest_revision, 121);
        log.append(&[]).unwrap();
    }
    let mut log = healthy(copy.path());
    append_one(&mut log, "b", 1, 8);
    drop(log);
    assert_eq!(healthy(copy.path()).head("b").unwrap().revision, 121);
}
