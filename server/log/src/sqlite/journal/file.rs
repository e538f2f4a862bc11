//! One file of the journal: room that is written over and over, each write durable when it returns.
//!
//! Its room is filled with zeros before it is used. So a write changes nothing but blocks that the file has already, and the file system need
//! not write down where they lie. Knows nothing of frames.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use crate::past_cache::{ALIGNMENT, Aligned, BlockFile};

/// The room grows by so many bytes at least.
const GROWTH_BYTES: usize = 1024 * 1024;

/// An open file of the journal.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: BlockFile,
    /// How much of it can be written over.
    room: u64,
}

impl JournalFile {
    /// Opens the file, or creates it without any room.
    pub(super) fn open(path: &Path) -> io::Result<JournalFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = BlockFile::open_durable(&options, path)?;
        let room = file.file().metadata()?.len() / ALIGNMENT as u64 * ALIGNMENT as u64;
        Ok(JournalFile { file, room })
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
        self.file.write_at(blocks, at)?;
        if self.file.is_durable() { Ok(()) } else { self.file.file().sync_data() }
    }

    /// Reads whole blocks, into [`Aligned`] memory, from a block on.
    pub(super) fn read_at(&self, blocks: &mut [u8], at: u64) -> io::Result<()> {
        let mut file = self.file.file();
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(blocks)
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
        let mut block = Aligned::zeroed(ALIGNMENT);
        block.put_askew();
        block.bytes_mut(ALIGNMENT).fill(7);
        file.write_at(block.bytes(ALIGNMENT), ALIGNMENT as u64).unwrap();
        assert!(!file.file.is_direct());
        let written = std::fs::read(&path).unwrap();
        assert_eq!(written.len(), GROWTH_BYTES);
        assert!(written.iter().enumerate().all(|(at, byte)| *byte == 7 * u8::from(at / ALIGNMENT == 1)));
        assert!(JournalFile::open(&path).unwrap().has_room(GROWTH_BYTES as u64));
    }
}
