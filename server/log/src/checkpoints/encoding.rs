//! How checkpoints and segments are written: a head that names what it is, its parts, each behind its length, and an end, which is a part of
//! length 0.
//!
//! Behind each of these stands the BLAKE3 of the checksum before it and of itself: so no part is given out that is not as it was written, and
//! in its place, and the last checksum stands for all. Knows nothing of files, nor of what is in heads.

use std::io::{self, Read, Seek, Write};

use super::{CheckpointUnreadable, SegmentPart};
use crate::Hash;

const VERSION: u16 = 3;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Checkpoint,
    Segment,
}

impl Kind {
    /// What it begins with.
    fn magic(self) -> &'static [u8; 8] {
        match self {
            Self::Checkpoint => b"batonchk",
            Self::Segment => b"batonseg",
        }
    }
}

/// What stands before the head.
const PREAMBLE_BYTES: usize = 14;
/// What stands before a part, and what behind it.
const LENGTH_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 32;

const TORN: &str = "it is shorter or longer than it says";
const ALTERED: &str = "its content does not match its checksum";

/// Writes something from its head on.
pub(super) struct Writer<W> {
    out: W,
    bytes: u64,
    previous: Hash,
}

/// What was written in all.
pub(super) struct Written<W> {
    pub(super) out: W,
    pub(super) bytes: u64,
    /// Of all that was written.
    pub(super) checksum: Hash,
}

impl<W: Write> Writer<W> {
    /// Writes the head.
    pub(super) fn begin(out: W, kind: Kind, head: &[u8]) -> io::Result<Self> {
        let mut writer = Self { out, bytes: 0, previous: Hash::ZERO };
        let preamble = [&kind.magic()[..], &VERSION.to_le_bytes(), &length(head)?].concat();
        writer.put(&preamble)?;
        writer.put(head)?;
        writer.put_checksum(&[&preamble, head])?;
        Ok(writer)
    }

    /// Writes a part, which is not empty.
    pub(super) fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.put(&length(bytes)?)?;
        self.put(bytes)?;
        self.put_checksum(&[bytes])
    }

    /// Writes the end.
    pub(super) fn end(mut self) -> io::Result<Written<W>> {
        self.part(&[])?;
        Ok(Written { out: self.out, bytes: self.bytes, checksum: self.previous })
    }

    fn put_checksum(&mut self, of: &[&[u8]]) -> io::Result<()> {
        self.previous = chained(&self.previous, of);
        let Hash(checksum) = self.previous;
        self.put(&checksum)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Reads something from its head on.
pub(super) struct Reader<R> {
    input: R,
    bytes_left: u64,
    previous: Hash,
}

impl<R: Read> Reader<R> {
    /// Reads the head of something that has so many bytes in all.
    pub(super) fn begin(input: R, bytes: u64, kind: Kind) -> Result<(Vec<u8>, Self), CheckpointUnreadable> {
        let mut reader = Self { input, bytes_left: bytes, previous: Hash::ZERO };
        let preamble = reader.take()?;
        let head = reader.take_many(head_length(&preamble, kind)?)?;
        reader.verify(&[&preamble, &head])?;
        Ok((head, reader))
    }

    /// Reads the next part; `None`: there is none, and all of them were whole.
    pub(super) fn part(&mut self) -> Result<Option<Vec<u8>>, CheckpointUnreadable> {
        let length = u32::from_le_bytes(self.take()?);
        let part = self.take_many(length)?;
        self.verify(&[&part])?;
        if length == 0 && self.bytes_left > 0 {
            return Err(unreadable(TORN));
        }
        Ok((length > 0).then_some(part))
    }

    /// Of all that was read.
    pub(super) fn checksum(&self) -> Hash {
        self.previous
    }

    fn verify(&mut self, read: &[&[u8]]) -> Result<(), CheckpointUnreadable> {
        let checksum = Hash(self.take()?);
        if checksum != chained(&self.previous, read) {
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
    fn take_many(&mut self, count: u32) -> Result<Vec<u8>, CheckpointUnreadable> {
        self.bytes_left = self.bytes_left.checked_sub(u64::from(count)).ok_or_else(|| unreadable(TORN))?;
        let mut bytes = vec![0; usize::try_from(count).map_err(unreadable)?];
        self.input.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

/// Reads one part of something, held against the checksum before it and its own: so it is as it was written in its place there, whatever
/// became of the others.
pub(super) fn read_part<R: Read + Seek>(
    input: R,
    bytes: u64,
    kind: Kind,
    part: &SegmentPart,
) -> Result<Vec<u8>, CheckpointUnreadable> {
    let mut reader = Reader { input, bytes_left: bytes, previous: Hash::ZERO };
    let preamble = reader.take()?;
    let head = head_length(&preamble, kind)?;
    let around = (part.parts_before as u64).saturating_mul((LENGTH_BYTES + CHECKSUM_BYTES) as u64);
    let skipped = u64::from(head).saturating_add(part.bytes_before).saturating_add(around);
    reader.skip(skipped)?;
    reader.previous = Hash(reader.take()?);
    reader.part()?.ok_or_else(|| unreadable("it has no such part"))
}

/// How long the head is that follows.
fn head_length(preamble: &[u8; PREAMBLE_BYTES], kind: Kind) -> Result<u32, CheckpointUnreadable> {
    if preamble[..8] != *kind.magic() {
        return Err(unreadable("it is something else than its name says"));
    }
    if preamble[8..10] != VERSION.to_le_bytes() {
        return Err(unreadable("it was written by another version of the program"));
    }
    let [.., a, b, c, d] = *preamble;
    Ok(u32::from_le_bytes([a, b, c, d]))
}

impl<R: Seek> Reader<R> {
    fn skip(&mut self, bytes: u64) -> Result<(), CheckpointUnreadable> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or_else(|| unreadable(TORN))?;
        let bytes = i64::try_from(bytes).map_err(unreadable)?;
        self.input.seek_relative(bytes).map_err(unreadable)
    }
}

fn length(bytes: &[u8]) -> io::Result<[u8; LENGTH_BYTES]> {
    let length = u32::try_from(bytes.len()).map_err(|_| io::Error::other("a part has 4 GiB or more"))?;
    Ok(length.to_le_bytes())
}

fn chained(previous: &Hash, pieces: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&previous.0);
    for piece in pieces {
        hasher.update(piece);
    }
    Hash(*hasher.finalize().as_bytes())
}

pub(super) fn unreadable(why: impl ToString) -> CheckpointUnreadable {
    CheckpointUnreadable(why.to_string())
}
