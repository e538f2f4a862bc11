//! Judges which checkpoints can be started from: those of this log that the log goes on from.
//!
//! Knows nothing of what checkpoints hold.

use std::fmt;

use baton_core::CHECKPOINT_FORMAT;
use baton_log::{ArchiveReader, CheckpointHead, Hash, Head, LogReader, ReadError, ReadLimit};

/// Why a checkpoint cannot be started from.
#[derive(Debug)]
pub(super) enum Distrust {
    /// It was written by another version of the server.
    Format(u16),
    /// The log ends before it.
    Beyond { newest: u64 },
    /// Records between it and the oldest that is kept are gone.
    Gap { oldest: u64 },
    /// The log has another record there.
    OtherLog,
    /// The archive does not have all that it leaves out, or cannot say so.
    Archive(String),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(format) => {
                write!(f, "its format is {format}, this server reads format {CHECKPOINT_FORMAT}")
            }
            Self::Beyond { newest } => write!(f, "the log ends at revision {newest}"),
            Self::Gap { oldest } => write!(f, "the log begins at revision {oldest}, so there is a gap"),
            Self::Archive(why) => write!(f, "{why}"),
            Self::OtherLog => write!(f, "it was made from another log"),
        }
    }
}

/// Judges a checkpoint by the record that it was made after, or, where that one is gone, by the hash of it that the log keeps.
pub(super) fn judge(
    checkpoint: &CheckpointHead,
    log: &(impl LogReader + ?Sized),
    archive: &dyn ArchiveReader,
    head: &Head,
) -> Result<Result<(), Distrust>, ReadError> {
    if checkpoint.format != CHECKPOINT_FORMAT {
        return Ok(Err(Distrust::Format(checkpoint.format)));
    }
    let (namespace, revision) = (&*head.namespace, checkpoint.revision);
    if revision > head.revision {
        return Ok(Err(Distrust::Beyond { newest: head.revision }));
    }
    let hash = match log.read(namespace, revision, ONE) {
        Ok(records) => {
            records.first().filter(|record| record.last_revision() == revision).map(|record| record.checksum)
        }
        Err(ReadError::Compacted { oldest, .. }) if oldest == revision + 1 => {
            hash_before(log, namespace, oldest)?
        }
        Err(ReadError::Compacted { oldest, .. }) => return Ok(Err(Distrust::Gap { oldest })),
        Err(error) => return Err(error),
    };
    Ok(if hash == Some(checkpoint.hash) {
        judge_archive(checkpoint, archive)
    } else {
        Err(Distrust::OtherLog)
    })
}

/// Where it leaves finished tasks out, the archive must have them.
fn judge_archive(checkpoint: &CheckpointHead, archive: &dyn ArchiveReader) -> Result<(), Distrust> {
    let distrust = |error: &dyn fmt::Display| Distrust::Archive(error.to_string());
    let CheckpointHead { namespace, revision, hash, format: _, archived, segments: _ } = checkpoint;
    if *archived == 0 || archive.is_marked(namespace, *revision, *hash).map_err(|error| distrust(&error))? {
        return Ok(());
    }
    Err(Distrust::Archive(format!(
        "`archive.db` does not have the {archived} finished tasks that it leaves out"
    )))
}

const ONE: ReadLimit = ReadLimit { records: 1, bytes: usize::MAX };

/// The hash of the last record before `oldest`, which is gone: its successor names it, or the head does if there is none.
fn hash_before(
    log: &(impl LogReader + ?Sized),
    namespace: &str,
    oldest: u64,
) -> Result<Option<Hash>, ReadError> {
    if let Some(successor) = log.read(namespace, oldest, ONE)?.first() {
        return Ok(Some(successor.previous));
    }
    let head = log.head(namespace)?;
    Ok((head.revision + 1 == oldest).then_some(head.hash))
}
