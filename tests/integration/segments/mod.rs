//! Remembered requests are written once: to segments, which checkpoints build on, and which go when what they have is forgotten.
//!
//! At the engine's own door, where thousands of requests cost little and whole states can be compared.

mod damage;
mod life;
mod random;

use std::time::Duration;

use baton_core::limits::REQUEST_SEGMENT_COUNT;
use baton_server::engine::Retention;

use crate::harness::Disk;
use life::{CHECKPOINT_EVENTS, Life, Saved, named, segment_files};

/// What `life` saves for so many checkpoints more.
fn saves(life: &Life, checkpoints: usize) -> Vec<Saved> {
    let mut saves = Vec::new();
    for _ in 0..checkpoints {
        life.touch(CHECKPOINT_EVENTS);
        saves.extend(life.until_checkpoint());
    }
    saves
}

fn of_segments(saves: &[Saved]) -> Vec<(u64, u64)> {
    saves.iter().filter_map(|saved| saved.segment().map(|segment| (segment.first, segment.last))).collect()
}

#[test]
fn each_request_is_written_to_one_segment_and_checkpoints_hold_what_is_left() {
    let disk = Disk::folder();
    let life = Life::start(&disk).unwrap();
    let first = saves(&life, 6);
    let (made, done) = (of_segments(&first), 6 * CHECKPOINT_EVENTS);
    assert_eq!(made.len(), done / REQUEST_SEGMENT_COUNT);
    assert!(made.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "each follows the one before: {made:?}");
    let written: u64 = first.iter().filter_map(|saved| Some(saved.segment()?.bytes)).sum();
    let checkpoints: Vec<_> = first.iter().filter_map(Saved::checkpoint).collect();
    assert_eq!(checkpoints.last().unwrap().segments.len(), made.len());
    // A task's history, and fewer requests than make a segment.
    let left_max = written / made.len() as u64 * 3 / 2;
    let left: Vec<u64> = checkpoints.iter().map(|checkpoint| checkpoint.own_bytes).collect();
    assert!(left.iter().all(|bytes| *bytes < left_max), "{left:?} bytes, and {written} in segments");

    // Memory lets go of what is in them, and tells it all the same.
    life.until_let_go(made.last().unwrap().1);
    life.remembers(done);

    // A start builds on what is there.
    let before = life.stop();
    let life = Life::start(&disk).unwrap();
    assert_eq!(life.started_from, done as u64 + 1);
    assert_eq!(life.stored_until(), made.last().unwrap().1);
    assert!(life.state() == before, "the start shows something else");
    life.remembers(done);
    let later = of_segments(&saves(&life, 2));
    assert_eq!(later.first().map(|(first, _)| *first), made.last().map(|(_, last)| last + 1));
    life.stop();
}

#[test]
fn a_checkpoint_that_comes_due_while_one_is_made_follows_though_nothing_happens_any_more() {
    let disk = Disk::folder();
    let life = Life::start(&disk).unwrap();
    {
        let _held = life.saving.lock().unwrap();
        life.touch(3 * CHECKPOINT_EVENTS);
    }
    let mut made = 0;
    while made < 2 {
        made += life.until_checkpoint().iter().filter_map(Saved::checkpoint).count();
    }
    life.stop();
}

#[test]
fn segments_whose_requests_are_forgotten_are_removed() {
    let (disk, count_max) = (Disk::folder(), 2 * REQUEST_SEGMENT_COUNT);
    let life = Life::remembering(&disk, count_max).unwrap();
    let made = of_segments(&saves(&life, 12));
    let before = life.stop();
    assert_eq!(made.len(), 12 * CHECKPOINT_EVENTS / REQUEST_SEGMENT_COUNT);
    let left = segment_files(&disk).len();
    assert!(left <= 4, "{left} of {} segments are left", made.len());
    assert_eq!(left, named(&disk).len());
    // With more memory nothing comes back, with less more is forgotten.
    for count_max in [count_max, 1_000_000] {
        let life = Life::remembering(&disk, count_max).unwrap();
        assert!(life.started_from > 100_000 && life.state() == before);
        life.stop();
    }
    let life = Life::remembering(&disk, 1_000).unwrap();
    assert!(life.started_from > 100_000 && life.state() != before);
    life.remembers(1_000);
    life.stop();
}

#[test]
fn what_a_replay_for_the_sake_of_retention_saved_is_let_go_with_the_next_checkpoint() {
    let disk = Disk::folder();
    let retention =
        Retention { bytes_max: Some(64 * 1024), interval: Duration::from_millis(10), ..Retention::default() };
    let life = Life::with_checkpoints_each(&disk, 30_000, retention).unwrap();
    life.touch(20_000);
    let mut by_replay = Vec::new();
    while by_replay.is_empty() {
        life.touch(100);
        by_replay = of_segments(&life.until_checkpoint());
    }
    let [(_, last)] = by_replay.try_into().unwrap();
    assert!(life.head() < 30_000 && life.stored_until() == 0, "the engine's state still holds all of them");
    while life.stored_until() <= last {
        life.touch(1_000);
        assert!(life.head() < 300_000, "nothing after that segment is let go");
    }
    life.remembers(life.head() as usize - 1);
    let state = life.stop();
    let life = Life::start(&disk).unwrap();
    assert!(life.state() == state);
    life.stop();
}
