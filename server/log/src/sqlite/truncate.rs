//! Removes old records from the front of a chain, one bounded transaction at a time.
//!
//! Knows nothing of why they are not needed any more.

use rusqlite::Connection;

use super::read::{signed, unsigned};
use super::store::Store;
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
        if oldest_revision >= revision {
            return Ok(Truncated { oldest_revision, is_done: true });
        }
        let mut removal = self.remove_some(namespace, revision)?;
        if removal.records() == 0 && self.moving.pending().ends_within(namespace, oldest_revision, revision) {
            // All that is old enough is in the journal. A database that is full may take some of it.
            let settled = self.settle();
            removal = self.remove_some(namespace, revision)?;
            if removal.records() == 0 {
                settled?;
            }
        }
        let oldest_revision = removal.last().map_or(oldest_revision, |(anchor, _)| anchor.revision + 1);
        self.heads.set_oldest(namespace, oldest_revision);
        let is_done =
            removal.is_done() && !self.moving.pending().ends_within(namespace, oldest_revision, revision);
        Ok(Truncated { oldest_revision, is_done })
    }

    fn remove_some(&mut self, namespace: &str, revision: u64) -> Result<Removal, AppendError> {
        let removal = self.moving.store().remove_some(namespace, revision);
        removal.map_err(|error| self.note(error))
    }
}

impl Store {
    /// Removes what one step may of the rows that end before `revision`.
    fn remove_some(&mut self, namespace: &str, revision: u64) -> Result<Removal, AppendError> {
        let Some(id) = self.id(namespace) else { return Ok(Removal::before(revision)) };
        self.transaction(|store| {
            remove_some(store.connection(), id, revision).map_err(|error| failure::before_commit(&error))
        })
    }
}

fn remove_some(connection: &Connection, id: i64, revision: u64) -> rusqlite::Result<Removal> {
    let removal = removable(connection, id, revision)?;
    if let Some((anchor, position)) = removal.last() {
        let (last, sequence) = (signed(anchor.revision), signed(anchor.sequence));
        let mut set_anchor = connection.prepare_cached(SET_ANCHOR)?;
        set_anchor.execute((id, last, anchor.hash.0.as_slice(), sequence))?;
        connection.prepare_cached(SET_REMOVED)?.execute([signed(position)])?;
        connection.prepare_cached(REMOVE)?.execute((id, last))?;
    }
    Ok(removal)
}

fn removable(connection: &Connection, id: i64, revision: u64) -> rusqlite::Result<Removal> {
    let mut removal = Removal::before(revision);
    let mut statement = connection.prepare_cached(OLDEST)?;
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
