//! Checkpoints as files: `checkpoints/<namespace>-<revision>.checkpoint` below the data folder.
//!
//! A file appears under its name only when it is whole and durable. Knows nothing of a checkpoint's encoding.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::encoding::{Reader, Writer};
use super::{CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, TakePart};
use crate::sync_folder::sync_folder;

const SUFFIX: &str = ".checkpoint";
/// What a file is called while it is written.
const UNFINISHED: &str = ".unfinished";

/// So many bytes are synced at once: the log's own syncs, which hand-offs wait for, may have to wait for these on the same disk, so they
/// never find gigabytes before them.
const SYNC_BYTES: usize = 8 * 1024 * 1024;

/// [`Checkpoints`] in a folder.
#[derive(Clone, Debug)]
pub struct FileCheckpoints {
    folder: PathBuf,
}

impl FileCheckpoints {
    /// Opens the checkpoints of a data folder, which must exist, and removes what an earlier process left unfinished.
    ///
    /// # Errors
    /// [`CheckpointError`] if the folder cannot be created or read.
    pub fn open(data: &Path) -> Result<FileCheckpoints, CheckpointError> {
        let folder = data.join("checkpoints");
        match fs::create_dir(&folder) {
            Ok(()) => sync_folder(data).map_err(failed("sync the folder", data))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
            Err(error) => return Err(failed("create the folder", &folder)(error)),
        }
        let checkpoints = FileCheckpoints { folder };
        for name in checkpoints.names()?.iter().filter(|name| name.ends_with(UNFINISHED)) {
            checkpoints.remove(name);
        }
        Ok(checkpoints)
    }

    /// The revisions of the files that are there, newest first.
    fn revisions(&self, namespace: &str) -> Result<Vec<u64>, CheckpointError> {
        let prefix = prefix(namespace);
        let revision = |name: &String| name.strip_prefix(&prefix)?.strip_suffix(SUFFIX)?.parse::<u64>().ok();
        let mut revisions: Vec<u64> = self.names()?.iter().filter_map(revision).collect();
        revisions.sort_unstable_by(|a, b| b.cmp(a));
        Ok(revisions)
    }

    fn names(&self) -> Result<Vec<String>, CheckpointError> {
        let read = || -> io::Result<Vec<String>> {
            let entries = fs::read_dir(&self.folder)?.collect::<io::Result<Vec<_>>>()?;
            Ok(entries.into_iter().filter_map(|entry| entry.file_name().into_string().ok()).collect())
        };
        read().map_err(failed("read the folder", &self.folder))
    }

    /// A file too many does no harm, so a failure to remove one is only worth a warning.
    fn remove(&self, name: &str) {
        let path = self.folder.join(name);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove an old checkpoint");
        }
    }
}

impl Checkpoints for FileCheckpoints {
    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let path = self.folder.join(name(&head.namespace, head.revision));
        let unfinished = path.with_extension(&UNFINISHED[1..]);
        write_whole(&unfinished, head, write).inspect_err(|_| {
            // The disk may be full, and the log needs the room. If this fails as well, the next start sweeps it away.
            let _ = fs::remove_file(&unfinished);
        })?;
        fs::rename(&unfinished, &path).map_err(failed("rename the checkpoint to", &path))?;
        sync_folder(&self.folder).map_err(failed("sync the folder", &self.folder))
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        match self.revisions(namespace) {
            Ok(revisions) => {
                let others = revisions.iter().filter(|revision| !kept.contains(revision));
                others.for_each(|&revision| self.remove(&name(namespace, revision)));
            }
            Err(error) => tracing::warn!(%namespace, %error, "old checkpoints are left where they are"),
        }
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        let head = |revision: u64| match self.reader(namespace, revision) {
            Ok((head, _)) => Some(head),
            Err(why) => {
                let path = self.folder.join(name(namespace, revision));
                tracing::warn!(path = %path.display(), %namespace, revision, %why, "left out a damaged checkpoint");
                None
            }
        };
        Ok(self.revisions(namespace)?.into_iter().filter_map(head).collect())
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        match self.reader(&head.namespace, head.revision)? {
            (found, reader) if found == *head => Ok(Box::new(reader)),
            _ => Err(CheckpointUnreadable("it was replaced by another".to_owned())),
        }
    }
}

impl FileCheckpoints {
    fn reader(
        &self,
        namespace: &str,
        revision: u64,
    ) -> Result<(CheckpointHead, Reader<BufReader<File>>), CheckpointUnreadable> {
        let path = self.folder.join(name(namespace, revision));
        let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = file.map_err(|error| CheckpointUnreadable(error.to_string()))?;
        let (head, reader) = Reader::begin(BufReader::new(file), bytes)?;
        if *head.namespace != *namespace || head.revision != revision {
            let why = "it is of another namespace or revision than its name says";
            return Err(CheckpointUnreadable(why.to_owned()));
        }
        Ok((head, reader))
    }
}

fn write_whole(
    path: &Path,
    head: &CheckpointHead,
    write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
) -> Result<(), CheckpointError> {
    let failed_to_write = || failed("write the checkpoint", path);
    let file = File::create(path).map_err(failed_to_write())?;
    let mut writer = Writer::begin(Paced::new(file), head).map_err(failed_to_write())?;
    write(&mut |part| writer.part(part).map_err(failed_to_write()))?;
    writer.end().and_then(Paced::finish).map_err(failed_to_write())
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

/// A namespace may hold characters that file names may not, so its hash stands for it.
fn prefix(namespace: &str) -> String {
    format!("{}-", &blake3::hash(namespace.as_bytes()).to_hex()[..32])
}

/// Padded, so that names sort as revisions do.
fn name(namespace: &str, revision: u64) -> String {
    format!("{}{revision:020}{SUFFIX}", prefix(namespace))
}

fn failed<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> CheckpointError + 'a {
    move |source| CheckpointError { what, path: path.to_owned(), source }
}
