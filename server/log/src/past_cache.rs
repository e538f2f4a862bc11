//! Files that are written past the system's cache, where that can be done.
//!
//! Knows nothing of what is in them.

/// What a write past the cache begins on, in memory and in the file, and what its size is a multiple of: no disk has larger blocks.
pub(crate) const ALIGNMENT: usize = 4096;

pub(crate) use system::{leave, open, open_durable};

#[cfg(target_os = "linux")]
mod system {
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

    /// Opens a file whose writes go past the cache. `None`: it cannot be done there.
    pub(crate) fn open(options: &OpenOptions, path: &Path) -> Option<io::Result<File>> {
        open_with(options, path, OFlags::DIRECT)
    }

    /// Opens a file whose writes go past the cache and are durable when they return. `None`: it cannot be done there.
    pub(crate) fn open_durable(options: &OpenOptions, path: &Path) -> Option<io::Result<File>> {
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
    pub(crate) fn leave(file: &File) -> io::Result<()> {
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

    pub(crate) fn open(_: &OpenOptions, _: &Path) -> Option<io::Result<File>> {
        None
    }

    pub(crate) fn open_durable(_: &OpenOptions, _: &Path) -> Option<io::Result<File>> {
        None
    }

    pub(crate) fn leave(_: &File) -> io::Result<()> {
        Ok(())
    }
}
