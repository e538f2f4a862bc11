//! Writes a file that appears under its name only when it is whole and durable.
//!
//! Knows nothing of what is in it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{
    CheckpointError, TakePart,
    encoding::{Kind, Writer, Written},
};
use crate::sync_folder::sync_folder;

/// What a file's name ends with while it is written.
pub(super) const UNFINISHED: &str = ".unfinished";

/// So many bytes are synced at once: the log's own syncs, which hand-offs wait for, may have to wait for these on the same disk, so they
/// never find gigabytes before them.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// What a file was to hold.
pub(super) struct Content<'a> {
    pub(super) kind: Kind,
    pub(super) head: Vec<u8>,
    pub(super) write: &'a mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
}

/// Writes `folder/name`. Durable on return, with its name. If that fails, nothing is left, or the next start sweeps it away.
pub(super) fn write_file(
    folder: &Path,
    name: &str,
    content: Content<'_>,
) -> Result<Written<()>, CheckpointError> {
    let path = folder.join(name);
    let unfinished = path.with_extension(&UNFINISHED[1..]);
    let written = write_whole(&unfinished, content).inspect_err(|_| {
        // The disk may be full, and the log needs the room.
        let _ = fs::remove_file(&unfinished);
    })?;
    fs::rename(&unfinished, &path).map_err(failed("rename the checkpoint to", &path))?;
    sync_folder(folder).map_err(failed("sync the folder", folder))?;
    Ok(written)
}

fn write_whole(path: &Path, content: Content<'_>) -> Result<Written<()>, CheckpointError> {
    let Content { kind, head, write } = content;
    let failed_to_write = || failed("write the checkpoint", path);
    let file = File::create(path).map_err(failed_to_write())?;
    let mut writer = Writer::begin(Paced::new(file), kind, &head).map_err(failed_to_write())?;
    write(&mut |part| writer.part(part).map_err(failed_to_write()))?;
    let Written { out, bytes, checksum } = writer.end().map_err(failed_to_write())?;
    out.finish().map_err(failed_to_write())?;
    Ok(Written { out: (), bytes, checksum })
}

pub(super) fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> CheckpointError + 'a {
    move |source| CheckpointError { what, path: PathBuf::from(path), source }
}

/// Writes a file at the disk's own pace: what is not synced never is much.
struct Paced {
    file: BufWriter<File>,
    unsynced_bytes: usize,
}

impl Paced {
    fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), unsynced_bytes: 0 }
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

impl Write for Paced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unsynced_bytes += written;
        if self.unsynced_bytes >= SYNC_BYTES {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.unsynced_bytes = 0;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
