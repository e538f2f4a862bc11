//! Reads a file from its beginning to its end, and has the system fetch what comes next meanwhile.
//!
//! A start has enough to do with what it has read; it should not wait for the disk as well. Knows nothing of what is in the file.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// So many bytes are asked of the system at once, where fewer are wanted: parts are longer, and go where they are wanted without a copy.
const READ_BYTES: usize = 8 * 1024;

/// How far ahead of what was read the system is to be, and in which steps it is told: of a longer one Linux fetches only as much as it would
/// read ahead by itself, which is 128 KiB where nobody has set it.
const AHEAD_BYTES: u64 = 16 * 1024 * 1024;
const STEP_BYTES: u64 = 128 * 1024;

/// A file that is read from its beginning to its end.
pub(super) struct ReadAhead {
    file: File,
    bytes: u64,
    read: u64,
    /// Up to where the system was told.
    told: u64,
}

impl ReadAhead {
    /// Opens a file, and tells how long it is. Nothing is fetched before more than the first bytes are asked for.
    pub(super) fn open(path: &Path) -> io::Result<(BufReader<Self>, u64)> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let ahead = Self { file, bytes, read: 0, told: 0 };
        Ok((BufReader::with_capacity(READ_BYTES, ahead), bytes))
    }

    /// Has what comes next fetched.
    pub(super) fn fetch(&mut self) {
        while self.told < self.bytes.min(self.read + AHEAD_BYTES) {
            fetch(&self.file, self.told, STEP_BYTES);
            self.told += STEP_BYTES;
        }
    }
}

impl Read for ReadAhead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Many are opened for their head alone.
        if self.read > 0 {
            self.fetch();
        }
        let count = self.file.read(into)?;
        self.read += count as u64;
        Ok(count)
    }
}

/// It only makes reading faster, so nothing depends on whether it can be done.
#[cfg(target_os = "linux")]
fn fetch(file: &File, from: u64, bytes: u64) {
    let _ = rustix::fs::fadvise(file, from, std::num::NonZeroU64::new(bytes), rustix::fs::Advice::WillNeed);
}

#[cfg(not(target_os = "linux"))]
fn fetch(_: &File, _: u64, _: u64) {}
