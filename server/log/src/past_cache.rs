//! Files that are written in blocks, past the system's cache where that can be done.
//!
//! Knows nothing of what is in them.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::Path;

/// What a write past the cache begins on, in memory and in the file, and what its size is a multiple of: no disk has larger blocks.
pub(crate) const ALIGNMENT: usize = 4096;

/// A file that is written past the cache for as long as its file system allows it.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: File,
    is_direct: bool,
    /// What is written is durable by itself.
    is_durable: bool,
}

impl BlockFile {
    /// Opens a file that is made durable when all of it is written.
    pub(crate) fn open(options: &OpenOptions, path: &Path) -> io::Result<BlockFile> {
        let (file, is_direct) = match system::open(options, path) {
            Some(file) => (file?, true),
            None => (options.open(path)?, false),
        };
        Ok(BlockFile { file, is_direct, is_durable: false })
    }

    /// Opens a file each of whose writes is durable when it returns.
    pub(crate) fn open_durable(options: &OpenOptions, path: &Path) -> io::Result<BlockFile> {
        match system::open_durable(options, path) {
            Some(file) => Ok(BlockFile { file: file?, is_direct: true, is_durable: true }),
            None => Ok(BlockFile { file: options.open(path)?, is_direct: false, is_durable: false }),
        }
    }

    /// Writes all of it at that place. Past the cache it goes in whole blocks, from [`Aligned`] memory.
    pub(crate) fn write_at(&mut self, blocks: &[u8], at: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        match self.file.write_all(blocks) {
            // A file system that wants still larger blocks says so now.
            Err(error) if self.is_direct && error.kind() == ErrorKind::InvalidInput => {
                self.through_cache()?;
                self.write_at(blocks, at)
            }
            written => written,
        }
    }

    /// What is written from now on goes through the cache, and need not be whole blocks.
    pub(crate) fn through_cache(&mut self) -> io::Result<()> {
        if self.is_direct {
            system::leave(&self.file)?;
            self.is_direct = false;
        }
        Ok(())
    }

    pub(crate) fn is_direct(&self) -> bool {
        self.is_direct
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// The file, to be synced and looked at.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// Memory that can be written past the cache.
pub(crate) struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    size: usize,
}

impl fmt::Debug for Aligned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.size)
    }
}

impl Aligned {
    /// So many zeros.
    pub(crate) fn zeroed(size: usize) -> Aligned {
        // Longer, so that it can begin anywhere.
        let bytes = vec![0; size + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        Aligned { bytes, start, size }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The first so many bytes.
    pub(crate) fn bytes(&self, size: usize) -> &[u8] {
        &self.bytes[self.start..self.start + size]
    }

    /// The first so many bytes.
    pub(crate) fn bytes_mut(&mut self, size: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + size]
    }

    /// No disk takes a write from there, as one with larger blocks would not take any.
    #[cfg(test)]
    pub(crate) fn put_askew(&mut self) {
        self.start = self.bytes.as_ptr().align_offset(ALIGNMENT) % ALIGNMENT + 1;
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    /// Opens a file whose writes go past the cache. `None`: it cannot be done there.
    pub(super) fn open(options: &OpenOptions, path: &Path) -> Option<io::Result<File>> {
        open_with(options, path, OFlags::DIRECT)
    }

    /// Opens a file whose writes go past the cache and are durable when they return. `None`: it cannot be done there.
    pub(super) fn open_durable(options: &OpenOptions, path: &Path) -> Option<io::Result<File>> {
        open_with(options, path, OFlags::DIRECT | OFlags::DSYNC)
    }

    fn open_with(options: &OpenOptions, path: &Path, flags: OFlags) -> Option<io::Result<File>> {
        let mut options = options.clone();
        options.custom_flags(flags.bits().cast_signed());
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => None,
            opened => Some(opened),
        }
    }

    /// What is written from now on goes through the cache.
    pub(super) fn leave(file: &File) -> io::Result<()> {
        let flags = fcntl_getfl(file)?;
        Ok(fcntl_setfl(file, flags - OFlags::DIRECT)?)
    }
}

/// Elsewhere it is asked for in other ways, or not at all.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::Path;

    pub(super) fn open(_: &OpenOptions, _: &Path) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn open_durable(_: &OpenOptions, _: &Path) -> Option<io::Result<File>> {
        None
    }

    pub(super) fn leave(_: &File) -> io::Result<()> {
        Ok(())
    }
}
