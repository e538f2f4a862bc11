//! One record: what is appended at once, with the checksum that proves it and the hash of the record before.
//!
//! Knows nothing of where records are kept or of what their bodies mean.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{Damage, DamageKind};

/// Version of the way a record's checksum is computed. A log of another version is not opened.
pub const RECORD_VERSION: u16 = 1;

/// A BLAKE3 hash: a record's checksum, and its successor's link to it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What stands before the first record of a namespace.
    pub const ZERO: Hash = Hash([0; 32]);
}

impl fmt::Display for Hash {
    /// Lower hex, 64 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// One atomic append to a namespace: one or more events with consecutive revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The namespace whose chain this record is part of.
    pub namespace: Arc<str>,
    /// Revision of the record's first event, from 1.
    pub first_revision: u64,
    /// How many events the body holds, at least 1.
    pub event_count: u32,
    /// When it was decided, in microseconds since the Unix epoch.
    pub time_us: i64,
    /// Format of the body's encoding, chosen by the caller.
    pub format: u16,
    /// Checksum of the record before, [`Hash::ZERO`] if this is the first.
    pub previous: Hash,
    /// BLAKE3 over all other fields and the body.
    pub checksum: Hash,
    /// What happened, as the caller encoded it. Cloning shares it.
    pub body: Bytes,
}

impl Record {
    /// Makes a record and computes its checksum.
    pub fn seal(
        namespace: Arc<str>,
        first_revision: u64,
        event_count: u32,
        time_us: i64,
        format: u16,
        previous: Hash,
        body: Bytes,
    ) -> Record {
        let checksum = Hash::ZERO;
        let mut record =
            Record { namespace, first_revision, event_count, time_us, format, previous, checksum, body };
        record.checksum = record.computed_checksum();
        record
    }

    /// Compares the checksum with the record's content.
    ///
    /// # Errors
    /// [`Damage`] if the record was torn or altered after it was sealed.
    pub fn check(&self) -> Result<(), Damage> {
        if self.event_count == 0 || self.first_revision == 0 || self.computed_checksum() != self.checksum {
            return Err(Damage::new(&self.namespace, self.first_revision, DamageKind::Altered));
        }
        Ok(())
    }

    /// Revision of the record's last event.
    pub fn last_revision(&self) -> u64 {
        self.first_revision.saturating_add(u64::from(self.event_count)).saturating_sub(1)
    }

    /// Whether the event of `revision` is in this record.
    pub fn contains(&self, revision: u64) -> bool {
        (self.first_revision..=self.last_revision()).contains(&revision)
    }

    /// The encoding under the hash is fixed: little-endian integers, and a length before everything that varies, so
    /// that no two records give the same bytes.
    fn computed_checksum(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&RECORD_VERSION.to_le_bytes());
        hasher.update(&(self.namespace.len() as u64).to_le_bytes());
        hasher.update(self.namespace.as_bytes());
        hasher.update(&self.first_revision.to_le_bytes());
        hasher.update(&self.event_count.to_le_bytes());
        hasher.update(&self.time_us.to_le_bytes());
        hasher.update(&self.format.to_le_bytes());
        hasher.update(&self.previous.0);
        hasher.update(&(self.body.len() as u64).to_le_bytes());
        hasher.update(&self.body);
        Hash(*hasher.finalize().as_bytes())
    }
}
