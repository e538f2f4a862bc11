//! Checkpoints: what a namespace looked like at a revision, so that a restart need not replay everything before it.
//!
//! They are views of the log and may be lost: a damaged one is left out, and the log is replayed instead. Written and read part by part, so
//! that they never are in memory as a whole. What does not change from one to the next stands in segments, which several of them build on.
//! Knows nothing of what a part means.

mod direct;
mod encoding;
mod file;
mod heads;
mod memory;
mod read_ahead;
mod whole;
mod write;

use std::path::PathBuf;
use std::sync::Arc;

use crate::Hash;

pub use file::FileCheckpoints;
pub use memory::MemoryCheckpoints;

/// What a checkpoint is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointHead {
    /// The namespace.
    pub namespace: Arc<str>,
    /// All events up to this revision are in it.
    pub revision: u64,
    /// Checksum of the log's record that ends at `revision`: ties the checkpoint to the log that it is a view of.
    pub hash: Hash,
    /// Format of the parts' encoding, chosen by the caller.
    pub format: u16,
    /// How many tasks it leaves to the archive.
    pub archived: u64,
    /// The segments that it builds on, in the order in which they are read.
    pub segments: Vec<Segment>,
}

/// What a segment is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentHead {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The first revision that is in it. Together with the last, it names the segment.
    pub first: u64,
    /// The last revision that is in it.
    pub last: u64,
    /// How many items it has, as the caller counts them.
    pub count: u64,
    /// Format of the parts' encoding: that of the checkpoints that build on it.
    pub format: u16,
}

/// A segment that was saved, as checkpoints name it: one that was altered or replaced is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first revision that is in it.
    pub first: u64,
    /// The last revision that is in it.
    pub last: u64,
    /// How many items it has.
    pub count: u64,
    /// Its size as it was written.
    pub bytes: u64,
    /// Of all that was written.
    pub checksum: Hash,
}

/// One part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentPart {
    /// The first revision that is in the segment.
    pub first: u64,
    /// The last revision that is in it.
    pub last: u64,
    /// How many parts are before it.
    pub parts_before: usize,
    /// How many bytes they have.
    pub bytes_before: u64,
}

/// A checkpoint could not be saved, or the folder could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}: {source}", path.display())]
pub struct CheckpointError {
    /// What was tried.
    pub what: &'static str,
    /// The file or folder.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: std::io::Error,
}

/// A checkpoint is damaged, or cannot be read now: it is as good as lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CheckpointUnreadable(pub String);

/// Takes the parts of a checkpoint or segment that is being saved, one after the other. None is empty.
pub type TakePart<'a> = dyn FnMut(&[u8]) -> Result<(), CheckpointError> + 'a;

/// The parts of the segments that a saved checkpoint builds on, and then its own.
pub trait CheckpointParts: Send {
    /// The next part, as it was saved; `None`: there are no more, and all of them were whole.
    ///
    /// # Errors
    /// [`CheckpointUnreadable`] if it is not as it was saved; what came before was.
    fn next_part(&mut self) -> Result<Option<Vec<u8>>, CheckpointUnreadable>;
}

/// Reads what segments have, one part at a time, also while others are being saved.
pub trait SegmentReader: Send {
    /// A part, as it was saved.
    ///
    /// # Errors
    /// [`CheckpointUnreadable`] if it is not there, or not as it was saved.
    fn part(&self, namespace: &str, part: &SegmentPart) -> Result<Vec<u8>, CheckpointUnreadable>;
}

/// Keeps checkpoints until it is told which of them are needed no more, and segments while a checkpoint builds on them.
pub trait Checkpoints: Send {
    /// Saves a segment whose parts `write` gives, for a checkpoint that is to be saved next. Durable on return. Replaces the one of the same
    /// revisions, if there is one.
    ///
    /// # Errors
    /// [`CheckpointError`] if it could not be saved, that of `write` too; those that no checkpoint builds on are gone then.
    fn save_segment(
        &mut self,
        head: &SegmentHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError>;

    /// Whether a segment is there, as far as its size tells.
    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool;

    /// Saves a checkpoint whose parts `write` gives. Durable on return. Replaces the one at the same revision, if there is one.
    ///
    /// # Errors
    /// [`CheckpointError`] if it could not be saved, that of `write` too; those saved before are still there, and segments that none of them
    /// builds on are gone.
    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError>;

    /// Removes all checkpoints of `namespace` but those at the revisions `kept`, damaged ones too, and then the segments that none of these
    /// builds on. What cannot be removed does no harm; the server's log has a warning then.
    fn remove_others(&mut self, namespace: &str, kept: &[u64]);

    /// Returns the heads of the namespace's checkpoints, newest first. Those whose head is damaged are left out, with a warning in the server's
    /// log; nothing is said of the parts.
    ///
    /// # Errors
    /// [`CheckpointError`] if the folder cannot be read.
    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError>;

    /// Opens the checkpoint of that head. Its segments are found as their parts are asked for.
    ///
    /// # Errors
    /// [`CheckpointUnreadable`] if it is not there.
    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable>;

    /// Reads segments from another thread.
    fn segments(&self) -> Box<dyn SegmentReader>;
}
