//! The body of a record: what one batch of commands did to one namespace, in CBOR (RFC 8949).
//!
//! Knows nothing of hashes, files or revisions: those are the log's.

use std::ops::Range;

use bytes::Bytes;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::{Event, RequestId, command::RequestMark, digest::Digest};

/// The version of the encoding of bodies; grows when an older server could no longer read a newer body.
pub const BODY_FORMAT: u16 = 1;

/// One command that was recorded. Entries have consecutive revisions.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
pub struct Entry {
    /// The request it came from, if that had an id.
    #[n(0)]
    pub request: Option<RequestMark>,
    /// What it did.
    #[n(1)]
    pub event: Event,
}

/// An entry that a log has, with its bytes: memory remembers requests by those, and they need not be made again.
#[derive(Clone, Debug)]
pub struct WrittenEntry {
    /// What it says.
    pub entry: Entry,
    bytes: Bytes,
}

/// The entries of one record, in order.
#[derive(Decode)]
struct Body<E> {
    #[n(0)]
    entries: Vec<E>,
}

/// An entry, and where it stands in the body that it was read from.
struct Placed {
    entry: Entry,
    place: Range<usize>,
}

/// About what an entry takes at most, if it is a hand-off with a context of a few lines.
const ENTRY_BYTES: usize = 384;
/// Most bytes before the first entry of a body.
const HEADER_BYTES_MAX: usize = 10;
/// More room than one part in so many is given back.
const SLACK: usize = 4;
const TO_MEMORY: &str = "writing to memory cannot fail";

/// The body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It was written by a newer server.
    #[error("the record has format {0}; this server reads up to {BODY_FORMAT}: use a newer one")]
    Format(u16),
    /// It is not what a server writes.
    #[error("the record's body cannot be read: {0}")]
    Malformed(#[from] minicbor::decode::Error),
}

/// Writes the body of a record: the inverse of [`decode_body`]. A [`Draft`](crate::Draft) does the same entry by entry.
pub fn encode_body(entries: &[Box<Entry>]) -> Bytes {
    let mut writer = BodyWriter::with_capacity(entries.len());
    for entry in entries {
        writer.push(entry);
    }
    writer.finish().body()
}

/// The body of a record in the making.
#[derive(Debug)]
pub(crate) struct BodyWriter {
    count: u64,
    /// Room for what comes before the entries, and these, one after the other.
    bytes: Vec<u8>,
}

/// The body of a record. Cheap to clone: it goes to the log, to watchers and to the memory of requests without being copied.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenBody {
    bytes: Bytes,
    /// Where the body begins among the bytes.
    start: usize,
}

impl BodyWriter {
    /// An empty one with room for so many entries of common sizes.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES_MAX + entries * ENTRY_BYTES);
        bytes.resize(HEADER_BYTES_MAX, 0);
        Self { count: 0, bytes }
    }

    /// Adds an entry, and tells where it [stands](Self::entry).
    pub(crate) fn push(&mut self, entry: &Entry) -> Range<usize> {
        let start = self.bytes.len();
        Encoder::new(&mut self.bytes).encode(entry).expect(TO_MEMORY);
        self.count += 1;
        start..self.bytes.len()
    }

    /// As [`Self::push`], for an entry whose bytes are there.
    pub(crate) fn push_written(&mut self, written: &WrittenEntry) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&written.bytes);
        self.count += 1;
        start..self.bytes.len()
    }

    /// The entry that stands there.
    pub(crate) fn entry(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }

    /// The whole body.
    pub(crate) fn finish(mut self) -> WrittenBody {
        let mut header = Vec::with_capacity(HEADER_BYTES_MAX);
        Encoder::new(&mut header).array(1).and_then(|e| e.array(self.count)).expect(TO_MEMORY);
        let start = HEADER_BYTES_MAX - header.len();
        self.bytes[start..HEADER_BYTES_MAX].copy_from_slice(&header);
        // It may be kept for long.
        if self.bytes.capacity() - self.bytes.len() > self.bytes.len() / SLACK {
            self.bytes.shrink_to_fit();
        }
        WrittenBody { bytes: self.bytes.into(), start }
    }
}

impl WrittenBody {
    /// The body as the log has it.
    pub(crate) fn body(&self) -> Bytes {
        self.bytes.slice(self.start..)
    }

    /// The entry that stands there.
    pub(crate) fn entry(&self, place: Range<usize>) -> &[u8] {
        &self.bytes[place]
    }
}

/// Reads the body of a record.
///
/// # Errors
/// [`BodyError`] if it is newer than this server, or damaged.
pub fn decode_body(format: u16, bytes: &[u8]) -> Result<Vec<Entry>, BodyError> {
    decode_as(format, bytes)
}

/// As [`decode_body`], for entries that are to be [replayed](crate::replay).
///
/// # Errors
/// [`BodyError`] if it is newer than this server, or damaged.
pub fn decode_written(format: u16, body: &Bytes) -> Result<Vec<WrittenEntry>, BodyError> {
    let placed: Vec<Placed> = decode_as(format, body)?;
    let written = |Placed { entry, place }| WrittenEntry { entry, bytes: body.slice(place) };
    Ok(placed.into_iter().map(written).collect())
}

fn decode_as<'b, E: Decode<'b, ()>>(format: u16, bytes: &'b [u8]) -> Result<Vec<E>, BodyError> {
    if format != BODY_FORMAT {
        return Err(BodyError::Format(format));
    }
    Ok(Decoder::new(bytes).decode::<Body<E>>()?.entries)
}

impl<'b, C> Decode<'b, C> for Placed {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let start = d.position();
        let entry = Entry::decode(d, ctx)?;
        Ok(Self { entry, place: start..d.position() })
    }
}

impl From<Entry> for WrittenEntry {
    fn from(entry: Entry) -> Self {
        let bytes = minicbor::to_vec(&entry).expect(TO_MEMORY);
        Self { entry, bytes: bytes.into() }
    }
}

/// Only id and fingerprint are written: the key follows from the id.
impl<C> Encode<C> for RequestMark {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?;
        self.id.encode(e, ctx)?;
        self.fingerprint.encode(e, ctx)
    }
}

impl<'b, C> Decode<'b, C> for RequestMark {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let (id, fingerprint) = <(RequestId, Digest)>::decode(d, ctx)?;
        Ok(Self { key: Digest::of(id.as_bytes()), id, fingerprint })
    }
}
