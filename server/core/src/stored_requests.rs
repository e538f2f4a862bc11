//! Remembered requests that a segment has: memory knows only which they are, and where each stands in the segment.
//!
//! Knows nothing of how segments are kept, nor of how many requests are remembered.

use std::ops::Range;

use minicbor::decode::Error as DecodeError;

use crate::{
    Answer, Command, Rejection, RequestSegment, Revision,
    digest::Digest,
    remembered::{Described, Remembered},
    step::told_again,
};

/// The requests of one segment, with consecutive numbers. Each takes 36 bytes.
#[derive(Debug)]
pub struct StoredRequests {
    first_number: u64,
    // One list for each field: together they would take a tenth more, for nothing but alignment.
    keys: Vec<[u8; 16]>,
    revisions: Vec<Revision>,
    times_us: Vec<i64>,
    /// Where the entry of each ends, among the entries of all.
    ends: Vec<u32>,
    blocks: Vec<Block>,
    /// What is too much to be in an entry, by the index of the request.
    shared: Vec<(usize, Described)>,
}

/// Requests that stand in one part of the segment, whose entries are its last bytes.
#[derive(Clone, Copy, Debug)]
struct Block {
    /// Where its first entry begins, among the entries of all.
    start: u32,
    /// How many bytes the parts before it have.
    bytes_before: u64,
}

/// One request that a segment has, and where.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    /// The segment.
    pub segment: RequestSegment,
    /// In which of its parts it is.
    pub part: PartPlace,
    key: Digest,
    revision: Revision,
    time_us: i64,
    /// Where its entry begins, counted back from the end of the part.
    from_end: usize,
    length: usize,
    described: Option<Described>,
}

/// One of the parts of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlace {
    /// How many parts are before it.
    pub parts_before: usize,
    /// How many bytes they have.
    pub bytes_before: u64,
}

/// The part is not the one in which the request was stored.
#[derive(Debug, thiserror::Error)]
#[error("it does not have the request that was recorded at revision {revision}: {why}")]
pub struct OtherPart {
    revision: Revision,
    why: DecodeError,
}

const SMALL: &str = "the entries of a segment are bounded far below 2^32 bytes";

impl StoredRequests {
    /// The segment that has them; `None`: there are none.
    pub fn segment(&self) -> Option<RequestSegment> {
        let (first, last) = (*self.revisions.first()?, self.last_revision()?);
        Some(RequestSegment { first, last, count: self.revisions.len() as u64 })
    }

    /// None yet; the first will have that number.
    pub(crate) fn new(first_number: u64) -> Self {
        Self {
            first_number,
            keys: Vec::new(),
            revisions: Vec::new(),
            times_us: Vec::new(),
            ends: Vec::new(),
            blocks: Vec::new(),
            shared: Vec::new(),
        }
    }

    /// Those that are added next stand in a part before which others have so many bytes.
    pub(crate) fn begin_block(&mut self, bytes_before: u64) {
        self.blocks.push(Block { start: self.end(), bytes_before });
    }

    /// Adds a request whose entry has so many bytes.
    pub(crate) fn push(
        &mut self,
        key: Digest,
        revision: Revision,
        time_us: i64,
        length: usize,
        described: Option<&Described>,
    ) {
        let end = u32::try_from(length).ok().and_then(|length| self.end().checked_add(length));
        self.shared.extend(described.map(|described| (self.keys.len(), described.clone())));
        self.keys.push(key.to_bytes());
        self.revisions.push(revision);
        self.times_us.push(time_us);
        self.ends.push(end.expect(SMALL));
    }

    /// Gives back what memory it does not need.
    pub(crate) fn fit(mut self) -> Self {
        self.keys.shrink_to_fit();
        self.revisions.shrink_to_fit();
        self.times_us.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.blocks.shrink_to_fit();
        self.shared.shrink_to_fit();
        self
    }

    /// Their numbers.
    pub(crate) fn numbers(&self) -> Range<u64> {
        self.first_number..self.first_number + self.keys.len() as u64
    }

    pub(crate) fn key(&self, number: u64) -> Option<Digest> {
        self.keys.get(self.index(number)?).copied().map(Digest::from_bytes)
    }

    pub(crate) fn revision(&self, number: u64) -> Option<Revision> {
        self.revisions.get(self.index(number)?).copied()
    }

    pub(crate) fn time_us(&self, number: u64) -> Option<i64> {
        self.times_us.get(self.index(number)?).copied()
    }

    /// Where the last of them was recorded.
    pub(crate) fn last_revision(&self) -> Option<Revision> {
        self.revisions.last().copied()
    }

    /// The request of that number, if it is one of these.
    pub(crate) fn get(&self, number: u64) -> Option<StoredRequest> {
        let index = self.index(number)?;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        // An entry has some bytes, so it is in the last block that does not begin behind it.
        let parts_before = self.blocks.partition_point(|block| block.start <= start).checked_sub(1)?;
        let block_end = self.blocks.get(parts_before + 1).map_or(self.end(), |next| next.start);
        let shared = self.shared.binary_search_by_key(&index, |(index, _)| *index).ok();
        Some(StoredRequest {
            segment: self.segment()?,
            part: PartPlace { parts_before, bytes_before: self.blocks[parts_before].bytes_before },
            key: Digest::from_bytes(self.keys[index]),
            revision: self.revisions[index],
            time_us: self.times_us[index],
            from_end: (block_end - start) as usize,
            length: (end - start) as usize,
            described: shared.map(|shared| self.shared[shared].1.clone()),
        })
    }

    fn index(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first_number).map(|index| index as usize)
    }

    /// How many bytes all entries have.
    fn end(&self) -> u32 {
        self.ends.last().copied().unwrap_or_default()
    }
}

impl StoredRequest {
    /// What `command`, which [came out](crate::Outcome::Stored) as this request, is answered, now that its part of the segment was read.
    ///
    /// # Errors
    /// [`OtherPart`] if it is not in there.
    pub fn repeated(&self, command: &Command, part: &[u8]) -> Result<Result<Answer, Rejection>, OtherPart> {
        let Self { key, revision, time_us, from_end, length, .. } = *self;
        let wrong = |why| OtherPart { revision, why };
        let start = part.len().checked_sub(from_end);
        let entry = start.and_then(|start| part[start..].get(..length));
        let entry = entry.ok_or_else(|| wrong(DecodeError::end_of_input()))?;
        let described = self.described.as_ref();
        let told = Remembered { key, revision, time_us, entry, described }.tell_again().map_err(wrong)?;
        Ok(told_again(command, told))
    }
}
