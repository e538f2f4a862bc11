//! One random run: operations in batches on one draft, held against the plain world after every batch.

use baton_core::{Changes, Draft, Outcome, RequestMemory, State, encode_body, execute};
use bytes::Bytes;

use super::{
    archive::Archive,
    difference::{compare, compare_replies},
    generator::Generator,
    stored::Segments,
    to_core,
};
use crate::plain::{mistake::Mistake, op::Op, world::World};

/// Few and short, so that requests are forgotten within a run.
pub(crate) const MEMORY: RequestMemory = RequestMemory { age_us_max: 60_000_000, count_max: 40 };
/// How much is kept unpacked, in turn: nothing, little, everything.
const UNPACKED_CHANGES: [usize; 4] = [0, 1, 12, usize::MAX];
/// Everything is compared after so many batches; only what is new after each.
const BATCHES_PER_FULL_COMPARISON: usize = 128;

/// A record as the log would have it.
pub(crate) struct Record {
    pub(crate) time_us: i64,
    pub(crate) body: Bytes,
}

pub(crate) struct Run {
    unpacked_changes_max: usize,
    generator: Generator,
    now_us: i64,
    /// What of the state is kept outside of it between two batches.
    archive: Archive,
    pub(crate) state: State,
    pub(crate) world: World,
    pub(crate) records: Vec<Record>,
    /// What has the requests that the state lets go of, if it does.
    pub(crate) segments: Option<Segments>,
    /// The batch before, if it is still on its way to the log.
    pending: Option<Batch>,
}

/// A batch that was performed.
struct Batch {
    changes: Changes,
    record: Option<Record>,
    /// How many requests it made the world remember.
    requests: usize,
    /// The world without it.
    before: World,
}

impl Run {
    /// Performs `op_count` operations, drawn from `seed`, against a plain world that makes `mistake`.
    pub(crate) fn of(seed: u64, op_count: usize, mistake: Option<Mistake>) -> Result<Self, String> {
        Self::with(seed, op_count, mistake, None)
    }

    /// As [`Run::of`], with a state that leaves requests to segments.
    pub(crate) fn beside_segments(
        seed: u64,
        op_count: usize,
        mistake: Option<Mistake>,
    ) -> Result<Self, String> {
        Self::with(seed, op_count, mistake, Some(Segments::default()))
    }

    fn with(
        seed: u64,
        op_count: usize,
        mistake: Option<Mistake>,
        segments: Option<Segments>,
    ) -> Result<Self, String> {
        let mut state = State::new(MEMORY);
        let unpacked_changes_max = UNPACKED_CHANGES[seed as usize % UNPACKED_CHANGES.len()];
        state.set_unpacked_changes_max(unpacked_changes_max);
        let mut run = Self {
            unpacked_changes_max,
            segments,
            generator: Generator::new(seed),
            now_us: 1_700_000_000_000_000,
            archive: Archive::default(),
            state,
            world: World::new(MEMORY.count_max, MEMORY.age_us_max, mistake),
            records: Vec::new(),
            pending: None,
        };
        let (mut performed, mut batches) = (0, 0);
        while performed < op_count {
            let size = run.generator.rng.usize(1..=12);
            let depth = if batches % BATCHES_PER_FULL_COMPARISON == 0 { usize::MAX } else { size };
            run.batch(size, depth).map_err(|difference| {
                format!("BATON_SEED={seed}: in the batch after operation {performed}, {difference}")
            })?;
            performed += size;
            batches += 1;
        }
        run.land(0);
        run.archive.recall_all(&mut run.state);
        compare(&run.state, &run.world, usize::MAX)
            .map_err(|difference| format!("BATON_SEED={seed}: at the end, {difference}"))?;
        Ok(run)
    }

    fn batch(&mut self, size: usize, depth: usize) -> Result<(), String> {
        self.pass_time();
        if self.pending.is_none() {
            self.archive.take_out(&mut self.state, &mut self.generator.rng);
            if let Some(segments) = &mut self.segments {
                segments.take_out(&mut self.state, &mut self.generator.rng);
                self.state.set_unpacked_changes_max(self.unpacked_changes_max);
            }
        }
        let next = self.perform(size)?;
        // A batch that cannot be recorded is dropped: nobody must be able to tell that it ever was. One that builds on it is dropped with it.
        match self.generator.rng.u32(0..100) {
            0..5 => self.world = next.before,
            5..8 => self.world = self.pending.take().unwrap_or(next).before,
            _ => {
                self.land(next.requests);
                self.pending = Some(next);
            }
        }
        // In a third of all cases the next batch is performed before this one is recorded.
        if self.generator.rng.u32(0..3) == 0 {
            return Ok(());
        }
        self.land(0);
        // Everything is shown, wherever it is kept.
        self.archive.recall_all(&mut self.state);
        compare(&self.state, &self.world, depth)
    }

    /// The log has the batch that was on its way, but not yet the one after it, which made the world remember `later` requests.
    fn land(&mut self, later: usize) {
        let Some(Batch { changes, record, .. }) = self.pending.take() else { return };
        self.world.commit(later);
        self.records.extend(record);
        self.state.absorb(changes);
    }

    fn pass_time(&mut self) {
        let rng = &mut self.generator.rng;
        self.now_us +=
            if rng.u32(0..100) == 0 { rng.i64(20_000_000..80_000_000) } else { rng.i64(0..400_000) };
    }

    /// Performs `size` operations in both, after the batch that is on its way.
    fn perform(&mut self, size: usize) -> Result<Batch, String> {
        let before = self.world.clone();
        let mut draft = match &self.pending {
            Some(pending) => Draft::after(&self.state, &pending.changes, size),
            None => Draft::new(&self.state),
        };
        let mut entries = Vec::new();
        for _ in 0..size {
            let op: Op = self.generator.op(&self.world, self.now_us);
            let command = to_core::command(&op);
            self.archive.lend(&mut draft, command.action.subject());
            let mut said = execute(&mut draft, &command, self.now_us);
            if let Some(segments) = &mut self.segments {
                said = segments.told(&command, said);
            }
            let (reply, repeated) = self.world.perform(&op, self.now_us);
            compare_replies(&said, &reply, repeated)
                .map_err(|difference| format!("{difference}\n  asked: {op:?}"))?;
            if let Ok(Outcome::Recorded(entry, _)) = said {
                entries.push(entry);
            }
        }
        let requests = entries.iter().filter(|entry| entry.request.is_some()).count();
        let record =
            (!entries.is_empty()).then(|| Record { time_us: self.now_us, body: encode_body(&entries) });
        Ok(Batch { changes: draft.into_changes(), record, requests, before })
    }
}
