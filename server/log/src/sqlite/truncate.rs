//! Removes old records from the front of a chain, in bounded transactions.
//!
//! Knows nothing of why they are not needed any more.

use rusqlite::OptionalExtension;

use super::read::{signed, unsigned};
use super::{SqliteLog, failure};
use crate::AppendError;

/// Most rows that one transaction removes: bounds what the WAL takes.
const ROWS_MAX: i64 = 10_000;

/// The last of the oldest rows that all end before a revision.
const LAST_TO_REMOVE: &str = "SELECT first_revision, event_count, checksum, sequence FROM (
        SELECT * FROM records WHERE namespace = ?1 AND first_revision < ?2 ORDER BY first_revision LIMIT ?3)
    WHERE first_revision + event_count <= ?2 ORDER BY first_revision DESC LIMIT 1";

const SET_ANCHOR: &str =
    "UPDATE namespaces SET anchor_revision = ?2, anchor_hash = ?3, anchor_sequence = ?4 WHERE id = ?1";

const REMOVE: &str = "DELETE FROM records WHERE namespace = ?1 AND first_revision <= ?2";

impl SqliteLog {
    /// Removes the records that end before `revision`; moves the anchor in the same transaction as the rows.
    pub(super) fn truncate_rows(&mut self, namespace: &str, revision: u64) -> Result<(), AppendError> {
        self.refuse_if_broken()?;
        let Some(id) = self.heads.id(namespace) else { return Ok(()) };
        loop {
            let removed = self.transaction(|log| {
                log.remove_some(id, revision).map_err(|error| failure::before_commit(&error))
            })?;
            let Some(last_removed) = removed else { return Ok(()) };
            self.heads.set_oldest(namespace, last_removed + 1);
        }
    }

    /// Returns the last revision removed, `None` if there was nothing to remove.
    fn remove_some(&self, id: i64, revision: u64) -> rusqlite::Result<Option<u64>> {
        let mut query = self.connection.prepare_cached(LAST_TO_REMOVE)?;
        let last = query.query_row((id, signed(revision), ROWS_MAX), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, [u8; 32]>(2)?,
                row.get::<_, i64>(3)?,
            ))
        });
        let Some((first, count, hash, sequence)) = last.optional()? else { return Ok(None) };
        let last_revision = first + count - 1;
        self.connection.prepare_cached(SET_ANCHOR)?.execute((
            id,
            last_revision,
            hash.as_slice(),
            sequence,
        ))?;
        self.connection.prepare_cached(REMOVE)?.execute((id, first))?;
        Ok(Some(unsigned(last_revision)))
    }
}
