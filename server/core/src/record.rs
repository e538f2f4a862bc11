//! The body of a record: what one batch of commands did to one namespace, in CBOR (RFC 8949).
//!
//! Knows nothing of hashes, files or revisions: those are the log's.

use std::ops::Range;

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

/// The entries of one record, in order.
#[derive(Clone, Debug, PartialEq, Encode, Decode)]
struct Body {
    #[n(0)]
    entries: Vec<Entry>,
}

/// About what an entry takes.
const ENTRY_BYTES: usize = 256;
/// Most bytes before the first entry of a body.
const HEADER_BYTES_MAX: usize = 10;
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
pub fn encode_body(entries: &[Box<Entry>]) -> Vec<u8> {
    let mut writer = BodyWriter::with_capacity(entries.len());
    for entry in entries {
        writer.push(entry);
    }
    writer.body()
}

/// The body of a record in the making.
#[derive(Debug)]
pub(crate) struct BodyWriter {
    count: u64,
    /// The entries, one after the other.
    bytes: Vec<u8>,
}

impl BodyWriter {
    /// An empty one with room for so many entries of common sizes.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self { count: 0, bytes: Vec::with_capacity(entries * ENTRY_BYTES) }
    }

    /// Adds an entry, and tells where it stands among the [bytes](Self::bytes).
    pub(crate) fn push(&mut self, entry: &Entry) -> Range<usize> {
        let start = self.bytes.len();
        Encoder::new(&mut self.bytes).encode(entry).expect(TO_MEMORY);
        self.count += 1;
        start..self.bytes.len()
    }

    /// All entries.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.bytes.len() + HEADER_BYTES_MAX);
        Encoder::new(&mut body).array(1).and_then(|e| e.array(self.count)).expect(TO_MEMORY);
        body.extend_from_slice(&self.bytes);
        body
    }
}

/// Reads the body of a record.
///
/// # Errors
/// [`BodyError`] if it is newer than this server, or damaged.
pub fn decode_body(format: u16, bytes: &[u8]) -> Result<Vec<Entry>, BodyError> {
    if format != BODY_FORMAT {
        return Err(BodyError::Format(format));
    }
    Ok(Decoder::new(bytes).decode::<Body>()?.entries)
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
