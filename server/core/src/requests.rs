//! The memory of request ids: what was asked under each, and what was answered.
//!
//! Bounded by count and by age. Knows nothing of what an answer means.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
};

use crate::{
    Answer,
    digest::Digest,
    limits::{PACKED_ANSWER_BYTES_MAX, REQUEST_MEMORY_COUNT, REQUEST_MEMORY_US},
    store::{answer_to_bytes, bytes_to_answer},
};

/// For how long, and how many, requests are remembered; the stricter bound holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMemory {
    /// In microseconds.
    pub age_us_max: i64,
    /// In requests of one namespace.
    pub count_max: usize,
}

impl Default for RequestMemory {
    fn default() -> Self {
        Self { age_us_max: REQUEST_MEMORY_US, count_max: REQUEST_MEMORY_COUNT }
    }
}

/// What is remembered of one request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Remembered {
    /// Of what was asked.
    pub(crate) fingerprint: Digest,
    /// When it was recorded, in microseconds since the Unix epoch.
    pub(crate) time_us: i64,
    /// What was answered.
    pub(crate) answer: KeptAnswer,
}

/// An answer that is kept for the case that its request is repeated, which is rare: packed, unless it is large and shares most of that with
/// the state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum KeptAnswer {
    /// As [`answer_to_bytes`] gave it.
    Packed(Box<[u8]>),
    /// As it is.
    Shared(Answer),
}

impl KeptAnswer {
    pub(crate) fn of(answer: &Answer) -> Self {
        if answer.shared_bytes() <= PACKED_ANSWER_BYTES_MAX {
            Self::Packed(answer_to_bytes(answer))
        } else {
            Self::Shared(answer.clone())
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::Packed(bytes) => bytes_to_answer(bytes),
            Self::Shared(answer) => answer.clone(),
        }
    }
}

/// Requests by their ids, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    // Only ever looked up by key, never iterated: its order cannot reach the state. The keys are digests already.
    by_key: HashMap<Digest, Remembered, BuildHasherDefault<DigestHasher>>,
    in_order: VecDeque<Digest>,
}

impl Requests {
    /// What is remembered under `key` at `now_us`.
    pub(crate) fn get(&self, key: Digest, now_us: i64, memory: RequestMemory) -> Option<&Remembered> {
        self.by_key.get(&key).filter(|remembered| !is_too_old(remembered, now_us, memory))
    }

    /// Remembers a request and forgets those that are over the bounds.
    pub(crate) fn insert(&mut self, key: Digest, remembered: Remembered, memory: RequestMemory) {
        let now_us = remembered.time_us;
        if self.by_key.insert(key, remembered).is_some() {
            // An id that had grown too old to be known was used again: it takes its place among the new.
            self.in_order.retain(|present| *present != key);
        }
        self.in_order.push_back(key);
        while self.in_order.len() > memory.count_max || self.oldest_is_too_old(now_us, memory) {
            if let Some(oldest) = self.in_order.pop_front() {
                self.by_key.remove(&oldest);
            }
        }
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.in_order.len()
    }

    /// All that is remembered, oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (Digest, &Remembered)> {
        self.in_order.iter().map(|key| (*key, &self.by_key[key]))
    }

    fn oldest_is_too_old(&self, now_us: i64, memory: RequestMemory) -> bool {
        let oldest = self.in_order.front().and_then(|key| self.by_key.get(key));
        oldest.is_some_and(|remembered| is_too_old(remembered, now_us, memory))
    }
}

fn is_too_old(remembered: &Remembered, now_us: i64, memory: RequestMemory) -> bool {
    now_us.saturating_sub(remembered.time_us) >= memory.age_us_max
}

/// Takes a digest as its own hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut low = [0; 8];
        let taken = bytes.len().min(8);
        low[..taken].copy_from_slice(&bytes[..taken]);
        self.0 = u64::from_le_bytes(low);
    }

    fn write_u128(&mut self, digest: u128) {
        self.0 = digest as u64;
    }
}
