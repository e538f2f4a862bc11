//! Writes a file that appears under its name only when it is whole and durable.
//!
//! Knows nothing of what is in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{
    CheckpointError, TakePart,
    direct::DirectFile,
    encoding::{Kind, Writer, Written},
};
use crate::sync_folder::sync_folder;

/// What a file's name ends with while it is written.
pub(super) const UNFINISHED: &str = ".unfinished";

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
    let file = DirectFile::create(path).map_err(failed_to_write())?;
    let mut writer = Writer::begin(file, kind, &head).map_err(failed_to_write())?;
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
