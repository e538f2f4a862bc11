//! Removes old records from the front of a chain, one bounded transaction at a time.
//!
//! Knows nothing of why they are not needed any more.

use super::read::{signed, unsigned};
use super::{SqliteLog, failure};
use crate::removal::{Front, Removal};
use crate::{AppendError, Hash, TRUNCATE_RECORDS_MAX, Truncated};

/// The oldest rows, without their bodies: one more than a step may remove, to tell whether it is the last.
const OLDEST: &str =
    "SELECT first_revision, event_count, checksum, sequence, position, length(body) FROM records
    WHERE namespace = ?1 ORDER BY first_revision LIMIT ?2";

const SET_ANCHOR: &str =
    "UPDATE namespaces SET anchor_revision = ?2, anchor_hash = ?3, anchor_sequence = ?4 WHERE id = ?1";

const SET_REMOVED: &str = "UPDATE meta SET removed_position = max(removed_position, ?1)";

const REMOVE: &str = "DELETE FROM records WHERE namespace = ?1 AND first_revision <= ?2";

impl SqliteLog {
    /// Removes some records that end before `revision`; moves the anchor in the same transaction as the rows.
    pub(super) fn truncate_rows(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        self.refuse_if_broken()?;
        let oldest_revision = self.heads.of(namespace).oldest_revision;
        let (Some(id), true) = (self.heads.id(namespace), oldest_revision < revision) else {
            return Ok(Truncated { oldest_revision, is_done: true });
        };
        let removal = self.transaction(|log| {
            log.remove_some(id, revision).map_err(|error| failure::before_commit(&error))
        })?;
        let oldest_revision = removal.last().map_or(oldest_revision, |(anchor, _)| anchor.revision + 1);
        self.heads.set_oldest(namespace, oldest_revision);
        Ok(Truncated { oldest_revision, is_done: removal.is_done() })
    }

    fn remove_some(&self, id: i64, revision: u64) -> rusqlite::Result<Removal> {
        let removal = self.removable(id, revision)?;
        if let Some((anchor, position)) = removal.last() {
            let (last, sequence) = (signed(anchor.revision), signed(anchor.sequence));
            let mut set_anchor = self.connection.prepare_cached(SET_ANCHOR)?;
            set_anchor.execute((id, last, anchor.hash.0.as_slice(), sequence))?;
            self.connection.prepare_cached(SET_REMOVED)?.execute([signed(position)])?;
            self.connection.prepare_cached(REMOVE)?.execute((id, last))?;
        }
        Ok(removal)
    }

    fn removable(&self, id: i64, revision: u64) -> rusqlite::Result<Removal> {
        let mut removal = Removal::before(revision);
        let mut statement = self.connection.prepare_cached(OLDEST)?;
        let mut rows = statement.query((id, TRUNCATE_RECORDS_MAX as i64 + 1))?;
        while let Some(row) = rows.next()? {
            let (first, count) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
            let front = Front {
                last_revision: first.saturating_add(count).saturating_sub(1),
                checksum: Hash(row.get(2)?),
                sequence: unsigned(row.get(3)?),
                position: unsigned(row.get(4)?),
                body_bytes: unsigned(row.get(5)?),
            };
            if !removal.take(&front) {
                break;
            }
        }
        Ok(removal)
    }
}
