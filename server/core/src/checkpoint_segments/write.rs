//! Writes a segment: blocks of requests, each a part of its own, with what is known of each request first and then the entries of all.
//!
//! So one part is all that has to be read to tell one of them again.

use std::mem;

use minicbor::Encoder;

use crate::{
    StoredRequests,
    checkpoint_parts::{Parts, Section},
    checkpoint_requests::LargeWritten,
    limits::REQUEST_BLOCK_BYTES,
    remembered::Remembered,
};

const TO_MEMORY: &str = "writing to memory cannot fail";

/// Writes requests in order.
pub(super) struct SegmentWriter {
    large: LargeWritten,
    /// What was written.
    stored: StoredRequests,
    is_begun: bool,
    /// The block that is being filled: how many requests it has,
    count: u64,
    /// what is known of each,
    heads: Vec<u8>,
    /// and their entries.
    entries: Vec<u8>,
}

impl SegmentWriter {
    /// Begins a segment whose first request has that number.
    pub(super) fn new(first_number: u64) -> Self {
        Self {
            large: LargeWritten::default(),
            stored: StoredRequests::new(first_number),
            is_begun: false,
            count: 0,
            heads: Vec::new(),
            entries: Vec::with_capacity(REQUEST_BLOCK_BYTES),
        }
    }

    /// Writes one request.
    pub(super) fn write<E>(&mut self, request: &Remembered<'_>, parts: &mut Parts<'_, E>) -> Result<(), E> {
        let Remembered { key, revision, time_us, entry, described } = *request;
        if self.count == 0 {
            self.stored.begin_block(parts.handed_on());
        }
        let e = &mut Encoder::new(&mut self.heads);
        let head = e.encode(key).and_then(|e| e.encode(revision)).and_then(|e| e.i64(time_us));
        let head = head.and_then(|e| e.u64(entry.len() as u64));
        head.and_then(|e| self.large.write(e, described)).expect(TO_MEMORY);
        self.entries.extend_from_slice(entry);
        self.count += 1;
        self.stored.push(key, revision, time_us, entry.len(), described);
        if self.entries.len() >= REQUEST_BLOCK_BYTES { self.end_block(parts) } else { Ok(()) }
    }

    fn end_block<E>(&mut self, parts: &mut Parts<'_, E>) -> Result<(), E> {
        let begins = !mem::replace(&mut self.is_begun, true);
        parts.item(Section::Segments, |e| {
            if begins {
                // A sign that it shares nothing with what was before.
                e.null()?;
            }
            e.u64(self.count)?.writer_mut().extend_from_slice(&self.heads);
            e.bytes(&self.entries)?.ok()
        })?;
        self.count = 0;
        self.heads.clear();
        self.entries.clear();
        parts.end()
    }

    /// Writes what is left, and tells where each request stands.
    pub(super) fn end<E>(mut self, parts: &mut Parts<'_, E>) -> Result<StoredRequests, E> {
        if self.count > 0 || !self.is_begun {
            self.end_block(parts)?;
        }
        Ok(self.stored.fit())
    }
}
