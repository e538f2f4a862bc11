//! Collects what one step of a truncation removes, within its bounds.
//!
//! Knows nothing of where the records are kept.

use crate::chain::Anchor;
use crate::recovery::Placed;
use crate::{Hash, TRUNCATE_BYTES_MAX, TRUNCATE_RECORDS_MAX};

/// A record from the front of a chain, as far as it matters for its removal.
pub(crate) struct Front {
    pub(crate) last_revision: u64,
    pub(crate) checksum: Hash,
    pub(crate) sequence: u64,
    pub(crate) position: u64,
    pub(crate) body_bytes: u64,
}

impl From<&Placed> for Front {
    fn from(placed: &Placed) -> Front {
        Front {
            last_revision: placed.record.last_revision(),
            checksum: placed.record.checksum,
            sequence: placed.sequence,
            position: placed.position,
            body_bytes: placed.record.body.len() as u64,
        }
    }
}

/// The records that one step removes, oldest first.
pub(crate) struct Removal {
    before: u64,
    records: usize,
    bytes: u64,
    /// The anchor and the position of the newest of them.
    last: Option<(Anchor, u64)>,
    done: bool,
}

impl Removal {
    /// Nothing yet; of the records that end before the revision `before`.
    pub(crate) fn before(before: u64) -> Removal {
        Removal { before, records: 0, bytes: 0, last: None, done: true }
    }

    /// Takes the next record and says whether it wanted it: after the first `false` the step is full, or done.
    pub(crate) fn take(&mut self, next: &Front) -> bool {
        if next.last_revision >= self.before {
            return false;
        }
        let bytes = self.bytes.saturating_add(next.body_bytes);
        let full = self.records >= TRUNCATE_RECORDS_MAX || bytes > TRUNCATE_BYTES_MAX;
        if full && self.records > 0 {
            self.done = false;
            return false;
        }
        self.records += 1;
        self.bytes = bytes;
        let anchor = Anchor { revision: next.last_revision, hash: next.checksum, sequence: next.sequence };
        self.last = Some((anchor, next.position));
        true
    }

    /// How many records it has.
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// The anchor that the chain has without them, and the position of the newest of them; `None`: there are none.
    pub(crate) fn last(&self) -> Option<(Anchor, u64)> {
        self.last
    }

    /// Whether nothing is left to remove after this step.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }
}
