//! One random run: operations in batches on one draft, held against the plain world after every batch.

use baton_core::{Draft, Outcome, RequestMemory, State, encode_body, execute};
use bytes::Bytes;

use super::{
    archive::Archive,
    difference::{compare, compare_replies},
    generator::Generator,
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
    generator: Generator,
    now_us: i64,
    /// What of the state is kept outside of it between two batches.
    archive: Archive,
    pub(crate) state: State,
    pub(crate) world: World,
    pub(crate) records: Vec<Record>,
}

impl Run {
    /// Performs `op_count` operations, drawn from `seed`, against a plain world that makes `mistake`.
    pub(crate) fn of(seed: u64, op_count: usize, mistake: Option<Mistake>) -> Result<Self, String> {
        let mut state = State::new(MEMORY);
        state.set_unpacked_changes_max(UNPACKED_CHANGES[seed as usize % UNPACKED_CHANGES.len()]);
        let mut run = Self {
            generator: Generator::new(seed),
            now_us: 1_700_000_000_000_000,
            archive: Archive::default(),
            state,
            world: World::new(MEMORY.count_max, MEMORY.age_us_max, mistake),
            records: Vec::new(),
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
        run.archive.recall_all(&mut run.state);
        compare(&run.state, &run.world, usize::MAX)
            .map_err(|difference| format!("BATON_SEED={seed}: at the end, {difference}"))?;
        Ok(run)
    }

    fn batch(&mut self, size: usize, depth: usize) -> Result<(), String> {
        self.pass_time();
        self.archive.take_out(&mut self.state, &mut self.generator.rng);
        // A batch that cannot be recorded is dropped: nobody must be able to tell that it ever was.
        if self.generator.rng.u32(0..100) < 5 {
            let mut world = self.world.clone();
            self.perform(size, &mut world)?;
        } else {
            let mut world = std::mem::replace(&mut self.world, World::new(0, 0, None));
            let performed = self.perform(size, &mut world);
            self.world = world;
            let (changes, body) = performed?;
            self.world.commit();
            if let Some(body) = body {
                self.records.push(Record { time_us: self.now_us, body });
            }
            self.state.absorb(changes);
        }
        // Everything is shown, wherever it is kept.
        self.archive.recall_all(&mut self.state);
        compare(&self.state, &self.world, depth)
    }

    fn pass_time(&mut self) {
        let rng = &mut self.generator.rng;
        self.now_us +=
            if rng.u32(0..100) == 0 { rng.i64(20_000_000..80_000_000) } else { rng.i64(0..400_000) };
    }

    /// Performs `size` operations in both, and gives back the draft's changes with the body of their record, if there is one.
    fn perform(
        &mut self,
        size: usize,
        world: &mut World,
    ) -> Result<(baton_core::Changes, Option<Bytes>), String> {
        let mut draft = Draft::new(&self.state);
        let mut entries = Vec::new();
        for _ in 0..size {
            let op: Op = self.generator.op(world, self.now_us);
            let command = to_core::command(&op);
            self.archive.lend(&mut draft, command.action.subject());
            let said = execute(&mut draft, &command, self.now_us);
            let (reply, repeated) = world.perform(&op, self.now_us);
            compare_replies(&said, &reply, repeated)
                .map_err(|difference| format!("{difference}\n  asked: {op:?}"))?;
            if let Ok(Outcome::Recorded(entry, _)) = said {
                entries.push(entry);
            }
        }
        let body = (!entries.is_empty()).then(|| encode_body(&entries));
        Ok((draft.into_changes(), body))
    }
}
