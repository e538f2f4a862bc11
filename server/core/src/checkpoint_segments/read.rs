//! Reads segments again, part by part: into memory as they are, or only what tells where each request stands.

use std::mem;

use minicbor::{Decoder, data::Type, decode::Error as DecodeError};

use crate::{
    Revision, State, StoredRequests,
    checkpoint_requests::{LargeRead, Order},
    digest::Digest,
    remembered::Remembered,
};

/// Reads the segments of a state, one after the other.
#[derive(Debug, Default)]
pub(crate) struct SegmentsReader {
    large: LargeRead,
    order: Order,
    /// How many bytes the parts of this segment have that were read.
    bytes_before: u64,
    /// What this segment has, if that is left there.
    stored: Option<StoredRequests>,
    leaves: bool,
}

/// What is known of a request.
struct Head {
    key: Digest,
    revision: Revision,
    time_us: i64,
    length: usize,
    described: Option<usize>,
}

impl SegmentsReader {
    /// Leaves in the segments what can be read from there again.
    pub(crate) fn leave(&mut self) {
        self.leaves = true;
    }

    /// Reads a part, from behind what says that it is one of a segment.
    pub(crate) fn read_part(&mut self, state: &mut State, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        if d.datatype()? == Type::Null {
            d.null()?;
            self.end(state);
            self.stored = self.leaves.then(|| StoredRequests::new(state.requests.next_number()));
        }
        let (heads, entries) = self.read_block(d)?;
        if let Some(stored) = &mut self.stored {
            stored.begin_block(self.bytes_before);
        }
        let mut start = 0;
        for Head { key, revision, time_us, length, described } in heads {
            let described = described.map(|index| self.large.get(index));
            match &mut self.stored {
                Some(stored) => stored.push(key, revision, time_us, length, described),
                None => {
                    let entry = &entries[start..start + length];
                    let request = Remembered { key, revision, time_us, entry, described };
                    state.requests.insert(&request, state.memory);
                }
            }
            start += length;
        }
        self.bytes_before += d.input().len() as u64;
        Ok(())
    }

    fn read_block<'b>(&mut self, d: &mut Decoder<'b>) -> Result<(Vec<Head>, &'b [u8]), DecodeError> {
        let (mut heads, mut length) = (Vec::new(), Some(0_usize));
        for _ in 0..d.u64()? {
            let (key, revision, time_us) = (d.decode()?, d.decode()?, d.i64()?);
            self.order.next(revision)?;
            let bytes = usize::try_from(d.u64()?).unwrap_or(usize::MAX);
            length = length.and_then(|length| length.checked_add(bytes));
            heads.push(Head { key, revision, time_us, length: bytes, described: self.large.read(d)? });
        }
        let entries = d.bytes()?;
        if length != Some(entries.len()) || d.position() < d.input().len() {
            return Err(DecodeError::message("its entries are not as long as it says"));
        }
        Ok((heads, entries))
    }

    /// After the last part of a segment.
    fn end(&mut self, state: &mut State) {
        if let Some(stored) = self.stored.take() {
            state.requests.append_stored(stored.fit(), state.memory);
        }
        (self.large, self.bytes_before) = (LargeRead::default(), 0);
    }

    /// After the last segment: how many requests they had, and up to where.
    pub(crate) fn finish(&mut self, state: &mut State) -> Order {
        self.end(state);
        mem::take(&mut self.order)
    }
}
