//! The answered mark: the newest append whose caller was told that it is durable.
//!
//! A log that ends before the mark has lost something that somebody relies on. Knows nothing of where the mark is
//! kept. The mark is written without fsync: after a crash of the machine it may be older than the truth, never newer.

use std::path::Path;

use crate::{Hash, LogId, LogReader, OpenError, ReadError, ReadLimit, Record};

/// The newest answered append.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// Sequence of its last record; 0 if nothing was answered yet.
    pub(crate) sequence: u64,
    /// Namespace of that record; empty if it is not kept any more.
    pub(crate) namespace: String,
    /// Last revision of that record.
    pub(crate) revision: u64,
    /// Checksum of that record.
    pub(crate) checksum: Hash,
}

impl Answered {
    /// Nothing was answered yet, or it is not known what was.
    pub(crate) const NOTHING: Answered =
        Answered { sequence: 0, namespace: String::new(), revision: 0, checksum: Hash::ZERO };

    /// The mark after `record`, which has this sequence.
    pub(crate) fn new(sequence: u64, record: &Record) -> Answered {
        Answered {
            sequence,
            namespace: record.namespace.to_string(),
            revision: record.last_revision(),
            checksum: record.checksum,
        }
    }

    /// Finds out whether the log still holds the marked record, or held it until it was removed on purpose.
    pub(crate) fn check(&self, path: &Path, log: &dyn LogReader) -> Result<(), OpenError> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let limit = ReadLimit { records: 1, bytes: 0 };
        let found = match log.read(&self.namespace, self.revision, limit) {
            Ok(records) => records,
            Err(ReadError::Compacted { .. }) => return Ok(()),
            Err(error) => return Err(OpenError::from_read(path, error)),
        };
        if found.first().is_some_and(|record| record.checksum == self.checksum) {
            return Ok(());
        }
        let head = log.head(&self.namespace).map_err(|error| OpenError::from_read(path, error))?;
        Err(self.missing(path, head.revision))
    }

    /// The error for a log that ends at `newest`, before this mark.
    pub(crate) fn missing(&self, path: &Path, newest: u64) -> OpenError {
        OpenError::AnsweredMissing {
            path: path.to_owned(),
            namespace: self.namespace.clone(),
            answered: self.revision,
            newest,
        }
    }
}

/// Size of an encoded mark: one disk sector, so that it is written whole or not at all.
pub(crate) const MARK_BYTES: usize = 512;

const MAGIC: &[u8; 8] = b"batonans";
const VERSION: u16 = 1;
/// Where the checksum of everything before it stands.
const CHECKSUM_AT: usize = MARK_BYTES - 32;

/// Encodes the mark of this log.
pub(crate) fn encode(log: LogId, mark: &Answered) -> [u8; MARK_BYTES] {
    let mut bytes = Vec::with_capacity(MARK_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&log.0.to_be_bytes());
    bytes.extend_from_slice(&mark.sequence.to_le_bytes());
    bytes.extend_from_slice(&mark.revision.to_le_bytes());
    bytes.extend_from_slice(&mark.checksum.0);
    bytes.extend_from_slice(&(mark.namespace.len() as u16).to_le_bytes());
    bytes.extend_from_slice(mark.namespace.as_bytes());
    bytes.resize(CHECKSUM_AT, 0);
    let checksum = blake3::hash(&bytes);
    bytes.extend_from_slice(checksum.as_bytes());
    bytes.try_into().expect("header, name of at most 256 bytes and checksum fit a sector")
}

/// Decodes a mark and the log it belongs to; `None` if it is torn, altered or of another version.
pub(crate) fn decode(bytes: &[u8]) -> Option<(LogId, Answered)> {
    if bytes.len() != MARK_BYTES || blake3::hash(&bytes[..CHECKSUM_AT]).as_bytes() != &bytes[CHECKSUM_AT..] {
        return None;
    }
    let mut rest = bytes;
    if take::<8>(&mut rest)? != *MAGIC || u16::from_le_bytes(take(&mut rest)?) != VERSION {
        return None;
    }
    let log = LogId(u128::from_be_bytes(take(&mut rest)?));
    let sequence = u64::from_le_bytes(take(&mut rest)?);
    let revision = u64::from_le_bytes(take(&mut rest)?);
    let checksum = Hash(take(&mut rest)?);
    let name_bytes = usize::from(u16::from_le_bytes(take(&mut rest)?));
    let namespace = std::str::from_utf8(rest.get(..name_bytes)?).ok()?.to_owned();
    Some((log, Answered { sequence, namespace, revision, checksum }))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}
