//! Checkpoints as files: `checkpoints/<namespace>-<revision>.checkpoint` below the data folder.
//!
//! A file appears under its name only when it is whole and durable. Knows nothing of a checkpoint's encoding.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Checkpoint, CheckpointError, Checkpoints, encoding};
use crate::Hash;
use crate::sync_folder::sync_folder;

const SUFFIX: &str = ".checkpoint";
/// What a file is called while it is written.
const UNFINISHED: &str = ".unfinished";

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

    fn write(&self, path: &Path, parts: [&[u8]; 3]) -> Result<(), CheckpointError> {
        let unfinished = path.with_extension(&UNFINISHED[1..]);
        write_whole(&unfinished, parts).map_err(failed("write the checkpoint", &unfinished))?;
        fs::rename(&unfinished, path).map_err(failed("rename the checkpoint to", path))?;
        sync_folder(&self.folder).map_err(failed("sync the folder", &self.folder))
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
        namespace: &str,
        revision: u64,
        hash: Hash,
        format: u16,
        body: &[u8],
    ) -> Result<(), CheckpointError> {
        let header = encoding::header(namespace, revision, hash, format, body.len());
        let checksum = encoding::checksum(&header, body);
        let path = self.folder.join(name(namespace, revision));
        self.write(&path, [&header, body, &checksum])
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

    fn load(&self, namespace: &str) -> Result<Vec<Checkpoint>, CheckpointError> {
        let revisions = self.revisions(namespace)?;
        Ok(revisions.into_iter().filter_map(|revision| self.read(namespace, revision)).collect())
    }
}

impl FileCheckpoints {
    fn read(&self, namespace: &str, revision: u64) -> Option<Checkpoint> {
        let path = self.folder.join(name(namespace, revision));
        let decoded = fs::read(&path).map_err(|error| error.to_string());
        let decoded = decoded.and_then(|bytes| encoding::decode(bytes).map_err(str::to_owned));
        let why = match decoded {
            Ok(checkpoint) if *checkpoint.namespace == *namespace && checkpoint.revision == revision => {
                return Some(checkpoint);
            }
            Ok(_) => "it is of another namespace or revision than its name says".to_owned(),
            Err(why) => why,
        };
        tracing::warn!(path = %path.display(), %namespace, revision, %why, "left out a damaged checkpoint");
        None
    }
}

fn write_whole(path: &Path, parts: [&[u8]; 3]) -> io::Result<()> {
    let mut file = File::create(path)?;
    parts.into_iter().try_for_each(|part| file.write_all(part))?;
    file.sync_all()
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
