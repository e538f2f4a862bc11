//! Replays a log into a state; tasks that are not in it are fetched from the archive.
//!
//! A thread of its own reads ahead, checks and decodes, which is a third of the work. Knows nothing of checkpoints.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use baton_core::{Draft, Revision, State, Subject, WrittenEntry, decode_written, replay};
use baton_log::{ArchiveReader, Hash, LogReader, ReadLimit, Record};

use super::{OpenEngineError, recall::lend};

/// What is read from the log at once.
const CHUNK: ReadLimit = ReadLimit { records: 256, bytes: 4 * 1024 * 1024 };
/// So many chunks wait for their turn at most.
const CHUNKS_AHEAD: usize = 2;
/// Records are replayed together until they have so many events: with few in each, to begin and to end a draft would take longest. A replay of
/// no more is not worth a thread.
const EVENTS_TOGETHER: usize = 256;

/// A record that can be replayed.
struct Decoded {
    first_revision: u64,
    time_us: i64,
    hash: Hash,
    entries: Vec<WrittenEntry>,
}

type Chunk = Result<Vec<Decoded>, OpenEngineError>;

/// Replays what the log has after `state`, up to and with the record that holds `until`, and gives the hash of the last record that it replayed.
pub(super) fn catch_up(
    log: &mut dyn LogReader,
    archive: &dyn ArchiveReader,
    namespace: &Arc<str>,
    state: &mut State,
    until: Revision,
) -> Result<Option<Hash>, OpenEngineError> {
    let head = state.head();
    let source = Source { log, namespace, last: head, until };
    let mut replayer = Replayer { archive, namespace, state, hash: None };
    if until.0.saturating_sub(head.0) <= EVENTS_TOGETHER as u64 {
        replayer.all(source)?;
    } else {
        thread::scope(|scope| {
            let (decoded, chunks) = mpsc::sync_channel(CHUNKS_AHEAD);
            // Nobody takes the next if one before it could not be replayed.
            scope.spawn(move || source.map(|chunk| decoded.send(chunk)).all(|sent| sent.is_ok()));
            replayer.all(chunks.into_iter())
        })?;
    }
    Ok(replayer.hash)
}

/// The records of a namespace from after `last` to the one that holds `until`, chunk by chunk.
struct Source<'a> {
    log: &'a mut dyn LogReader,
    namespace: &'a Arc<str>,
    last: Revision,
    until: Revision,
}

impl Iterator for Source<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        if self.last >= self.until {
            return None;
        }
        let mut records = match self.log.read(self.namespace, self.last.next().0, CHUNK) {
            Ok(records) => records,
            Err(error) => return Some(Err(error.into())),
        };
        self.last = Revision(records.last()?.last_revision());
        records.truncate(records.partition_point(|record| record.first_revision <= self.until.0));
        Some(records.iter().map(|record| self.decoded(record)).collect())
    }
}

impl Source<'_> {
    fn decoded(&self, record: &Record) -> Result<Decoded, OpenEngineError> {
        let Record { first_revision, time_us, checksum: hash, .. } = *record;
        let entries = decode_written(record.format, &record.body).map_err(|source| {
            OpenEngineError::Body { namespace: Arc::clone(self.namespace), revision: first_revision, source }
        })?;
        Ok(Decoded { first_revision, time_us, hash, entries })
    }
}

/// A state that is brought forward.
struct Replayer<'a> {
    archive: &'a dyn ArchiveReader,
    namespace: &'a Arc<str>,
    state: &'a mut State,
    /// Of the last record.
    hash: Option<Hash>,
}

impl Replayer<'_> {
    fn all(&mut self, chunks: impl Iterator<Item = Chunk>) -> Result<(), OpenEngineError> {
        for chunk in chunks {
            let chunk = chunk?;
            let mut records = chunk.as_slice();
            while !records.is_empty() {
                let (together, later) = records.split_at(count_together(records));
                self.replay(together)?;
                records = later;
            }
        }
        Ok(())
    }

    fn replay(&mut self, records: &[Decoded]) -> Result<(), OpenEngineError> {
        let Self { archive, namespace, .. } = *self;
        // Rows may be there that were archived for a later checkpoint.
        let as_of_max = self.state.head().0;
        let mut draft = Draft::of_batch(self.state, records.iter().map(|record| record.entries.len()).sum());
        for record in records {
            // The first may begin before what is still to be replayed.
            let known = draft.head().0.saturating_sub(record.first_revision - 1);
            for written in record.entries.iter().skip(usize::try_from(known).unwrap_or(usize::MAX)) {
                if let Some(task) = written.entry.event.changed_task() {
                    lend(&mut draft, Subject::Task(task), namespace, archive, as_of_max)?;
                }
                replay(&mut draft, written, record.time_us)
                    .map_err(|source| OpenEngineError::Misfit { namespace: Arc::clone(namespace), source })?;
            }
            self.hash = Some(record.hash);
        }
        let changes = draft.into_changes();
        self.state.absorb(changes);
        Ok(())
    }
}

/// How many of the records, at least one, are replayed together.
fn count_together(records: &[Decoded]) -> usize {
    let mut events = 0;
    let is_enough = |record: &Decoded| {
        events += record.entries.len();
        events >= EVENTS_TOGETHER
    };
    records.iter().position(is_enough).map_or(records.len(), |last| last + 1)
}
