//! Segments beside a random run: what they have, memory lets go of, and it is told from there.

use baton_core::{
    CHECKPOINT_FORMAT, CheckpointReader, Command, InSegments, Outcome, Rejection, RequestSegment, Revision,
    State, StoredRequest,
};
use fastrand::Rng;

use super::run::MEMORY;

type Parts = Vec<Vec<u8>>;

/// What was written, oldest first, and not forgotten yet.
#[derive(Default)]
pub(crate) struct Segments {
    kept: Vec<(RequestSegment, Parts)>,
    /// How often something was told from them.
    pub(crate) told: usize,
}

impl Segments {
    /// At times, leaves some of what `state` holds to new segments, or has it read again from a checkpoint that builds on all of them.
    pub(crate) fn take_out(&mut self, state: &mut State, rng: &mut Rng) {
        let oldest = state.oldest_request().unwrap_or(Revision(u64::MAX));
        self.kept.retain(|(segment, _)| segment.last >= oldest);
        while rng.u32(0..3) == 0 && state.stored_until() < state.head() {
            let first = state.stored_until().next();
            let last = Revision(rng.u64(first.0..=state.head().0));
            let mut parts = Parts::new();
            let stored = state.write_segment(RequestSegment { first, last, count: 0 }, &mut into(&mut parts));
            let stored = stored.unwrap().into();
            state.let_go(&stored);
            self.kept.extend(stored.segment().map(|segment| (segment, parts)));
        }
        if rng.u32(0..8) == 0 {
            *state = self.read_again(state);
        }
    }

    fn read_again(&self, state: &State) -> State {
        let count = self.kept.iter().map(|(segment, _)| segment.count).sum();
        let mut own = Parts::new();
        let in_segments = InSegments { until: state.stored_until(), count };
        state.write_checkpoint_beside(in_segments, &mut into(&mut own)).unwrap();
        let mut reader = CheckpointReader::new(CHECKPOINT_FORMAT, MEMORY).unwrap().leaving_requests();
        let in_segments = self.kept.iter().flat_map(|(_, parts)| parts);
        in_segments.chain(&own).for_each(|part| reader.part(part).unwrap());
        reader.finish().unwrap()
    }

    /// What a command came to, with what was answered before if that stands here.
    pub(crate) fn told(
        &mut self,
        command: &Command,
        said: Result<Outcome, Rejection>,
    ) -> Result<Outcome, Rejection> {
        let Ok(Outcome::Stored(stored)) = said else { return said };
        self.told += 1;
        stored.repeated(command, self.part(&stored)).unwrap().map(Outcome::Repeated)
    }

    fn part(&self, stored: &StoredRequest) -> &[u8] {
        let (_, parts) = self.kept.iter().find(|(segment, _)| *segment == stored.segment).unwrap();
        let (before, after) = parts.split_at(stored.part.parts_before);
        assert_eq!(before.iter().map(|part| part.len() as u64).sum::<u64>(), stored.part.bytes_before);
        &after[0]
    }
}

fn into(parts: &mut Parts) -> impl FnMut(&[u8]) -> Result<(), ()> {
    |part| {
        parts.push(part.to_vec());
        Ok(())
    }
}
