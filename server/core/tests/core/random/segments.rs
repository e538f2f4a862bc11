//! Requests that were left to segments, cut anywhere, are what they would be in one piece, through any number of restarts.

use baton_core::{
    BODY_FORMAT, CHECKPOINT_FORMAT, CheckpointReader, Draft, InSegments, RequestSegment, Revision, State,
    decode_written, replay,
};
use fastrand::Rng;

use super::run::{MEMORY, Record, Run};

const SEEDS: std::ops::RangeInclusive<u64> = 1..=24;
const OPS_PER_SEED: usize = 1_500;
/// One record in so many is followed by a checkpoint.
const RECORDS_PER_CHECKPOINT: u32 = 6;

/// What was written once, and how to name it.
struct Kept {
    segment: RequestSegment,
    parts: Vec<Vec<u8>>,
}

/// A state that is replayed, and the segments that its last checkpoint built on.
struct Life {
    rng: Rng,
    state: State,
    /// Where requests were recorded, remembered or not.
    requests: Vec<Revision>,
    segments: Vec<Kept>,
}

impl Life {
    fn replay(&mut self, record: &Record) {
        let mut draft = Draft::new(&self.state);
        for written in decode_written(BODY_FORMAT, &record.body).unwrap() {
            replay(&mut draft, &written, record.time_us).unwrap();
            if written.entry.request.is_some() {
                self.requests.push(draft.head());
            }
        }
        let changes = draft.into_changes();
        self.state.absorb(changes);
    }

    /// Forgets segments of which nothing is remembered, and cuts some new ones, up to anywhere.
    fn complete(&mut self) {
        let oldest = self.state.oldest_request();
        self.segments.retain(|kept| Some(kept.segment.last) >= oldest && oldest.is_some());
        let mut from =
            self.segments.last().map_or(oldest.unwrap_or_default(), |last| last.segment.last.next());
        while self.rng.bool() {
            let after = self.requests.iter().filter(|revision| oldest.is_some() && **revision >= from);
            let taken: Vec<_> = after.take(self.rng.usize(1..8)).copied().collect();
            let (Some(&first), Some(&last)) = (taken.first(), taken.last()) else { return };
            let segment = RequestSegment { first, last, count: taken.len() as u64 };
            let parts = parts(|part| self.state.write_segment(segment, part).map(drop));
            self.segments.push(Kept { segment, parts });
            from = last.next();
        }
    }

    /// A state made of a checkpoint and its segments.
    fn restored(&self) -> State {
        let until = self.segments.last().map_or(Revision(0), |last| last.segment.last);
        let count = self.segments.iter().map(|kept| kept.segment.count).sum();
        let own = parts(|part| self.state.write_checkpoint_beside(InSegments { until, count }, part));
        let mut reader = CheckpointReader::new(CHECKPOINT_FORMAT, MEMORY).unwrap();
        let in_segments = self.segments.iter().flat_map(|kept| &kept.parts);
        in_segments.chain(&own).for_each(|part| reader.part(part).unwrap());
        reader.finish().unwrap()
    }
}

fn parts(write: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), ()>) -> Result<(), ()>) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let written = write(&mut |part| {
        parts.push(part.to_vec());
        Ok(())
    });
    written.unwrap();
    parts
}

#[test]
fn a_state_is_the_same_from_any_segments_through_any_restarts() {
    let mut built_on = 0;
    for seed in SEEDS {
        let run = Run::of(seed, OPS_PER_SEED, None).unwrap();
        let (rng, state) = (Rng::with_seed(seed), State::new(MEMORY));
        let mut life = Life { rng, state, requests: Vec::new(), segments: Vec::new() };
        for record in &run.records {
            life.replay(record);
            if life.rng.u32(0..RECORDS_PER_CHECKPOINT) > 0 {
                continue;
            }
            life.complete();
            built_on += life.segments.len();
            let restored = life.restored();
            assert!(
                restored.to_checkpoint() == life.state.to_checkpoint(),
                "seed {seed}: at revision {} a restart changes something",
                life.state.head()
            );
            if life.rng.bool() {
                life.state = restored;
            }
        }
        assert!(
            life.state.to_checkpoint() == run.state.to_checkpoint(),
            "seed {seed}: other bytes at the end"
        );
    }
    assert!(built_on > 1_000, "only {built_on} segments were built on");
}

#[test]
fn what_segments_have_is_told_as_memory_would_tell_it() {
    let mut told = 0;
    for seed in SEEDS {
        let run = Run::beside_segments(seed, OPS_PER_SEED, None).unwrap();
        told += run.segments.map_or(0, |segments| segments.told);
    }
    assert!(told > 500, "only {told} requests were told from segments");
}
