//! Segments that are damaged, missing, or left behind by a process that died.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Duration,
};

use baton_core::limits::REQUEST_SEGMENT_COUNT;
use baton_server::engine::Retention;

use super::{
    life::{CHECKPOINT_EVENTS, Life, Shown, checkpoint_files, named, segment_files},
    saves,
};
use crate::harness::Disk;

fn alter(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

fn cut(file: &Path) {
    let bytes = fs::read(file).unwrap();
    fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
}

fn remove(file: &Path) {
    fs::remove_file(file).unwrap();
}

const DAMAGES: [fn(&Path); 3] = [alter, cut, remove];

/// A folder whose older checkpoint builds on one segment and the newer on two; their revisions, and the state.
fn stopped() -> (Disk, [u64; 2], Shown) {
    let disk = Disk::folder();
    let life = Life::start(&disk).unwrap();
    let saves = saves(&life, 4);
    let built_on: Vec<usize> =
        saves.iter().filter_map(|saved| Some(saved.checkpoint()?.segments.len())).collect();
    assert!(built_on.ends_with(&[1, 2]), "{built_on:?}");
    // Nothing is done that would make another when it stops.
    let state = life.stop();
    let revisions = disk.checkpoints().heads("default").unwrap().iter().map(|head| head.revision).collect();
    let revisions: Vec<u64> = revisions;
    (disk, revisions.try_into().unwrap(), state)
}

#[test]
fn a_damaged_segment_spoils_the_checkpoints_that_build_on_it_and_no_more() {
    for damage in DAMAGES {
        let (disk, [newer, older], state) = stopped();
        let starts_from = |revision: u64| {
            let life = Life::start(&disk).unwrap();
            assert_eq!(life.started_from, revision);
            assert!(life.state() == state, "from {revision} it shows something else");
            life.stop();
        };
        starts_from(newer);
        let [first, second] = segment_files(&disk).try_into().unwrap();
        damage(&second);
        starts_from(older);
        damage(&first);
        starts_from(0);
    }
}

#[test]
fn what_is_damaged_is_made_anew() {
    for damage in DAMAGES {
        let (disk, _, _) = stopped();
        let [first, second] = segment_files(&disk).try_into().unwrap();
        let whole = fs::read(&first).unwrap();
        damage(&first);
        damage(&second);
        let life = Life::start(&disk).unwrap();
        assert_eq!(life.started_from, 0);
        saves(&life, 2);
        let state = life.stop();
        assert!(fs::read(&first).unwrap() == whole, "it has the same requests");
        let life = Life::start(&disk).unwrap();
        assert!(life.started_from > 45_000 && life.state() == state);
        life.stop();
    }
}

#[test]
fn what_a_damaged_segment_had_is_refused_by_a_running_server_and_told_again_after_a_restart() {
    for (damage, spoils_all) in [(alter as fn(&Path), false), (remove, true)] {
        let disk = Disk::folder();
        let life = Life::start(&disk).unwrap();
        let made = saves(&life, 4);
        let segments: Vec<_> = made.iter().filter_map(|saved| saved.segment().copied()).collect();
        let [_, second] = segments.try_into().unwrap();
        life.until_let_go(second.last);
        let told = |life: &Life| -> Vec<String> {
            (second.first..=second.last).step_by(50).map(|revision| life.answer(revision)).collect()
        };
        let before = told(&life);
        // The part that was read last is kept for whoever asks next.
        life.answer(2);
        damage(&segment_files(&disk)[1]);
        let damaged = told(&life);
        let refused: Vec<_> = before.iter().zip(&damaged).filter(|(before, now)| before != now).collect();
        assert!(!refused.is_empty() && (!spoils_all || refused.len() == before.len()), "{}", refused.len());
        for (_, why) in refused {
            assert!(why.starts_with("Err(PastUnreadable(\"this was done before"), "{why}");
        }
        // What is held, and what the other segment has, is told, and the server goes on.
        assert!(life.answer(life.head()).starts_with("Ok") && life.answer(2).starts_with("Ok"));
        life.touch(1);
        life.stop_unasked();
        let life = Life::start(&disk).unwrap();
        assert!(told(&life) == before, "all is told again");
        life.stop();
    }
}

#[test]
fn no_checkpoint_is_made_without_a_segment_that_memory_has_let_go_and_a_restart_makes_it_anew() {
    let disk = Disk::folder();
    let life = Life::start(&disk).unwrap();
    let made = saves(&life, 4);
    life.until_let_go(made.iter().filter_map(|saved| Some(saved.segment()?.last)).max().unwrap());
    let (before, answer) = (checkpoint_files(&disk), life.answer(30_000));
    remove(&segment_files(&disk)[1]);
    life.touch(2 * CHECKPOINT_EVENTS);
    life.stop_unasked();
    assert_eq!(checkpoint_files(&disk), before);
    let life = Life::start(&disk).unwrap();
    assert!(life.started_from < 36_000, "only the older checkpoint can be used");
    assert_eq!(life.answer(30_000), answer);
    saves(&life, 2);
    let state = life.stop();
    let life = Life::start(&disk).unwrap();
    assert!(life.started_from > 54_000 && life.state() == state);
    life.stop();
}

#[test]
fn segments_whose_checkpoint_never_came_are_swept_away() {
    let disk = Disk::folder();
    let life = Life::start(&disk).unwrap();
    saves(&life, 2);
    let before: Vec<PathBuf> = segment_files(&disk);
    life.dying.store(true, Ordering::SeqCst);
    life.touch(REQUEST_SEGMENT_COUNT + 2_000);
    let state = life.stop();
    assert_eq!(
        segment_files(&disk).len(),
        before.len() + 1,
        "one was written, and no checkpoint builds on it"
    );
    let life = Life::start(&disk).unwrap();
    assert_eq!(segment_files(&disk), before);
    assert!(life.started_from > 0 && life.state() == state);
    life.stop();
}

#[test]
fn without_a_segment_a_truncated_log_is_not_served_until_it_is_back() {
    let disk = Disk::folder();
    let retention =
        Retention { bytes_max: Some(64 * 1024), interval: Duration::from_millis(10), ..Retention::default() };
    let life = Life::with(&disk, 1_000_000, retention).unwrap();
    saves(&life, 4);
    // The first segment's requests are in the log no more.
    life.until_truncated(REQUEST_SEGMENT_COUNT as u64 + 2);
    let state = life.stop();
    assert_eq!(checkpoint_files(&disk).len(), 2);
    let first = segment_files(&disk).remove(0);
    let kept = fs::read(&first).unwrap();
    for damage in DAMAGES {
        damage(&first);
        for _ in 0..2 {
            let refused = Life::start(&disk).map(drop).expect_err("the past is missing").to_string();
            for part in ["none is there that is whole", "restore the folder `checkpoints`"] {
                assert!(refused.contains(part), "{part} is not in: {refused}");
            }
        }
        fs::write(&first, &kept).unwrap();
        let life = Life::start(&disk).unwrap();
        assert!(life.state() == state);
        life.stop();
    }
    assert_eq!(named(&disk).len(), segment_files(&disk).len());
}
