//! The last passages of a task, in one allocation however many they are.
//!
//! Knows nothing of how many between the same two are too many.

use minicbor::{Decode, Decoder, Encode, Encoder, decode::Error as DecodeError};

use crate::{AgentId, codec::length, limits::PING_PONG_WINDOW};

/// Senders and receivers of the last completed hand-offs of a task, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RecentPairs {
    count: usize,
    /// Each sender and receiver as bytes in CBOR, one after the other: nobody who compares them need know that they are texts.
    bytes: Vec<u8>,
}

impl RecentPairs {
    /// None, with room for so many of common names.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { count: 0, bytes: Vec::with_capacity(count.min(PING_PONG_WINDOW) * 2 * NAME_BYTES) }
    }

    /// How many there are: up to one less than [`PING_PONG_WINDOW`], since the hand-off that is judged next completes it.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// They, with one more, and without the oldest if there would be too many.
    #[must_use]
    pub(crate) fn with(&self, from: &AgentId, to: &AgentId) -> Self {
        let dropped = usize::from(self.count >= PING_PONG_WINDOW - 1);
        let kept = self.after(dropped);
        let mut bytes = Vec::with_capacity(kept.len() + from.len() + to.len() + 2 * HEADER_BYTES);
        bytes.extend_from_slice(kept);
        let mut pairs = Self { count: self.count - dropped, bytes };
        pairs.push(from, to);
        pairs
    }

    /// Adds one more, whatever their number.
    pub(crate) fn push(&mut self, from: &str, to: &str) {
        let (from, to) = (from.as_bytes(), to.as_bytes());
        let written = Encoder::new(&mut self.bytes).bytes(from).and_then(|e| e.bytes(to)).map(|_| ());
        written.expect("writing to memory cannot fail");
        self.count += 1;
    }

    /// How many of them are between `one` and `other`, either way.
    pub(crate) fn between(&self, one: &str, other: &str) -> usize {
        let (one, other) = (one.as_bytes(), other.as_bytes());
        let is_between = |(from, to)| (from, to) == (one, other) || (from, to) == (other, one);
        self.names().filter(|pair| is_between(*pair)).count()
    }

    /// Senders and receivers, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |name| str::from_utf8(name).expect("only names of agents were written");
        self.names().map(move |(from, to)| (text(from), text(to)))
    }

    fn names(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut d = Decoder::new(&self.bytes);
        std::iter::from_fn(move || Some((d.bytes().ok()?, d.bytes().ok()?)))
    }

    /// The bytes without those of the `count` oldest.
    fn after(&self, count: usize) -> &[u8] {
        let mut d = Decoder::new(&self.bytes);
        for _ in 0..2 * count {
            d.skip().expect("so many were written");
        }
        &self.bytes[d.position()..]
    }
}

/// What most texts have before them.
const HEADER_BYTES: usize = 2;
/// About what a name takes.
const NAME_BYTES: usize = 16;

impl<C> Encode<C> for RecentPairs {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u64(self.count as u64)?.bytes(&self.bytes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RecentPairs {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        if length(d.array()?)? != 2 {
            return Err(DecodeError::message("the recent hand-offs of a task have a count and bytes"));
        }
        let count = usize::try_from(d.u64()?).unwrap_or(usize::MAX);
        Ok(Self { count, bytes: d.bytes()?.into() })
    }
}
