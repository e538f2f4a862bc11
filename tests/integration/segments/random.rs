//! Random lives: whatever was saved, lost and damaged, a start brings the state back byte for byte.

use std::fs;

use fastrand::Rng;

use super::life::{Life, checkpoint_files, named, segment_files};
use crate::harness::Disk;

const SEEDS: std::ops::RangeInclusive<u64> = 1..=4;
const LIVES_PER_SEED: usize = 8;
/// Two segments and some more.
const COUNT_MAX: usize = 40_000;

/// Damages or removes a file or two, or none.
fn spoil(disk: &Disk, rng: &mut Rng) {
    for _ in 0..rng.usize(0..3) {
        let files = if rng.bool() { segment_files(disk) } else { checkpoint_files(disk) };
        let Some(file) = rng.choice(files) else { continue };
        let mut bytes = fs::read(&file).unwrap();
        let at = rng.usize(0..bytes.len());
        match rng.u8(0..3) {
            0 => fs::remove_file(&file).unwrap(),
            1 => fs::write(&file, &bytes[..at]).unwrap(),
            _ => {
                bytes[at] ^= 1 << rng.u8(0..8);
                fs::write(&file, bytes).unwrap();
            }
        }
    }
}

#[test]
fn a_start_brings_back_every_state_byte_for_byte_whatever_was_lost() {
    let (mut from_checkpoints, mut from_nothing) = (0, 0);
    for seed in SEEDS {
        let (mut rng, disk, mut before) = (Rng::with_seed(seed), Disk::folder(), None);
        for number in 0..LIVES_PER_SEED {
            let life = Life::remembering(&disk, COUNT_MAX).unwrap();
            if let Some(before) = before {
                assert!(life.state() == before, "seed {seed}: life {number} begins as something else");
            }
            (from_checkpoints, from_nothing) = match life.started_from {
                0 => (from_checkpoints, from_nothing + 1),
                _ => (from_checkpoints + 1, from_nothing),
            };
            for _ in 0..rng.usize(0..6) {
                life.touch(rng.usize(1..8_000));
            }
            before = Some(life.stop());
            if rng.bool() {
                spoil(&disk, &mut rng);
            }
        }
        let life = Life::remembering(&disk, COUNT_MAX).unwrap();
        life.touch(20_000);
        life.stop();
        let left = segment_files(&disk).len();
        assert_eq!(left, named(&disk).len(), "seed {seed}: each segment is needed");
        assert!(left <= 8, "seed {seed}: {left} segments are left");
    }
    assert!(from_checkpoints > 10 && from_nothing > 4, "{from_checkpoints} and {from_nothing}");
}
