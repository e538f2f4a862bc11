//! Records that are durable in the journal, while the database may not have them: shared by the writer, the mover and the readers.
//!
//! In two parts, as the journal has two files. A record leaves only after the database has it. So whoever looks here first, and into the
//! database then, misses nothing. Knows nothing of files or tables.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::keep::Place;
use crate::recovery::Placed;
use crate::{Hash, ReadLimit, Record};

/// Most records that are moved at once, if they are of more than one append.
const CHUNK_RECORDS_MAX: usize = 1024;

/// Most bytes of bodies that are moved at once, if they are of more than one append.
const CHUNK_BYTES_MAX: usize = 1024 * 1024;

/// What waits to be moved.
#[derive(Debug, Default)]
pub(super) struct Pending {
    parts: RwLock<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    /// What the file holds that is full; older than what is in the current one.
    filled: Part,
    current: Part,
}

/// In the order of their sequences, which have no gaps.
#[derive(Debug, Default)]
struct Part {
    placed: Vec<Placed>,
    /// Where in `placed` the records of a namespace are, in order.
    by_namespace: HashMap<Arc<str>, Vec<usize>>,
}

/// The records of one namespace from a revision on.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Revision and checksum of the newest one, even if it is beyond the limit.
    pub(super) newest: Option<(u64, Hash)>,
    pub(super) records: Vec<Record>,
}

impl Pending {
    /// What a journal held that was found.
    pub(super) fn found(placed: Vec<Placed>) -> Pending {
        let pending = Pending::default();
        pending.push(placed);
        pending
    }

    /// Adds what was appended.
    pub(super) fn push(&self, placed: impl IntoIterator<Item = Placed>) {
        let mut parts = self.write();
        for placed in placed {
            parts.current.push(placed);
        }
    }

    /// What was added so far is in the file that is full now. Nothing is left of what was in the one before.
    pub(super) fn seal(&self) {
        let mut parts = self.write();
        debug_assert!(parts.filled.placed.is_empty(), "the other file is not moved yet");
        parts.filled = std::mem::take(&mut parts.current);
    }

    /// The database has everything up to this sequence.
    pub(super) fn forget_until(&self, sequence: u64) {
        let mut parts = self.write();
        let Parts { filled, current } = &mut *parts;
        // A part that the database has only some of stays whole: it is written over soon.
        let moved = [filled, current].map(|part| part.take_unless_beyond(sequence));
        // Dropped without the lock: it may be thousands of records.
        drop(parts);
        drop(moved);
    }

    /// Whole appends that follow the record of that sequence: about a thousand records or a mebibyte. Empty if there are none.
    pub(super) fn chunk_after(&self, sequence: u64) -> Vec<Placed> {
        let parts = self.read();
        let part = if parts.filled.is_beyond(sequence) { &parts.filled } else { &parts.current };
        part.chunk_after(sequence)
    }

    /// Sequence of the newest record in the file that is full; 0 if there is none.
    pub(super) fn filled_until(&self) -> u64 {
        self.read().filled.placed.last().map_or(0, |placed| placed.sequence)
    }

    /// The newest record of all.
    pub(super) fn newest(&self) -> Option<Placed> {
        let parts = self.read();
        parts.current.placed.last().or(parts.filled.placed.last()).cloned()
    }

    /// Whether a record of the namespace ends at or after the revision `from`, and before `until`.
    pub(super) fn ends_within(&self, namespace: &str, from: u64, until: u64) -> bool {
        self.read().from(namespace, from).next().is_some_and(|placed| placed.record.last_revision() < until)
    }

    /// The records of a namespace that contain a revision of `from` or greater.
    pub(super) fn waiting(&self, namespace: &str, from: u64, limit: ReadLimit) -> Waiting {
        let parts = self.read();
        let newest = parts.newest_of(namespace).map(|record| (record.last_revision(), record.checksum));
        let mut bytes: usize = 0;
        let within = parts.from(namespace, from).enumerate().take_while(|(count, placed)| {
            bytes = bytes.saturating_add(placed.record.body.len());
            *count == 0 || (*count < limit.records && bytes <= limit.bytes)
        });
        Waiting { newest, records: within.map(|(_, placed)| placed.record.clone()).collect() }
    }

    /// Where the records of a namespace are in the order of the log.
    pub(super) fn places(&self, namespace: &str) -> Vec<Place> {
        let place = |placed: &Placed| Place {
            first_revision: placed.record.first_revision,
            last_revision: placed.record.last_revision(),
            time_us: placed.record.time_us,
            position: placed.position,
        };
        self.read().from(namespace, 0).map(place).collect()
    }

    /// Revision and checksum of the newest record of a namespace.
    pub(super) fn newest_of(&self, namespace: &str) -> Option<(u64, Hash)> {
        let parts = self.read();
        parts.newest_of(namespace).map(|record| (record.last_revision(), record.checksum))
    }

    /// The newest record of each namespace that has any: its name, revision and checksum.
    pub(super) fn heads(&self) -> HashMap<Arc<str>, (u64, Hash)> {
        let parts = self.read();
        let names = parts.filled.by_namespace.keys().chain(parts.current.by_namespace.keys());
        let head = |name: &Arc<str>| {
            let newest = parts.newest_of(name)?;
            Some((name.clone(), (newest.last_revision(), newest.checksum)))
        };
        names.filter_map(head).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Parts> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Parts> {
        self.parts.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parts {
    fn from(&self, namespace: &str, revision: u64) -> impl Iterator<Item = &Placed> {
        self.filled.from(namespace, revision).chain(self.current.from(namespace, revision))
    }

    fn newest_of(&self, namespace: &str) -> Option<&Record> {
        let newest = self.current.newest_of(namespace).or_else(|| self.filled.newest_of(namespace));
        newest.map(|placed| &placed.record)
    }
}

impl Part {
    fn push(&mut self, placed: Placed) {
        let at = self.placed.len();
        match self.by_namespace.get_mut(&placed.record.namespace) {
            Some(places) => places.push(at),
            None => {
                self.by_namespace.insert(placed.record.namespace.clone(), vec![at]);
            }
        }
        self.placed.push(placed);
    }

    fn from(&self, namespace: &str, revision: u64) -> impl Iterator<Item = &Placed> {
        let places = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let start = places.partition_point(|at| self.placed[*at].record.last_revision() < revision);
        places[start..].iter().map(|at| &self.placed[*at])
    }

    fn newest_of(&self, namespace: &str) -> Option<&Placed> {
        let places = self.by_namespace.get(namespace)?;
        places.last().map(|at| &self.placed[*at])
    }

    fn take_unless_beyond(&mut self, sequence: u64) -> Part {
        if self.is_beyond(sequence) { Part::default() } else { std::mem::take(self) }
    }

    fn is_beyond(&self, sequence: u64) -> bool {
        self.placed.last().is_some_and(|last| last.sequence > sequence)
    }

    fn chunk_after(&self, sequence: u64) -> Vec<Placed> {
        let Some(first) = self.placed.first() else { return Vec::new() };
        // Sequences have no gaps.
        let start = usize::try_from((sequence + 1).saturating_sub(first.sequence)).unwrap_or(usize::MAX);
        let Some(rest) = self.placed.get(start..) else { return Vec::new() };
        let (mut end, mut bytes) = (0, 0);
        for append in rest.chunk_by(|one, next| one.append_first == next.append_first) {
            bytes += append.iter().map(|placed| placed.record.body.len()).sum::<usize>();
            let is_full = end + append.len() > CHUNK_RECORDS_MAX || bytes > CHUNK_BYTES_MAX;
            if is_full && end > 0 {
                break;
            }
            end += append.len();
        }
        rest[..end].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Head;
    use crate::testing::next_record;

    /// Appends of so many records each, with bodies of so many bytes.
    type Appends = &'static [(u64, usize)];

    fn pending(appends: &[(u64, usize)]) -> Pending {
        let pending = Pending::default();
        let mut sequence = 0;
        for (records, body_bytes) in appends {
            let append_first = sequence + 1;
            for _ in 0..*records {
                sequence += 1;
                let record = next_record(&Head::empty(&format!("n{sequence}")), 1, *body_bytes);
                pending.push([Placed { sequence, append_first, position: 0, record }]);
            }
        }
        pending
    }

    /// The sequences of the last records of the chunks that follow each other.
    fn chunk_ends(pending: &Pending) -> Vec<u64> {
        let mut ends = Vec::new();
        while let Some(last) = pending.chunk_after(ends.last().copied().unwrap_or(0)).last() {
            ends.push(last.sequence);
        }
        ends
    }

    #[test]
    fn chunks_are_whole_appends_within_their_bounds() {
        const MIB: usize = CHUNK_BYTES_MAX;
        let tables: [(Appends, &[u64]); 5] = [
            (&[(1_000, 1), (24, 1), (1, 1)], &[1_024, 1_025]),
            (&[(1_000, 1), (25, 1)], &[1_000, 1_025]),
            (&[(3_000, 1), (1, 1)], &[3_000, 3_001]),
            (&[(1, MIB / 2), (1, MIB / 2), (1, 1)], &[2, 3]),
            (&[(1, 1), (2, MIB), (1, 1)], &[1, 3, 4]),
        ];
        for (appends, ends) in tables {
            let pending = pending(appends);
            assert_eq!(chunk_ends(&pending), ends, "{appends:?}");
            pending.seal();
            assert_eq!(chunk_ends(&pending), ends, "{appends:?}, in the file that is full");
        }
    }

    #[test]
    fn what_the_database_has_only_some_of_stays() {
        let pending = pending(&[(2, 1)]);
        pending.seal();
        pending.push([Placed {
            sequence: 3,
            append_first: 3,
            position: 0,
            record: next_record(&Head::empty("a"), 1, 1),
        }]);
        let left = |sequence| {
            pending.forget_until(sequence);
            (pending.filled_until(), pending.newest().map(|newest| newest.sequence))
        };
        assert_eq!(left(1), (2, Some(3)));
        assert_eq!(left(2), (0, Some(3)));
        assert_eq!(left(3), (0, None));
    }
}
