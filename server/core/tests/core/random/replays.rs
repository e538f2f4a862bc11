//! The same log gives the same state, byte for byte.

use baton_core::{BODY_FORMAT, CHECKPOINT_FORMAT, Draft, State, WrittenEntry, decode_written, replay};

use super::run::{MEMORY, Record, Run};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=12;
const OPS_PER_SEED: usize = 3_000;

fn entries(records: &[Record]) -> Vec<(i64, Vec<WrittenEntry>)> {
    records
        .iter()
        .map(|record| (record.time_us, decode_written(BODY_FORMAT, &record.body).unwrap()))
        .collect()
}

/// Replays `records` into `state`, as many at once as each item of `drafts` says, in turn.
fn replayed(mut state: State, records: &[(i64, Vec<WrittenEntry>)], drafts: &[usize]) -> State {
    let (mut rest, mut drafts) = (records, drafts.iter().cycle());
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(*drafts.next().unwrap()));
        let mut draft = Draft::new(&state);
        for (time_us, entry) in
            now.iter().flat_map(|(time_us, entries)| entries.iter().map(move |entry| (time_us, entry)))
        {
            replay(&mut draft, entry, *time_us).unwrap();
        }
        let changes = draft.into_changes();
        state.absorb(changes);
        rest = later;
    }
    state
}

/// The same entries at the same times, each in a record of its own.
fn one_by_one(records: &[(i64, Vec<WrittenEntry>)]) -> Vec<(i64, Vec<WrittenEntry>)> {
    let single = |time_us: i64, entry: &WrittenEntry| (time_us, vec![entry.clone()]);
    records
        .iter()
        .flat_map(|(time_us, entries)| entries.iter().map(move |entry| single(*time_us, entry)))
        .collect()
}

#[test]
fn a_log_replayed_twice_gives_the_same_bytes_as_the_live_state() {
    for seed in SEEDS {
        let run = Run::of(seed, OPS_PER_SEED, None).unwrap();
        let (records, live) = (entries(&run.records), run.state.to_checkpoint());
        for _ in 0..2 {
            let again = replayed(State::new(MEMORY), &records, &[1]);
            assert!(again.to_checkpoint() == live, "seed {seed}: a replay gives other bytes");
        }
    }
}

#[test]
fn where_records_end_makes_no_difference_to_the_state() {
    for seed in SEEDS {
        let run = Run::of(seed, OPS_PER_SEED, None).unwrap();
        let (records, live) = (entries(&run.records), run.state.to_checkpoint());
        let single = one_by_one(&records);
        for (records, drafts) in
            [(&single, &[1][..]), (&single, &[3, 1, 17]), (&records, &[2, 5, 1]), (&records, &[usize::MAX])]
        {
            let again = replayed(State::new(MEMORY), records, drafts);
            assert!(
                again.to_checkpoint() == live,
                "seed {seed}: drafts of {drafts:?} records give other bytes"
            );
        }
    }
}

#[test]
fn a_snapshot_is_what_the_log_says_up_to_it_whatever_follows() {
    for seed in SEEDS {
        let run = Run::of(seed, OPS_PER_SEED, None).unwrap();
        let records = entries(&run.records);
        let (mut live, mut snapshots) = (State::new(MEMORY), Vec::new());
        for (number, part) in records.chunks(records.len() / 6).enumerate() {
            live.set_unpacked_changes_max([0, 30, 4_096][number % 3]);
            live = replayed(live, part, &[1]);
            snapshots.push(live.snapshot());
        }
        let mut apart = State::new(MEMORY);
        for (part, snapshot) in records.chunks(records.len() / 6).zip(snapshots) {
            apart = replayed(apart, part, &[1]);
            assert!(snapshot.to_checkpoint() == apart.to_checkpoint(), "seed {seed}: a snapshot changed");
        }
    }
}

#[test]
fn a_checkpoint_that_is_read_back_writes_the_same_bytes() {
    for seed in SEEDS {
        let live = Run::of(seed, OPS_PER_SEED, None).unwrap().state.to_checkpoint();
        let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &live, MEMORY).unwrap();
        assert!(restored.to_checkpoint() == live, "seed {seed}: a restored state gives other bytes");
    }
}

#[test]
fn a_checkpoint_and_the_rest_of_the_log_give_the_same_bytes_as_the_whole_log() {
    for seed in SEEDS {
        let run = Run::of(seed, OPS_PER_SEED, None).unwrap();
        let (records, live) = (entries(&run.records), run.state.to_checkpoint());
        for part in [1, 3, 7] {
            let (before, after) = records.split_at(records.len() * part / 8);
            let middle = replayed(State::new(MEMORY), before, &[1]).to_checkpoint();
            let restored = State::from_checkpoint(CHECKPOINT_FORMAT, &middle, MEMORY).unwrap();
            let again = replayed(restored, after, &[1]);
            assert!(again.to_checkpoint() == live, "seed {seed}: from {part}/8 on, other bytes come out");
        }
    }
}
