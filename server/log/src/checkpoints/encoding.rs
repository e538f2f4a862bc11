//! How a checkpoint is written: a head that names it, its parts, each behind its length, and an end, which is a part of length 0.
//!
//! Behind each of these stands the BLAKE3 of the checksum before it and of itself: so no part is given out that is not as it was written, and
//! in its place. Knows nothing of files.

use std::io::{self, Read, Write};

use super::{CheckpointHead, CheckpointParts, CheckpointUnreadable};
use crate::Hash;

const MAGIC: &[u8; 8] = b"batonchk";
const VERSION: u16 = 2;

type Checksum = [u8; 32];

const TORN: &str = "it is shorter or longer than it says";
const ALTERED: &str = "its content does not match its checksum";

/// Writes a checkpoint from its head on.
pub(super) struct Writer<W> {
    out: W,
    previous: Checksum,
}

impl<W: Write> Writer<W> {
    /// Writes the head.
    pub(super) fn begin(mut out: W, head: &CheckpointHead) -> io::Result<Self> {
        let bytes = encode_head(head);
        let previous = chained(&Checksum::default(), &bytes);
        out.write_all(&bytes)?;
        out.write_all(&previous)?;
        Ok(Self { out, previous })
    }

    /// Writes a part, which is not empty.
    pub(super) fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a part has 4 GiB or more"))?;
        self.previous = chained(&self.previous, bytes);
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(bytes)?;
        self.out.write_all(&self.previous)
    }

    /// Writes the end, and gives back what everything was written to.
    pub(super) fn end(mut self) -> io::Result<W> {
        self.part(&[])?;
        Ok(self.out)
    }
}

/// Reads a checkpoint from its head on.
pub(super) struct Reader<R> {
    input: R,
    bytes_left: u64,
    previous: Checksum,
    // Reused for all parts.
    part: Vec<u8>,
}

impl<R: Read> Reader<R> {
    /// Reads the head of a checkpoint that has so many bytes in all.
    pub(super) fn begin(input: R, bytes: u64) -> Result<(CheckpointHead, Self), CheckpointUnreadable> {
        let mut reader = Self { input, bytes_left: bytes, previous: Checksum::default(), part: Vec::new() };
        let fixed: [u8; FIXED_BYTES] = reader.take()?;
        if fixed[..8] != *MAGIC {
            return Err(unreadable("it is not a checkpoint"));
        }
        if fixed[8..10] != VERSION.to_le_bytes() {
            return Err(unreadable("it was written by another version of the program"));
        }
        let [low, high] = [fixed[FIXED_BYTES - 2], fixed[FIXED_BYTES - 1]];
        let name = reader.take_many(u64::from(u16::from_le_bytes([low, high])))?;
        reader.verify(&[&fixed[..], &name].concat())?;
        Ok((decode_head(&fixed, name)?, reader))
    }

    fn verify(&mut self, bytes: &[u8]) -> Result<(), CheckpointUnreadable> {
        let checksum: Checksum = self.take()?;
        if checksum != chained(&self.previous, bytes) {
            return Err(unreadable(ALTERED));
        }
        self.previous = checksum;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], CheckpointUnreadable> {
        self.bytes_left = self.bytes_left.checked_sub(N as u64).ok_or_else(|| unreadable(TORN))?;
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }

    /// Takes no more memory than there are bytes, whatever a damaged length says.
    fn take_many(&mut self, count: u64) -> Result<Vec<u8>, CheckpointUnreadable> {
        self.bytes_left = self.bytes_left.checked_sub(count).ok_or_else(|| unreadable(TORN))?;
        let mut bytes = std::mem::take(&mut self.part);
        bytes.resize(usize::try_from(count).map_err(unreadable)?, 0);
        self.input.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

impl<R: Read + Send> CheckpointParts for Reader<R> {
    fn next_part(&mut self) -> Result<Option<&[u8]>, CheckpointUnreadable> {
        let length = u32::from_le_bytes(self.take()?);
        let part = self.take_many(u64::from(length))?;
        self.verify(&part)?;
        self.part = part;
        if length > 0 {
            return Ok(Some(&self.part));
        }
        if self.bytes_left > 0 {
            return Err(unreadable(TORN));
        }
        Ok(None)
    }
}

/// Bytes of a head before the name.
const FIXED_BYTES: usize = 8 + 2 + 2 + 8 + 32 + 8 + 2;

fn encode_head(head: &CheckpointHead) -> Vec<u8> {
    let CheckpointHead { namespace, revision, hash, format, archived } = head;
    let name_bytes =
        u16::try_from(namespace.len()).expect("names of namespaces are bounded far below 64 KiB");
    let mut bytes = Vec::with_capacity(FIXED_BYTES + namespace.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&format.to_le_bytes());
    bytes.extend_from_slice(&revision.to_le_bytes());
    bytes.extend_from_slice(&hash.0);
    bytes.extend_from_slice(&archived.to_le_bytes());
    bytes.extend_from_slice(&name_bytes.to_le_bytes());
    bytes.extend_from_slice(namespace.as_bytes());
    bytes
}

fn decode_head(fixed: &[u8; FIXED_BYTES], name: Vec<u8>) -> Result<CheckpointHead, CheckpointUnreadable> {
    let mut rest = &fixed[10..];
    let format = u16::from_le_bytes(first(&mut rest));
    let revision = u64::from_le_bytes(first(&mut rest));
    let hash = Hash(first(&mut rest));
    let archived = u64::from_le_bytes(first(&mut rest));
    let namespace = String::from_utf8(name).map_err(|_| unreadable("its namespace is not text"))?.into();
    Ok(CheckpointHead { namespace, revision, hash, format, archived })
}

fn first<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (first, after) = rest.split_first_chunk().expect("the head has a fixed length");
    *rest = after;
    *first
}

fn chained(previous: &Checksum, bytes: &[u8]) -> Checksum {
    *blake3::Hasher::new().update(previous).update(bytes).finalize().as_bytes()
}

fn unreadable(why: impl ToString) -> CheckpointUnreadable {
    CheckpointUnreadable(why.to_string())
}
