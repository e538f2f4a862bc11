//! What can go wrong when a log is read or appended to, and what is certain afterwards.
//!
//! Knows nothing of the storage that failed: its messages arrive as text.

use std::sync::Arc;

use crate::Hash;

/// A record that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "namespace {namespace} is damaged at revision {revision}: {what}; stop the server and restore the data folder \
     from a backup, then check it with `baton verify --data DIR`"
)]
pub struct Damage {
    /// The namespace whose chain is broken.
    pub namespace: Arc<str>,
    /// First revision of the damaged record, or the revision that is missing.
    pub revision: u64,
    /// What is wrong with it.
    pub what: DamageKind,
}

impl Damage {
    /// Names a damage.
    pub fn new(namespace: &str, revision: u64, what: DamageKind) -> Damage {
        Damage { namespace: namespace.into(), revision, what }
    }
}

/// The ways a record can be damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DamageKind {
    /// The content does not match the checksum.
    #[error("the record is torn or altered (its content does not match its checksum)")]
    Altered,
    /// The record does not continue the one before.
    #[error("the record does not follow the one before (it links to {found}, the one before is {expected})")]
    Unlinked {
        /// Checksum of the record before.
        expected: Hash,
        /// What the record names as the record before.
        found: Hash,
    },
    /// No record holds this revision.
    #[error("the record is missing")]
    Missing,
    /// The record is older than the one before.
    #[error("the record's time ({time_us} us) is before that of the record before ({previous_us} us)")]
    TimeWentBack {
        /// Time of the record, in microseconds since the Unix epoch.
        time_us: i64,
        /// Time of the record before.
        previous_us: i64,
    },
    /// The storage itself says that it is damaged.
    #[error("the storage is damaged ({0})")]
    Storage(String),
}

/// Why nothing could be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The wanted revision is no longer kept.
    #[error("the revision is no longer kept: the oldest is {oldest}, the newest {newest}")]
    Compacted {
        /// First revision that is still kept.
        oldest: u64,
        /// Newest revision.
        newest: u64,
    },
    /// A record is missing, torn or altered.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The storage cannot be read now.
    #[error("the log cannot be read: {0}")]
    Io(String),
}

/// Why an append failed, by what is certain afterwards.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Definite: the namespace has moved on; nothing was written.
    #[error("namespace {namespace} is at revision {actual}, not {expected}")]
    Conflict {
        /// The namespace that has moved on.
        namespace: Arc<str>,
        /// The revision that the caller expected.
        expected: u64,
        /// The revision it is at.
        actual: u64,
    },
    /// Definite: there was no space, nothing was written. Later appends may succeed.
    #[error("the log is full, nothing was written: {0}; free space or raise the limit")]
    Full(String),
    /// Definite: nothing was written.
    #[error("the log refused to append, nothing was written: {0}")]
    Refused(String),
    /// The appends were all written or not at all: settle which by reading.
    #[error("the log did not say whether it appended: {0}")]
    Unknown(String),
    /// It may be written but is not durable, and nobody can say: stop. Opening the log again settles it.
    #[error("the log cannot be trusted to be durable any more, it must be opened again: {0}")]
    Broken(String),
}
