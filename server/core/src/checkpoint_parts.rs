//! The parts of a checkpoint: items of one section, as many as make a part worth handing on.
//!
//! So neither end ever has a whole checkpoint in memory. Knows nothing of what the items mean.

use std::convert::Infallible;

use minicbor::{Decode, Decoder, Encode, Encoder, decode::Error as DecodeError};

/// A part is handed on once it has so many bytes: few enough to stay in the processor's cache, many enough for hashes and writes at full speed.
const PART_BYTES: usize = 256 * 1024;

/// What the items of a part are. Sections follow each other in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub(crate) enum Section {
    /// The oldest requests, from the segments that have them.
    #[n(0)]
    Segments,
    /// One item: what is not repeated.
    #[n(1)]
    Beginning,
    /// Ids of hand-offs that are not closed.
    #[n(2)]
    Open,
    #[n(3)]
    Handoffs,
    #[n(4)]
    Tasks,
    /// Agents, and what they share.
    #[n(5)]
    Agents,
    /// The requests that are in no segment.
    #[n(6)]
    Requests,
    /// One item: how many there were, so that nothing can be missing.
    #[n(7)]
    End,
}

pub(crate) type Writing = Result<(), minicbor::encode::Error<Infallible>>;
pub(crate) type Out<'a> = Encoder<&'a mut Vec<u8>>;

/// Collects items into parts, and hands those on.
pub(crate) struct Parts<'a, E> {
    hand_on: &'a mut dyn FnMut(&[u8]) -> Result<(), E>,
    // Reused for all parts.
    bytes: Vec<u8>,
    section: Option<Section>,
    /// How many bytes the parts have that were handed on.
    handed_on: u64,
}

impl<'a, E> Parts<'a, E> {
    pub(crate) fn new(hand_on: &'a mut dyn FnMut(&[u8]) -> Result<(), E>) -> Self {
        Self { hand_on, bytes: Vec::with_capacity(2 * PART_BYTES), section: None, handed_on: 0 }
    }

    /// Writes one item.
    ///
    /// # Errors
    /// Of whoever the parts are handed to.
    pub(crate) fn item(
        &mut self,
        section: Section,
        write: impl FnOnce(&mut Out<'_>) -> Writing,
    ) -> Result<(), E> {
        if self.section != Some(section) || self.bytes.len() >= PART_BYTES {
            self.end()?;
            self.section = Some(section);
            Encoder::new(&mut self.bytes).encode(section).expect("writing to memory cannot fail");
        }
        write(&mut Encoder::new(&mut self.bytes)).expect("writing to memory cannot fail");
        Ok(())
    }

    /// How many bytes the parts have that were handed on.
    pub(crate) fn handed_on(&self) -> u64 {
        self.handed_on
    }

    /// Hands on what was not handed on yet.
    ///
    /// # Errors
    /// Of whoever the parts are handed to.
    pub(crate) fn end(&mut self) -> Result<(), E> {
        if !self.bytes.is_empty() {
            (self.hand_on)(&self.bytes)?;
            self.handed_on += self.bytes.len() as u64;
            self.bytes.clear();
        }
        self.section = None;
        Ok(())
    }
}

/// Reads the items of one part, and gives their number.
pub(crate) fn read_items(
    d: &mut Decoder<'_>,
    mut read: impl FnMut(&mut Decoder<'_>) -> Result<(), DecodeError>,
) -> Result<u64, DecodeError> {
    let mut count = 0;
    while d.position() < d.input().len() {
        read(d)?;
        count += 1;
    }
    Ok(count)
}
