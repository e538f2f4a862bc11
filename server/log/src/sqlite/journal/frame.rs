//! One append as it lies in the journal: a header that proves itself, then the records, each of which proves itself.
//!
//! Integers are little-endian. A frame is padded with zeros to whole blocks, so that the next one begins on a block. Knows nothing of files.

use std::sync::Arc;

use bytes::Bytes;

use crate::recovery::Placed;
use crate::{Append, Damage, DamageKind, Hash, LogId, NAMESPACE_BYTES_MAX, Record};

/// Frames begin on multiples of so many bytes.
pub(super) const BLOCK_BYTES: usize = crate::past_cache::ALIGNMENT;

const MAGIC: &[u8; 8] = b"batonjrn";
const VERSION: u16 = 1;
const HASH_BYTES: usize = 32;
/// Magic, version, log, use, sequence, position, count of records, bytes of records.
const HEADER_BYTES: usize = 8 + 2 + 16 + 8 + 8 + 8 + 4 + 8;
/// Of a record, without its namespace and body: two lengths and its fields.
const RECORD_BYTES: usize = 2 + 8 + 4 + 8 + 2 + HASH_BYTES + HASH_BYTES + 8;

/// What the records of an append come after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct After {
    /// Sequence of the newest record.
    pub(crate) sequence: u64,
    /// Bytes of bodies that were ever appended.
    pub(crate) position: u64,
}

/// Tells frames of one use of a file from what is left of its earlier uses, whatever the bytes of a body look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    /// The log whose frames these are.
    pub(super) log: LogId,
    /// Drawn whenever a file is begun.
    pub(super) drawn: u64,
}

/// What was found where a frame may begin.
#[derive(Debug)]
pub(super) enum Found {
    /// A whole frame, how many bytes it takes, and the use of the file that it is of.
    Whole { placed: Vec<Placed>, bytes: usize, used: Use },
    /// A frame that was begun, or altered since.
    Damaged { used: Use, after: After, damage: Damage },
    /// No frame of this log.
    Nothing,
}

/// How many bytes the frame of an append takes.
pub(super) fn bytes_of(appends: &[Append]) -> usize {
    let record = |Append { record, .. }: &Append| RECORD_BYTES + record.namespace.len() + record.body.len();
    let records: usize = appends.iter().map(record).sum();
    (HEADER_BYTES + HASH_BYTES + records).next_multiple_of(BLOCK_BYTES)
}

/// Writes the frame of an append over `frame`, which has its size.
pub(super) fn encode(used: Use, after: After, appends: &[Append], frame: &mut [u8]) {
    let (header, rest) = frame.split_at_mut(HEADER_BYTES + HASH_BYTES);
    let mut records = Cursor(rest);
    let room = records.0.len();
    for Append { record, .. } in appends {
        encode_record(record, &mut records);
    }
    let record_bytes = room - records.0.len();
    records.0.fill(0);

    let mut fields = Cursor(&mut header[..HEADER_BYTES]);
    fields.put(MAGIC);
    fields.put(&VERSION.to_le_bytes());
    fields.put(&used.log.0.to_le_bytes());
    fields.put(&used.drawn.to_le_bytes());
    fields.put(&after.sequence.to_le_bytes());
    fields.put(&after.position.to_le_bytes());
    fields.put(&(appends.len() as u32).to_le_bytes());
    fields.put(&(record_bytes as u64).to_le_bytes());
    let checksum = blake3::hash(&header[..HEADER_BYTES]);
    header[HEADER_BYTES..].copy_from_slice(checksum.as_bytes());
}

fn encode_record(record: &Record, to: &mut Cursor<'_>) {
    // What was admitted has a name of at most 256 bytes.
    to.put(&(record.namespace.len() as u16).to_le_bytes());
    to.put(record.namespace.as_bytes());
    to.put(&record.first_revision.to_le_bytes());
    to.put(&record.event_count.to_le_bytes());
    to.put(&record.time_us.to_le_bytes());
    to.put(&record.format.to_le_bytes());
    to.put(&record.previous.0);
    to.put(&record.checksum.0);
    to.put(&(record.body.len() as u64).to_le_bytes());
    to.put(&record.body);
}

struct Cursor<'a>(&'a mut [u8]);

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) {
        let (here, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        self.0 = rest;
    }
}

/// Looks for a frame of this log at the beginning of `bytes`. Bodies share the memory of `bytes`.
pub(super) fn decode(log: LogId, bytes: &Bytes) -> Found {
    let Some(header) = Header::decode(log, bytes) else { return Found::Nothing };
    let start = HEADER_BYTES + HASH_BYTES;
    let end = bytes.len().min(start.saturating_add(header.record_bytes));
    let mut records = bytes.slice(start..end);
    let append_first = header.after.sequence + 1;
    let mut position = header.after.position;
    let mut placed = Vec::new();
    for sequence in append_first..append_first + u64::from(header.records) {
        match decode_record(&mut records) {
            Ok(record) => {
                position += record.body.len() as u64;
                placed.push(Placed { sequence, append_first, position, record });
            }
            Err(damage) => return Found::Damaged { used: header.used, after: header.after, damage },
        }
    }
    Found::Whole { placed, bytes: end.next_multiple_of(BLOCK_BYTES), used: header.used }
}

struct Header {
    used: Use,
    after: After,
    records: u32,
    record_bytes: usize,
}

impl Header {
    fn decode(log: LogId, bytes: &Bytes) -> Option<Header> {
        let (fields, checksum) = bytes.get(..HEADER_BYTES + HASH_BYTES)?.split_at(HEADER_BYTES);
        if blake3::hash(fields).as_bytes() != checksum {
            return None;
        }
        let mut rest = Bytes::copy_from_slice(fields);
        let is_ours = take::<8>(&mut rest)? == *MAGIC
            && u16::from_le_bytes(take(&mut rest)?) == VERSION
            && u128::from_le_bytes(take(&mut rest)?) == log.0;
        is_ours.then_some(())?;
        let used = Use { log, drawn: u64::from_le_bytes(take(&mut rest)?) };
        let sequence = u64::from_le_bytes(take(&mut rest)?);
        let after = After { sequence, position: u64::from_le_bytes(take(&mut rest)?) };
        let records = u32::from_le_bytes(take(&mut rest)?);
        let record_bytes = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        Some(Header { used, after, records, record_bytes })
    }
}

/// Takes one record and checks it. What cannot be taken is damage to whatever its first fields name.
fn decode_record(from: &mut Bytes) -> Result<Record, Damage> {
    let torn = |namespace: &str, revision| Damage::new(namespace, revision, DamageKind::Altered);
    let namespace = take_name(from).ok_or_else(|| torn("", 0))?;
    let first_revision = take(from).map(u64::from_le_bytes).ok_or_else(|| torn(&namespace, 0))?;
    let record = take_rest(from, namespace.clone(), first_revision);
    let record = record.ok_or_else(|| torn(&namespace, first_revision))?;
    record.check()?;
    Ok(record)
}

fn take_name(from: &mut Bytes) -> Option<Arc<str>> {
    let length = usize::from(u16::from_le_bytes(take(from)?));
    if length > NAMESPACE_BYTES_MAX {
        return None;
    }
    Some(std::str::from_utf8(&take_bytes(from, length)?).ok()?.into())
}

fn take_rest(from: &mut Bytes, namespace: Arc<str>, first_revision: u64) -> Option<Record> {
    Some(Record {
        namespace,
        first_revision,
        event_count: u32::from_le_bytes(take(from)?),
        time_us: i64::from_le_bytes(take(from)?),
        format: u16::from_le_bytes(take(from)?),
        previous: Hash(take(from)?),
        checksum: Hash(take(from)?),
        body: {
            let length = usize::try_from(u64::from_le_bytes(take(from)?)).ok()?;
            take_bytes(from, length)?
        },
    })
}

fn take<const N: usize>(from: &mut Bytes) -> Option<[u8; N]> {
    take_bytes(from, N)?.as_ref().try_into().ok()
}

fn take_bytes(from: &mut Bytes, length: usize) -> Option<Bytes> {
    (length <= from.len()).then(|| from.split_to(length))
}
