//! How a checkpoint is written: a header that names it, the body, and a BLAKE3 over both.
//!
//! Knows nothing of files.

use bytes::Bytes;

use super::Checkpoint;
use crate::Hash;

const MAGIC: &[u8; 8] = b"batonchk";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 32;

/// Everything before the body.
pub(super) fn header(namespace: &str, revision: u64, hash: Hash, format: u16, body_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(72 + namespace.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&revision.to_le_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&(namespace.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&(body_bytes as u64).to_le_bytes());
    bytes.extend_from_slice(namespace.as_bytes());
    bytes
}

/// What is written after the body.
pub(super) fn checksum(header: &[u8], body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    *blake3::Hasher::new().update(header).update(body).finalize().as_bytes()
}

/// Reads a whole checkpoint, or says what is wrong with it.
pub(super) fn decode(bytes: Vec<u8>) -> Result<Checkpoint, &'static str> {
    let mut rest = bytes.as_slice();
    if take::<8>(&mut rest)? != *MAGIC {
        return Err("it is not a checkpoint");
    }
    if u16::from_le_bytes(take(&mut rest)?) != VERSION {
        return Err("it was written by another version of the program");
    }
    let content_bytes = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(TORN)?;
    if blake3::hash(&bytes[..content_bytes]).as_bytes() != &bytes[content_bytes..] {
        return Err("its content does not match its checksum");
    }
    let format = u16::from_le_bytes(take(&mut rest)?);
    let revision = u64::from_le_bytes(take(&mut rest)?);
    let hash = Hash(take(&mut rest)?);
    let name_bytes = length(&mut rest)?;
    let body_bytes = length(&mut rest)?;
    let name = rest.get(..name_bytes).ok_or(TORN)?;
    let namespace = std::str::from_utf8(name).map_err(|_| "its namespace is not text")?.into();
    let body_at = bytes.len() - rest.len() + name_bytes;
    if body_at.checked_add(body_bytes) != Some(content_bytes) {
        return Err(TORN);
    }
    let body = Bytes::from(bytes).slice(body_at..content_bytes);
    Ok(Checkpoint { namespace, revision, hash, format, body })
}

const TORN: &str = "it is shorter or longer than it says";

fn length(rest: &mut &[u8]) -> Result<usize, &'static str> {
    usize::try_from(u64::from_le_bytes(take(rest)?)).map_err(|_| TORN)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], &'static str> {
    let (first, after) = rest.split_first_chunk::<N>().ok_or(TORN)?;
    *rest = after;
    Ok(*first)
}
