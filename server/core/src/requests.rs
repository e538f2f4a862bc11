//! The memory of request ids: what was asked under each, and what was answered.
//!
//! Bounded by count and by age. Kept in order in chunks that snapshots share. Knows nothing of what an answer means.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::{
    Revision,
    digest::Digest,
    limits::{REQUEST_MEMORY_COUNT, REQUEST_MEMORY_US},
    remembered::Remembered,
    request_chunk::Chunk,
    request_index::RequestIndex,
};

/// For how long, and how many, requests are remembered; the stricter bound holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMemory {
    /// In microseconds.
    pub age_us_max: i64,
    /// In requests of one namespace, at most 2^32 - 1.
    pub count_max: usize,
}

impl Default for RequestMemory {
    fn default() -> Self {
        Self { age_us_max: REQUEST_MEMORY_US, count_max: REQUEST_MEMORY_COUNT }
    }
}

/// Requests in order, oldest first, each found by its id.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// None is empty. What stands in the first before the numbers that are remembered is forgotten.
    chunks: VecDeque<Arc<Chunk>>,
    /// The numbers of those that are remembered: the first request has 0, the next 1, and so on.
    numbers: Range<u64>,
    /// `None` in a snapshot.
    index: Option<RequestIndex>,
}

impl Default for Requests {
    fn default() -> Self {
        Self { chunks: VecDeque::new(), numbers: 0..0, index: Some(RequestIndex::default()) }
    }
}

/// Why there is an index.
const NOT_A_SNAPSHOT: &str = "snapshots are only written, never asked nor added to";

impl Requests {
    /// A copy that shares what is remembered and can only be [iterated](Self::after): it costs a step per chunk.
    pub(crate) fn snapshot(&self) -> Self {
        Self { chunks: self.chunks.clone(), numbers: self.numbers.clone(), index: None }
    }

    /// What is remembered under `key` at `now_us`.
    pub(crate) fn get(&self, key: Digest, now_us: i64, memory: RequestMemory) -> Option<Remembered<'_>> {
        let index = self.index.as_ref().expect(NOT_A_SNAPSHOT);
        let is_it = |number| self.at(self.whole(number)).is_some_and(|found| found.key == key);
        let found = self.at(self.whole(index.find(key, is_it)?))?;
        (!is_too_old(found.time_us, now_us, memory)).then_some(found)
    }

    /// Remembers a request and forgets those that are over the bounds.
    ///
    /// Times never run backwards from one to the next: an id that is used again, since it has grown too old to be known, is forgotten
    /// before it takes its place among the new.
    pub(crate) fn insert(&mut self, request: &Remembered<'_>, memory: RequestMemory) {
        let (count_max, now_us) = (memory.count_max.min(u32::MAX as usize), request.time_us);
        while self.oldest_is_too_old(now_us, memory) {
            self.forget_oldest();
        }
        let number = self.numbers.end;
        self.chunk_for(request).push(request);
        self.index.as_mut().expect(NOT_A_SNAPSHOT).insert(request.key, number as u32);
        self.numbers.end += 1;
        while self.len() > count_max || self.oldest_is_too_old(now_us, memory) {
            self.forget_oldest();
        }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        (self.numbers.end - self.numbers.start) as usize
    }

    /// Where the oldest that is remembered was recorded.
    pub(crate) fn oldest(&self) -> Option<Revision> {
        self.after(Revision(0)).next().map(|oldest| oldest.revision)
    }

    /// What is remembered of those that were recorded after `revision`, oldest first.
    pub(crate) fn after(&self, revision: Revision) -> impl Iterator<Item = Remembered<'_>> {
        let passed = self.chunks.partition_point(|chunk| chunk.last_revision() <= Some(revision));
        let first = self.chunks.get(passed).map_or(self.numbers.end, |chunk| chunk.number_after(revision));
        let first = first.max(self.numbers.start);
        self.chunks.range(passed..).flat_map(move |chunk| chunk.iter_from(first))
    }

    /// Forgets those that were recorded before `revision`.
    pub(crate) fn forget_before(&mut self, revision: Revision) {
        while self.oldest().is_some_and(|oldest| oldest < revision) {
            self.forget_oldest();
        }
    }

    /// The number of which the index has the low half.
    fn whole(&self, low: u32) -> u64 {
        self.numbers.start + u64::from(low.wrapping_sub(self.numbers.start as u32))
    }

    fn at(&self, number: u64) -> Option<Remembered<'_>> {
        let after = self.chunks.partition_point(|chunk| chunk.numbers().start <= number);
        self.chunks.get(after.checked_sub(1)?)?.get(number)
    }

    fn oldest_is_too_old(&self, now_us: i64, memory: RequestMemory) -> bool {
        let oldest = self.chunks.front().and_then(|chunk| chunk.time_us(self.numbers.start));
        oldest.is_some_and(|time_us| is_too_old(time_us, now_us, memory))
    }

    fn forget_oldest(&mut self) {
        let Some(first) = self.chunks.front() else { return };
        if let Some(oldest) = first.get(self.numbers.start) {
            self.index.as_mut().expect(NOT_A_SNAPSHOT).remove(oldest.key, self.numbers.start as u32);
        }
        self.numbers.start += 1;
        if first.numbers().end <= self.numbers.start {
            self.chunks.pop_front();
        }
    }

    /// The chunk that the next request goes to.
    fn chunk_for(&mut self, request: &Remembered<'_>) -> &mut Chunk {
        let next = match self.chunks.back_mut() {
            None => Some(Chunk::new(self.numbers.end)),
            Some(last) if last.has_room_for(request) => None,
            Some(last) => Some(Arc::make_mut(last).close()),
        };
        self.chunks.extend(next.map(Arc::new));
        Arc::make_mut(self.chunks.back_mut().expect("there is one now"))
    }
}

pub(crate) fn is_too_old(time_us: i64, now_us: i64, memory: RequestMemory) -> bool {
    now_us.saturating_sub(time_us) >= memory.age_us_max
}
