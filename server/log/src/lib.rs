//! The log: what is true, in order, for each namespace.
//!
//! Knows records as bytes with revisions and hashes; knows nothing of what the bytes mean.
//!
//! A [`Log`] keeps one chain of [`Record`]s per namespace. Each record holds one or more events with consecutive
//! revisions, and the hash of the record before, so a chain proves that nothing in it was changed, removed or moved.
//! The only way to write is compare-and-append ([`Log::append`]): it fails if the chain has moved on.

mod admission;
mod answered;
mod archive;
mod chain;
mod checkpoints;
mod error;
mod faults;
mod file_system;
mod keep;
mod log;
mod log_id;
mod memory;
mod open_error;
mod past_cache;
mod record;
mod recovery;
mod removal;
mod sqlite;
mod sync_folder;
pub mod testing;
mod verify;

pub use archive::{
    Archive, ArchiveError, ArchiveReader, ArchivedBody, ArchivedHandoff, ArchivedRow, MemoryArchive, Rows,
    SqliteArchive, SqliteArchiveReader,
};
pub use chain::Chain;
pub use checkpoints::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, FileCheckpoints,
    MemoryCheckpoints, Segment, SegmentHead, SegmentPart, SegmentReader, TakePart,
};
pub use error::{AppendError, Damage, DamageKind, ReadError};
pub use faults::{AppendFault, FaultLog, Faulty, Plan, ReadFault, TruncateFault};
pub use keep::Keep;
pub use log::{
    Append, Head, Log, LogReader, NAMESPACE_BYTES_MAX, REVISION_MAX, ReadLimit, TRUNCATE_BYTES_MAX,
    TRUNCATE_RECORDS_MAX, Truncated,
};
pub use log_id::{LogId, ParseLogIdError};
pub use memory::{MemoryLog, MemoryReader, MemoryStore};
pub use open_error::OpenError;
pub use record::{Hash, RECORD_VERSION, Record};
pub use sqlite::{SqliteLog, SqliteOptions, SqliteReader, SqliteStopped};
pub use verify::{Progress, Verified, Walk, verify};
