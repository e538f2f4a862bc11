//! The memory of request ids: what was asked under each, and what was answered.
//!
//! Bounded by count and by age. The newest are held, in order, in chunks that snapshots share; the others stand in segments, and memory knows
//! where. Knows nothing of what an answer means.

use std::{collections::VecDeque, iter, ops::Range, sync::Arc};

use crate::{
    Revision, StoredRequest, StoredRequests,
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

/// A request that is remembered.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// With what it was answered.
    Held(Remembered<'a>),
    /// What it was answered stands in a segment.
    Stored(StoredRequest),
}

/// Requests in order, oldest first, each found by its id.
#[derive(Clone, Debug)]
pub(crate) struct Requests {
    /// The oldest, by the segments that have them. None is empty. What stands in the first before the numbers that are remembered is forgotten.
    stored: VecDeque<Arc<StoredRequests>>,
    /// The others. None is empty. What stands in the first before those numbers, or is stored, does not count.
    chunks: VecDeque<Arc<Chunk>>,
    /// The numbers of those that are remembered: the first request has 0, the next 1, and so on.
    numbers: Range<u64>,
    /// `None` in a snapshot.
    index: Option<RequestIndex>,
}

impl Default for Requests {
    fn default() -> Self {
        let (stored, chunks) = (VecDeque::new(), VecDeque::new());
        Self { stored, chunks, numbers: 0..0, index: Some(RequestIndex::default()) }
    }
}

/// Why there is an index.
const NOT_A_SNAPSHOT: &str = "snapshots are only written, never asked nor added to";

impl Requests {
    /// A copy that shares what is remembered and can only be [iterated](Self::held_after): it costs a step per chunk and segment.
    pub(crate) fn snapshot(&self) -> Self {
        let Self { stored, chunks, numbers, index: _ } = self;
        Self { stored: stored.clone(), chunks: chunks.clone(), numbers: numbers.clone(), index: None }
    }

    /// What is remembered under `key` at `now_us`.
    pub(crate) fn get(&self, key: Digest, now_us: i64, memory: RequestMemory) -> Option<Found<'_>> {
        let index = self.index.as_ref().expect(NOT_A_SNAPSHOT);
        let is_it = |number| self.key(self.whole(number)) == Some(key);
        let number = self.whole(index.find(key, is_it)?);
        if is_too_old(self.time_us(number)?, now_us, memory) {
            return None;
        }
        match self.stored_with(number) {
            Some(stored) => stored.get(number).map(Found::Stored),
            None => self.chunk_with(number)?.get(number).map(Found::Held),
        }
    }

    /// Remembers a request and forgets those that are over the bounds.
    pub(crate) fn insert(&mut self, request: &Remembered<'_>, memory: RequestMemory) {
        self.extend(iter::once(*request), memory);
    }

    /// Remembers requests that were recorded together, and forgets those that are over the bounds.
    ///
    /// Times never run backwards from one to the next: an id that is used again, since it has grown too old to be known, is forgotten together
    /// with those that were as old.
    pub(crate) fn extend<'a>(
        &mut self,
        requests: impl Iterator<Item = Remembered<'a>> + Clone,
        memory: RequestMemory,
    ) {
        let mut time_us = i64::MIN;
        for request in requests.clone() {
            time_us = request.time_us;
            self.chunk_for(&request).push(&request);
        }
        // By themselves, so that the processor waits for several places in memory at a time.
        let index = self.index.as_mut().expect(NOT_A_SNAPSHOT);
        for request in requests {
            index.insert(request.key, self.numbers.end as u32);
            self.numbers.end += 1;
        }
        self.forget_too_many(memory);
        self.forget_too_old(time_us, memory);
    }

    /// Remembers the requests of a segment, after all that are remembered and before any that is held, and forgets those that are over the
    /// bounds.
    pub(crate) fn append_stored(&mut self, stored: StoredRequests, memory: RequestMemory) {
        let numbers = stored.numbers();
        let Some(time_us) = numbers.end.checked_sub(1).and_then(|last| stored.time_us(last)) else { return };
        let index = self.index.as_mut().expect(NOT_A_SNAPSHOT);
        for number in numbers.clone() {
            index.insert(stored.key(number).expect("it is one of these"), number as u32);
        }
        self.numbers.end = numbers.end;
        self.stored.push_back(Arc::new(stored));
        self.forget_too_many(memory);
        self.forget_too_old(time_us, memory);
    }

    /// Lets go of what is held of the requests of a segment, if nothing older is held: they can be read from there.
    pub(crate) fn let_go(&mut self, stored: &Arc<StoredRequests>) {
        let Range { start, end } = stored.numbers();
        let follows = match self.stored.back() {
            Some(last) => last.numbers().end == start,
            None => start <= self.numbers.start,
        };
        if start == end || !follows || end <= self.numbers.start || end > self.numbers.end {
            return;
        }
        self.stored.push_back(Arc::clone(stored));
        while self.chunks.front().is_some_and(|chunk| chunk.numbers().end <= end) {
            self.chunks.pop_front();
        }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        (self.numbers.end - self.numbers.start) as usize
    }

    /// The number that the next one will have.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.end
    }

    /// Where the oldest that is remembered was recorded.
    pub(crate) fn oldest(&self) -> Option<Revision> {
        let oldest = self.numbers.start;
        match self.stored_with(oldest) {
            Some(stored) => stored.revision(oldest),
            None => self.chunk_with(oldest)?.get(oldest).map(|oldest| oldest.revision),
        }
    }

    /// Where the last was recorded that is stored.
    pub(crate) fn stored_until(&self) -> Option<Revision> {
        self.stored.back()?.last_revision()
    }

    /// What is held of those that were recorded after `revision`, with their numbers, oldest first.
    pub(crate) fn held_after(&self, revision: Revision) -> impl Iterator<Item = (u64, Remembered<'_>)> {
        let passed = self.chunks.partition_point(|chunk| chunk.last_revision() <= Some(revision));
        let first = self.chunks.get(passed).map_or(self.numbers.end, |chunk| chunk.number_after(revision));
        let first = first.max(self.first_held());
        self.chunks.range(passed..).flat_map(move |chunk| chunk.iter_from(first))
    }

    /// Forgets those that were recorded before `revision`.
    pub(crate) fn forget_before(&mut self, revision: Revision) {
        while self.oldest().is_some_and(|oldest| oldest < revision) {
            self.forget_oldest(1);
        }
    }

    /// The number of which the index has the low half.
    fn whole(&self, low: u32) -> u64 {
        self.numbers.start + u64::from(low.wrapping_sub(self.numbers.start as u32))
    }

    /// The number of the first that is held.
    fn first_held(&self) -> u64 {
        self.stored.back().map_or(self.numbers.start, |last| last.numbers().end.max(self.numbers.start))
    }

    fn stored_with(&self, number: u64) -> Option<&StoredRequests> {
        if number >= self.first_held() {
            return None;
        }
        let before = self.stored.partition_point(|stored| stored.numbers().end <= number);
        self.stored.get(before).map(|stored| &**stored)
    }

    fn chunk_with(&self, number: u64) -> Option<&Chunk> {
        let after = self.chunks.partition_point(|chunk| chunk.numbers().start <= number);
        self.chunks.get(after.checked_sub(1)?).map(|chunk| &**chunk)
    }

    fn key(&self, number: u64) -> Option<Digest> {
        match self.stored_with(number) {
            Some(stored) => stored.key(number),
            None => self.chunk_with(number)?.key(number),
        }
    }

    fn time_us(&self, number: u64) -> Option<i64> {
        match self.stored_with(number) {
            Some(stored) => stored.time_us(number),
            None => self.chunk_with(number)?.time_us(number),
        }
    }

    /// When the oldest was recorded: looked at for each request that comes, so it is not searched for.
    fn oldest_us(&self) -> Option<i64> {
        match self.stored.front() {
            Some(first) => first.time_us(self.numbers.start),
            None => self.chunks.front()?.time_us(self.numbers.start),
        }
    }

    fn forget_too_many(&mut self, memory: RequestMemory) {
        let count_max = memory.count_max.min(u32::MAX as usize);
        self.forget_oldest(self.len().saturating_sub(count_max) as u64);
    }

    fn forget_too_old(&mut self, now_us: i64, memory: RequestMemory) {
        while self.oldest_us().is_some_and(|time_us| is_too_old(time_us, now_us, memory)) {
            self.forget_oldest(1);
        }
    }

    /// Forgets so many.
    fn forget_oldest(&mut self, count: u64) {
        let start = self.numbers.start + count;
        // By themselves, as when they came.
        let mut index = self.index.take().expect(NOT_A_SNAPSHOT);
        for number in self.numbers.start..start {
            let key = self.key(number).expect("what is remembered is stored or held");
            index.remove(key, number as u32);
        }
        self.index = Some(index);
        self.numbers.start = start;
        while self.stored.pop_front_if(|stored| stored.numbers().end <= start).is_some() {}
        while self.chunks.pop_front_if(|chunk| chunk.numbers().end <= start).is_some() {}
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
