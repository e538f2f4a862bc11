//! Writes a file past the system's cache, where that can be done.
//!
//! A busy server writes hundreds of megabytes of checkpoints in a second, and nobody reads them before the next start: to copy them into the
//! cache would take as long as to make them. Knows nothing of what is in the file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use crate::past_cache::{Aligned, BlockFile};

/// So many bytes are given to the disk at once.
const WRITE_BYTES: usize = 1024 * 1024;

/// Where nothing goes past the cache, so many bytes are synced at once: the log's own syncs, which hand-offs wait for, may have to wait for
/// these on the same disk, so they never find gigabytes before them.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// A new file that is written from its beginning to its end.
pub(super) struct DirectFile {
    file: BlockFile,
    buffer: Aligned,
    /// How much of it waits to be written.
    waiting: usize,
    written: u64,
    unsynced: usize,
}

impl DirectFile {
    /// Creates the file, or empties the one that is there.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        let file = BlockFile::open(&options, path)?;
        Ok(Self { file, buffer: Aligned::zeroed(WRITE_BYTES), waiting: 0, written: 0, unsynced: 0 })
    }

    /// Writes what waits, and makes all of it durable.
    pub(super) fn finish(mut self) -> io::Result<()> {
        // The end need not fill a block.
        self.file.through_cache()?;
        self.write_waiting()?;
        self.file.file().sync_all()
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        self.file.write_at(self.buffer.bytes(self.waiting), self.written)?;
        self.written += self.waiting as u64;
        self.unsynced += self.waiting;
        self.waiting = 0;
        if !self.file.is_direct() && self.unsynced >= SYNC_BYTES {
            self.file.file().sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

impl Write for DirectFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(WRITE_BYTES - self.waiting);
        self.buffer.bytes_mut(WRITE_BYTES)[self.waiting..][..taken].copy_from_slice(&bytes[..taken]);
        self.waiting += taken;
        if self.waiting == WRITE_BYTES {
            self.write_waiting()?;
        }
        Ok(taken)
    }

    /// Nothing is durable before [`DirectFile::finish`].
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::past_cache::ALIGNMENT;

    #[test]
    fn what_is_written_is_there_whatever_its_size_and_its_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let sizes =
            [0, 1, ALIGNMENT, WRITE_BYTES - 1, WRITE_BYTES, WRITE_BYTES + 1, SYNC_BYTES + WRITE_BYTES];
        let bytes: Vec<u8> = (0..SYNC_BYTES + WRITE_BYTES).map(|at| (at % 251) as u8).collect();
        for size in sizes {
            for (is_cached, piece) in [(false, 4_099), (true, 4_099), (false, usize::MAX)] {
                let mut file = DirectFile::create(&path).unwrap();
                if is_cached {
                    file.file.through_cache().unwrap();
                }
                bytes[..size].chunks(piece.min(size.max(1))).for_each(|piece| file.write_all(piece).unwrap());
                file.finish().unwrap();
                assert!(std::fs::read(&path).unwrap() == bytes[..size], "{size} bytes, cached: {is_cached}");
            }
        }
    }

    #[test]
    fn a_write_that_cannot_go_past_the_cache_goes_through_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut file = DirectFile::create(&path).unwrap();
        file.buffer.put_askew();
        file.write_all(&vec![7; WRITE_BYTES - 1]).unwrap();
        file.write_all(&[8; 2]).unwrap();
        assert!(!file.file.is_direct());
        file.finish().unwrap();
        let written = std::fs::read(&path).unwrap();
        assert_eq!((written.len(), written[0], written[WRITE_BYTES - 1]), (WRITE_BYTES + 1, 7, 8));
    }
}
