//! One file of the journal: room that is written over and over, each write durable when it returns.
//!
//! Its room is filled with zeros before it is used. So a write changes nothing but blocks that the file has already, and the file system need
//! not write down where they lie. Knows nothing of frames.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

use crate::past_cache::{self, ALIGNMENT};

/// The room grows by so many bytes at least.
const GROWTH_BYTES: usize = 1024 * 1024;

/// An open file of the journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    /// A write is durable by itself: otherwise it is synced.
    is_durable: bool,
    is_direct: bool,
    /// How much of it can be written over.
    room: u64,
}

impl JournalFile {
    /// Opens the file, or creates it without any room.
    pub(super) fn open(path: &Path) -> io::Result<JournalFile> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let (file, is_direct) = match past_cache::open_durable(&options, path) {
            Some(file) => (file?, true),
            None => (options.open(path)?, false),
        };
        let room = file.metadata()?.len() / ALIGNMENT as u64 * ALIGNMENT as u64;
        Ok(JournalFile { file, is_durable: is_direct, is_direct, room })
    }

    /// Makes sure that so many bytes can be written over.
    pub(super) fn grow_to(&mut self, bytes: u64) -> io::Result<()> {
        let zeros = Aligned::zeroed(GROWTH_BYTES);
        while self.room < bytes {
            self.write_at(zeros.bytes(GROWTH_BYTES), self.room)?;
            self.room += GROWTH_BYTES as u64;
        }
        Ok(())
    }

    /// Whether [`JournalFile::grow_to`] would have nothing to do.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        bytes <= self.room
    }

    /// Writes whole blocks at a block; durable on return.
    pub(super) fn write_at(&mut self, blocks: &[u8], at: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        match self.file.write_all(blocks) {
            // A file system that wants larger blocks says so now.
            Err(error) if self.is_direct && error.kind() == ErrorKind::InvalidInput => {
                past_cache::leave(&self.file)?;
                self.is_direct = false;
                return self.write_at(blocks, at);
            }
            written => written?,
        }
        if self.is_durable { Ok(()) } else { self.file.sync_data() }
    }
}

/// Memory that can be written past the cache.
pub(super) struct Aligned {
    bytes: Vec<u8>,
    start: usize,
}

impl fmt::Debug for Aligned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size())
    }
}

impl Aligned {
    /// So many zeros.
    pub(super) fn zeroed(size: usize) -> Aligned {
        let bytes = vec![0; size + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        Aligned { bytes, start }
    }

    pub(super) fn size(&self) -> usize {
        self.bytes.len() - ALIGNMENT
    }

    pub(super) fn bytes(&self, size: usize) -> &[u8] {
        &self.bytes[self.start..self.start + size]
    }

    pub(super) fn bytes_mut(&mut self, size: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + size]
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_cannot_go_past_the_cache_goes_through_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = JournalFile::open(&path).unwrap();
        file.grow_to(1).unwrap();
        assert!(file.has_room(GROWTH_BYTES as u64) && !file.has_room(GROWTH_BYTES as u64 + 1));
        let mut blocks = Aligned::zeroed(2 * ALIGNMENT);
        blocks.bytes_mut(2 * ALIGNMENT).fill(7);
        // No disk takes a write from there, as one with larger blocks would not take any.
        let askew = &blocks.bytes(2 * ALIGNMENT)[1..=ALIGNMENT];
        file.write_at(askew, ALIGNMENT as u64).unwrap();
        assert!(!file.is_direct);
        let written = std::fs::read(&path).unwrap();
        assert_eq!(written.len(), GROWTH_BYTES);
        assert!(written.iter().enumerate().all(|(at, byte)| *byte == 7 * u8::from(at / ALIGNMENT == 1)));
        assert!(JournalFile::open(&path).unwrap().has_room(GROWTH_BYTES as u64));
    }
}
