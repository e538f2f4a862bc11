//! Checkpoints: what a namespace looked like at a revision, so that a restart need not replay everything before it.
//!
//! They are views of the log and may be lost: a damaged one is left out, and the log is replayed instead. Knows
//! nothing of what a checkpoint's body means.

mod encoding;
mod file;
mod memory;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::Hash;

pub use file::FileCheckpoints;
pub use memory::MemoryCheckpoints;

/// One checkpoint, as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The namespace.
    pub namespace: Arc<str>,
    /// All events up to this revision are in it.
    pub revision: u64,
    /// Checksum of the log's record that ends at `revision`: ties the checkpoint to the log that it is a view of.
    pub hash: Hash,
    /// Format of the body's encoding, chosen by the caller.
    pub format: u16,
    /// The state, as the caller encoded it.
    pub body: Bytes,
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

/// Keeps checkpoints until it is told which of them are needed no more.
pub trait Checkpoints: Send {
    /// Saves a checkpoint of `namespace` at `revision`; `hash` is that of the log's record that ends there. Durable on
    /// return. Replaces the one at the same revision, if there is one.
    ///
    /// # Errors
    /// [`CheckpointError`] if it could not be saved; those saved before are still there.
    fn save(
        &mut self,
        namespace: &str,
        revision: u64,
        hash: Hash,
        format: u16,
        body: &[u8],
    ) -> Result<(), CheckpointError>;

    /// Removes all checkpoints of `namespace` but those at the revisions `kept`, damaged ones too. One that cannot be removed
    /// does no harm; the server's log has a warning then.
    fn remove_others(&mut self, namespace: &str, kept: &[u64]);

    /// Returns the namespace's checkpoints, newest first. Damaged ones are left out, with a warning in the server's log.
    ///
    /// # Errors
    /// [`CheckpointError`] if the folder cannot be read.
    fn load(&self, namespace: &str) -> Result<Vec<Checkpoint>, CheckpointError>;
}
