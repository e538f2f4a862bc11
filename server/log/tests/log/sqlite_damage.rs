//! Records that were altered on the disk: each damage is found, with its revision.

use std::fs;

use baton_log::testing::{append_one, next_append, next_record};
use baton_log::{
    Damage, DamageKind, Faulty, Head, LogReader, OpenError, ReadError, ReadLimit, SqliteLog, verify,
};
use rusqlite::Connection;

use crate::folders::{alter, damage_of, filled, healthy, open};

const RECORD_13_OF_A: &str =
    "namespace = (SELECT id FROM namespaces WHERE name = 'a') AND first_revision = 13";

#[test]
fn a_record_altered_in_the_middle_is_found_with_its_revision_when_it_is_read() {
    let changes = [
        ("body = zeroblob(length(body))", DamageKind::Altered),
        ("body = substr(body, 1, 50)", DamageKind::Altered),
        ("time_us = time_us + 1", DamageKind::Altered),
        ("event_count = 2", DamageKind::Altered),
        ("format = 9", DamageKind::Altered),
        ("previous = zeroblob(32)", DamageKind::Altered),
        ("checksum = zeroblob(32)", DamageKind::Altered),
    ];
    for (change, what) in changes {
        let folder = filled();
        alter(folder.path(), &format!("UPDATE records SET {change} WHERE {RECORD_13_OF_A}"));
        let log = healthy(folder.path());
        let damage = Damage { namespace: "a".into(), revision: 13, what };
        let damaged = Err(ReadError::Damaged(damage));
        assert_eq!(log.read("a", 1, ReadLimit::UNLIMITED), damaged, "{change}");
        assert_eq!(verify(&log, "a", |_| ()).map(|_| Vec::new()), damaged, "{change}");
        assert!(verify(&log, "b", |_| ()).is_ok(), "{change}: the other namespace is whole");
        assert_eq!(log.read("a", 16, ReadLimit::UNLIMITED).unwrap().len(), 35, "{change}");
    }
}

#[test]
fn a_record_removed_from_the_middle_is_found_with_its_revision() {
    let folder = filled();
    alter(folder.path(), &format!("DELETE FROM records WHERE {RECORD_13_OF_A}"));
    let log = healthy(folder.path());
    let missing = ReadError::Damaged(Damage::new("a", 13, DamageKind::Missing));
    for from in [1, 12, 13, 14] {
        let expected =
            if from == 14 { Damage::new("a", 14, DamageKind::Missing).into() } else { missing.clone() };
        assert_eq!(log.read("a", from, ReadLimit::UNLIMITED), Err(expected), "from {from}");
    }
    assert_eq!(verify(&log, "a", |_| ()), Err(missing));
}

#[test]
fn a_record_replaced_by_another_valid_one_breaks_the_chain() {
    let folder = filled();
    let mut other = healthy(folder.path());
    let before = other.read("a", 10, ReadLimit { records: 1, bytes: 0 }).unwrap().remove(0);
    let head = Head { namespace: "a".into(), revision: 12, oldest_revision: 1, hash: before.checksum };
    let forged = next_record(&head, 3, 7);
    append_one(&mut other, "c", 1, 8);
    drop(other);
    let connection = Connection::open(folder.path().join("baton.db")).unwrap();
    let sql = format!("UPDATE records SET body = ?1, checksum = ?2, time_us = ?3 WHERE {RECORD_13_OF_A}");
    connection.execute(&sql, (forged.body.as_ref(), forged.checksum.0, forged.time_us)).unwrap();
    drop(connection);
    match healthy(folder.path()).read("a", 1, ReadLimit::UNLIMITED) {
        Err(ReadError::Damaged(Damage {
            revision: 16, what: DamageKind::Unlinked { found, .. }, ..
        })) => {
            assert_ne!(found, forged.checksum);
        }
        other => panic!("expected a broken link at revision 16, got {other:?}"),
    }
}

#[test]
fn a_damaged_page_is_reported_as_damage() {
    let folder = filled();
    let path = folder.path().join("baton.db");
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(16 * 1024).skip(4) {
        page.fill(0xff);
    }
    fs::write(&path, bytes).unwrap();
    let damage = damage_of(open(folder.path()));
    assert!(matches!(damage.what, DamageKind::Storage(_)), "{damage}");
}

#[test]
fn a_stopped_log_is_verified_without_being_changed() {
    let folder = filled();
    let stopped = SqliteLog::open_read_only(folder.path()).unwrap();
    let proven = verify(&stopped, "a", |_| ()).unwrap();
    assert_eq!((proven.records, proven.revisions), (40, 120));
    assert!(matches!(open(folder.path()), Err(OpenError::InUse { .. })));
    drop(stopped);

    let mut log = healthy(folder.path());
    log.append_unanswered(&[next_append(&log, "a", 3, 100)]).unwrap();
    log.tear_tail().unwrap();
    drop(log);
    for _ in 0..2 {
        let stopped = SqliteLog::open_read_only(folder.path()).unwrap();
        let damage = Damage::new("a", 121, DamageKind::Altered);
        assert_eq!(verify(&stopped, "a", |_| ()), Err(ReadError::Damaged(damage)), "verify cuts nothing");
    }
    assert_eq!(healthy(folder.path()).head("a").unwrap().revision, 120);
}
