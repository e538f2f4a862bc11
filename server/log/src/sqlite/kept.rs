//! Finds the first record to keep in the tables, and where the log ends.
//!
//! Looks at rows without their bodies. Knows nothing of why records are kept.

use rusqlite::{Connection, OptionalExtension, Result};

use super::failure;
use super::read::{self, signed, unsigned};
use crate::keep::Place;
use crate::{Keep, ReadError};

/// The record that contains the revision, or the last one before it.
const AT: &str = "SELECT first_revision, event_count, time_us, position FROM records
    WHERE namespace = ?1 AND first_revision <= ?2 ORDER BY first_revision DESC LIMIT 1";

const END: &str = "SELECT max(removed_position,
        coalesce((SELECT position FROM records ORDER BY sequence DESC LIMIT 1), 0)) FROM meta";

/// The first revision to keep: see [`LogReader::first_kept`](crate::LogReader::first_kept). Reads one snapshot.
pub(super) fn first(connection: &Connection, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read(namespace, 0, &error);
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let Some(row) = read::find(&snapshot, namespace).map_err(failed)? else { return Ok(1) };
    let head = read::head_of(&snapshot, &row).map_err(failed)?;
    let end = end(&snapshot).map_err(failed)?;
    keep.first(namespace, (head.oldest_revision, head.revision), end, |revision| {
        at(&snapshot, row.id, revision).map_err(|error| failure::of_read(namespace, revision, &error))
    })
}

/// Bytes of bodies that were ever appended to the log.
pub(super) fn end(connection: &Connection) -> Result<u64> {
    connection.prepare_cached(END)?.query_row([], |row| row.get(0)).map(unsigned)
}

fn at(connection: &Connection, id: i64, revision: u64) -> Result<Option<Place>> {
    let place = |row: &rusqlite::Row<'_>| {
        let (first, count) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
        Ok(Place {
            first_revision: first,
            last_revision: first.saturating_add(count).saturating_sub(1),
            time_us: row.get(2)?,
            position: unsigned(row.get(3)?),
        })
    };
    connection.prepare_cached(AT)?.query_row((id, signed(revision)), place).optional()
}
