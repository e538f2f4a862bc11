//! The traits: what a log can do, whatever keeps it.
//!
//! Knows nothing of files, databases or what record bodies mean.

use std::sync::Arc;

use crate::{AppendError, Hash, Keep, LogId, ReadError, Record};

/// Longest name of a namespace, in bytes.
pub const NAMESPACE_BYTES_MAX: usize = 256;

/// Greatest revision: what a signed 64-bit column can hold.
pub const REVISION_MAX: u64 = i64::MAX as u64;

/// Most records that one step of a truncation removes: whoever waits to append waits for one step at most.
pub const TRUNCATE_RECORDS_MAX: usize = 256;

/// Most bytes of bodies that one step of a truncation removes, if there is more than one record.
pub const TRUNCATE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Where a namespace's chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The namespace.
    pub namespace: Arc<str>,
    /// Newest revision, 0 if nothing was ever appended.
    pub revision: u64,
    /// First revision that is still kept; `revision + 1` if none is.
    pub oldest_revision: u64,
    /// Checksum of the newest record, [`Hash::ZERO`] if nothing was ever appended.
    pub hash: Hash,
}

impl Head {
    /// The head of a namespace that has no record yet.
    pub fn empty(namespace: &str) -> Head {
        Head { namespace: namespace.into(), revision: 0, oldest_revision: 1, hash: Hash::ZERO }
    }
}

/// One compare-and-append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The revision that the namespace must be at: `record.first_revision - 1`.
    pub expected_revision: u64,
    /// What to append; `record.previous` is the hash of the head.
    pub record: Record,
}

/// How much one read may return. At least one record is returned if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimit {
    /// Most records.
    pub records: usize,
    /// Most bytes of bodies, together.
    pub bytes: usize,
}

impl ReadLimit {
    /// Bounds a read only by memory.
    pub const UNLIMITED: ReadLimit = ReadLimit { records: usize::MAX, bytes: usize::MAX };
}

/// What one step of a truncation came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// First revision that is kept now.
    pub oldest_revision: u64,
    /// Whether nothing is left to remove: otherwise the next step goes on.
    pub is_done: bool,
}

/// Reads a log; sees only what is durable.
pub trait LogReader: Send {
    /// The log's identity.
    fn id(&self) -> LogId;

    /// What keeps the log: `sqlite`, `memory`.
    fn kind(&self) -> &'static str;

    /// The heads of all namespaces that ever had a record, ordered by name.
    ///
    /// # Errors
    /// [`ReadError::Io`] and [`ReadError::Damaged`].
    fn heads(&self) -> Result<Vec<Head>, ReadError>;

    /// The head of one namespace; [`Head::empty`] if it is unknown.
    ///
    /// # Errors
    /// [`ReadError::Io`] and [`ReadError::Damaged`].
    fn head(&self, namespace: &str) -> Result<Head, ReadError>;

    /// Returns the records that contain a revision of `from` or greater, in order: the first contains `from` itself.
    /// Each was checked: its checksum, and its link to the one before it within the answer. Empty if `from` is beyond
    /// the newest. `from = 0` is read as 1.
    ///
    /// # Errors
    /// [`ReadError::Compacted`] if `from` is no longer kept, [`ReadError::Damaged`] if a record is missing, torn or
    /// altered, [`ReadError::Io`] if the storage cannot be read.
    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError>;

    /// Returns the first revision of the oldest record of `namespace` that `keep` asks for; one beyond the newest revision if
    /// it asks for none. Looks at about log2 of the namespace's revisions many records, however long the log is.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] if a record that it looks at is missing, [`ReadError::Io`] if the storage cannot be read.
    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError>;
}

/// Writes a log. Blocking, and used by one thread at a time.
pub trait Log: LogReader {
    /// Appends all of the records or none, and makes them durable at once. One record per namespace at most.
    /// The records' times must not go back within a namespace: [`verify`](crate::verify()) reports it.
    ///
    /// # Errors
    /// [`AppendError`] says of each failure whether something may have been written.
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError>;

    /// Removes whole records that end before `revision`, oldest first: at most [`TRUNCATE_RECORDS_MAX`] of them and
    /// [`TRUNCATE_BYTES_MAX`], at least one if there is one. The hash of the last removed record is kept, so the rest of
    /// the chain can still be verified. Does nothing if there is nothing to remove.
    ///
    /// # Errors
    /// As [`Log::append`]; after a failure the step may be done or not, never in part.
    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError>;

    /// Opens a handle of its own for another thread. It sees each append as soon as that is durable.
    ///
    /// # Errors
    /// [`ReadError::Io`] if the storage cannot be opened once more.
    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError>;
}
