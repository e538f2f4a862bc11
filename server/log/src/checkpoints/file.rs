//! Checkpoints as files: `checkpoints/<namespace>-<revision>.checkpoint` below the data folder, and beside them the segments that they build
//! on, `<namespace>-<first revision>-<last revision>.segment`.
//!
//! Files never change: they come, whole and durable, and go. Knows nothing of how they are encoded.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::encoding::{Kind, Reader, read_part, unreadable};
use super::heads::{decode_checkpoint, encode_checkpoint, encode_segment};
use super::read_ahead::ReadAhead;
use super::whole::{Source, Whole};
use super::write::{Content, UNFINISHED, failed, write_file};
use super::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, Segment,
    SegmentHead, SegmentPart, SegmentReader, TakePart,
};
use crate::sync_folder::sync_folder;

const CHECKPOINT: &str = ".checkpoint";
const SEGMENT: &str = ".segment";

/// [`Checkpoints`] in a folder.
#[derive(Clone, Debug)]
pub struct FileCheckpoints {
    folder: PathBuf,
}

impl FileCheckpoints {
    /// Opens the checkpoints of a data folder, which must exist, and removes what an earlier process left unfinished: files that are not
    /// whole, and segments whose checkpoint never came.
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
        let names = checkpoints.names()?;
        for name in names.iter().filter(|name| name.ends_with(UNFINISHED)) {
            checkpoints.remove(name);
        }
        let segments = names.iter().filter(|name| name.ends_with(SEGMENT));
        let prefixes: BTreeSet<&str> = segments.filter_map(|name| name.get(..PREFIX_BYTES)).collect();
        prefixes.into_iter().for_each(|prefix| checkpoints.remove_unnamed(prefix));
        Ok(checkpoints)
    }

    /// The revisions of the files that are there, newest first.
    fn revisions(&self, namespace: &str) -> Result<Vec<u64>, CheckpointError> {
        let prefix = prefix(namespace);
        let revision = |name: &String| name.strip_prefix(&prefix)?.strip_suffix(CHECKPOINT)?.parse().ok();
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

    /// Removes the segments that no checkpoint of a namespace names.
    fn remove_unnamed(&self, prefix: &str) {
        match self.unnamed(prefix) {
            Ok(unnamed) => unnamed.iter().for_each(|name| self.remove(name)),
            // It may name any of them, and may be read again one day.
            Err(why) => {
                tracing::warn!(folder = %self.folder.display(), %why, "old segments are left where they are");
            }
        }
    }

    fn unnamed(&self, prefix: &str) -> Result<Vec<String>, CheckpointUnreadable> {
        let names = self.names().map_err(unreadable)?;
        let (mut unnamed, mut named) = (Vec::new(), BTreeSet::new());
        for name in names.into_iter().filter(|name| name.starts_with(prefix)) {
            if name.ends_with(SEGMENT) {
                unnamed.push(name);
            } else if name.ends_with(CHECKPOINT) {
                let told = |why: CheckpointUnreadable| unreadable(format!("{name}: {why}"));
                let (head, _) = self.checkpoint(&name).map_err(told)?;
                named.extend(
                    head.segments.iter().map(|segment| segment_name(prefix, segment.first, segment.last)),
                );
            }
        }
        unnamed.retain(|name| !named.contains(name));
        Ok(unnamed)
    }

    /// A file too many does no harm, so a failure to remove one is only worth a warning.
    fn remove(&self, name: &str) {
        let path = self.folder.join(name);
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove an old checkpoint");
        }
    }

    fn checkpoint(
        &self,
        name: &str,
    ) -> Result<(CheckpointHead, Reader<BufReader<ReadAhead>>), CheckpointUnreadable> {
        let (input, bytes) = source(&self.folder.join(name))?;
        let (head, reader) = Reader::begin(input, bytes, Kind::Checkpoint)?;
        Ok((decode_checkpoint(&head)?, reader))
    }

    fn checkpoint_of(
        &self,
        namespace: &str,
        revision: u64,
    ) -> Result<(CheckpointHead, Reader<BufReader<ReadAhead>>), CheckpointUnreadable> {
        let (head, reader) = self.checkpoint(&checkpoint_name(namespace, revision))?;
        if *head.namespace != *namespace || head.revision != revision {
            return Err(unreadable("it is of another namespace or revision than its name says"));
        }
        Ok((head, reader))
    }
}

impl Checkpoints for FileCheckpoints {
    fn save_segment(
        &mut self,
        head: &SegmentHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError> {
        let SegmentHead { first, last, count, .. } = *head;
        let prefix = prefix(&head.namespace);
        let content = Content { kind: Kind::Segment, head: encode_segment(head), write };
        let written = write_file(&self.folder, &segment_name(&prefix, first, last), content)
            .inspect_err(|_| self.remove_unnamed(&prefix))?;
        Ok(Segment { first, last, count, bytes: written.bytes, checksum: written.checksum })
    }

    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool {
        let name = segment_name(&prefix(namespace), segment.first, segment.last);
        fs::metadata(self.folder.join(name)).is_ok_and(|found| found.len() == segment.bytes)
    }

    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let name = checkpoint_name(&head.namespace, head.revision);
        let content = Content { kind: Kind::Checkpoint, head: encode_checkpoint(head), write };
        write_file(&self.folder, &name, content)
            .inspect_err(|_| self.remove_unnamed(&prefix(&head.namespace)))?;
        Ok(())
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        match self.revisions(namespace) {
            Ok(revisions) => {
                let others = revisions.iter().filter(|revision| !kept.contains(revision));
                others.for_each(|&revision| self.remove(&checkpoint_name(namespace, revision)));
                self.remove_unnamed(&prefix(namespace));
            }
            Err(error) => tracing::warn!(%namespace, %error, "old checkpoints are left where they are"),
        }
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        let head = |revision: u64| match self.checkpoint_of(namespace, revision) {
            Ok((head, _)) => Some(head),
            Err(why) => {
                let path = self.folder.join(checkpoint_name(namespace, revision));
                tracing::warn!(path = %path.display(), %namespace, revision, %why, "left out a damaged checkpoint");
                None
            }
        };
        Ok(self.revisions(namespace)?.into_iter().filter_map(head).collect())
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        let (found, own) = self.checkpoint_of(&head.namespace, head.revision)?;
        if found != *head {
            return Err(unreadable("it was replaced by another"));
        }
        let prefix = prefix(&head.namespace);
        let find = move |segment: &Segment| {
            let (mut input, bytes) =
                source(&self.folder.join(segment_name(&prefix, segment.first, segment.last)))?;
            input.get_mut().fetch();
            Ok((input, bytes))
        };
        Ok(Box::new(Whole::new(found, own, find)))
    }

    fn segments(&self) -> Box<dyn SegmentReader> {
        Box::new(self.clone())
    }
}

impl SegmentReader for FileCheckpoints {
    fn part(&self, namespace: &str, part: &SegmentPart) -> Result<Vec<u8>, CheckpointUnreadable> {
        let path = self.folder.join(segment_name(&prefix(namespace), part.first, part.last));
        let read = || {
            let file = File::open(&path).map_err(unreadable)?;
            let bytes = file.metadata().map_err(unreadable)?.len();
            read_part(file, bytes, Kind::Segment, part)
        };
        read().map_err(|why| unreadable(format!("{}: {why}", path.display())))
    }
}

fn source(path: &Path) -> Source<BufReader<ReadAhead>> {
    ReadAhead::open(path).map_err(unreadable)
}

const PREFIX_BYTES: usize = 33;

/// What the names of a namespace's files begin with. A namespace may hold characters that file names may not, so its hash stands for it.
fn prefix(namespace: &str) -> String {
    format!("{}-", &blake3::hash(namespace.as_bytes()).to_hex()[..PREFIX_BYTES - 1])
}

/// Padded, so that names sort as revisions do.
fn checkpoint_name(namespace: &str, revision: u64) -> String {
    format!("{}{revision:020}{CHECKPOINT}", prefix(namespace))
}

fn segment_name(prefix: &str, first: u64, last: u64) -> String {
    format!("{prefix}{first:020}-{last:020}{SEGMENT}")
}
