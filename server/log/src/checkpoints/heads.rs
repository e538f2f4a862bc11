//! The heads of checkpoints and segments as bytes: integers little-endian, a name behind its length.
//!
//! Knows nothing of what follows them.

use super::{CheckpointHead, CheckpointUnreadable, Segment, SegmentHead, encoding::unreadable};
use crate::Hash;

/// Bytes of what a checkpoint says of one segment.
const SEGMENT_BYTES: usize = 4 * 8 + 32;

pub(super) fn encode_checkpoint(head: &CheckpointHead) -> Vec<u8> {
    let CheckpointHead { namespace, revision, hash, format, archived, segments } = head;
    let mut bytes = Vec::with_capacity(54 + namespace.len() + segments.len() * SEGMENT_BYTES);
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&revision.to_le_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&archived.to_le_bytes());
    put_name(&mut bytes, namespace);
    for Segment { first, last, count, bytes: size, checksum } in segments {
        [first, last, count, size].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
        bytes.extend_from_slice(&checksum.0);
    }
    bytes
}

pub(super) fn decode_checkpoint(bytes: &[u8]) -> Result<CheckpointHead, CheckpointUnreadable> {
    let rest = &mut &bytes[..];
    let format = u16::from_le_bytes(take(rest)?);
    let revision = u64::from_le_bytes(take(rest)?);
    let hash = Hash(take(rest)?);
    let archived = u64::from_le_bytes(take(rest)?);
    let name_bytes = usize::from(u16::from_le_bytes(take(rest)?));
    let (name, after) = rest.split_at_checked(name_bytes).ok_or_else(too_short)?;
    *rest = after;
    let namespace = std::str::from_utf8(name).map_err(|_| unreadable("its namespace is not text"))?.into();
    let mut segments = Vec::with_capacity(rest.len() / SEGMENT_BYTES);
    while !rest.is_empty() {
        segments.push(decode_segment(rest)?);
    }
    Ok(CheckpointHead { namespace, revision, hash, format, archived, segments })
}

fn decode_segment(rest: &mut &[u8]) -> Result<Segment, CheckpointUnreadable> {
    let mut number = || Ok(u64::from_le_bytes(take(rest)?));
    let (first, last, count, bytes) = (number()?, number()?, number()?, number()?);
    Ok(Segment { first, last, count, bytes, checksum: Hash(take(rest)?) })
}

/// Only ever compared: who reads a segment knows what it must be.
pub(super) fn encode_segment(head: &SegmentHead) -> Vec<u8> {
    let SegmentHead { namespace, first, last, count, format } = head;
    let mut bytes = Vec::with_capacity(28 + namespace.len());
    bytes.extend_from_slice(&format.to_le_bytes());
    [first, last, count].iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes()));
    put_name(&mut bytes, namespace);
    bytes
}

fn put_name(bytes: &mut Vec<u8>, name: &str) {
    let length = u16::try_from(name.len()).expect("names of namespaces are bounded far below 64 KiB");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(name.as_bytes());
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], CheckpointUnreadable> {
    let (taken, after) = rest.split_first_chunk().ok_or_else(too_short)?;
    *rest = after;
    Ok(*taken)
}

fn too_short() -> CheckpointUnreadable {
    unreadable("its head is too short")
}
