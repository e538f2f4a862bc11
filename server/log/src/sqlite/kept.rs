//! Finds the first record to keep, and where the log ends.
//!
//! Looks at rows without their bodies. Knows nothing of why records are kept.

use rusqlite::{Connection, OptionalExtension, Result};

use super::failure;
use super::pending::Pending;
use super::read::{self, signed, unsigned};
use crate::keep::Place;
use crate::{Head, Keep, ReadError};

/// The record that contains the revision, or the last one before it.
const AT: &str = "SELECT first_revision, event_count, time_us, position FROM records
    WHERE namespace = ?1 AND first_revision <= ?2 ORDER BY first_revision DESC LIMIT 1";

const END: &str = "SELECT max(removed_position,
        coalesce((SELECT position FROM records ORDER BY sequence DESC LIMIT 1), 0)) FROM meta";

/// The first revision to keep: see [`LogReader::first_kept`](crate::LogReader::first_kept). Reads one snapshot.
pub(super) fn first(
    connection: &Connection,
    pending: &Pending,
    namespace: &str,
    keep: Keep,
) -> Result<u64, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read(namespace, 0, &error);
    // Before the snapshot: what leaves it meanwhile is in there.
    let newest = pending.newest();
    let waiting = pending.places(namespace);
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let row = read::find(&snapshot, namespace).map_err(failed)?;
    let stored = match &row {
        Some(row) => read::head_of(&snapshot, row).map_err(failed)?,
        None => Head::empty(namespace),
    };
    let end = end(&snapshot).map_err(failed)?.max(newest.map_or(0, |newest| newest.position));
    let revision = waiting.last().map_or(0, |place| place.last_revision).max(stored.revision);
    keep.first(namespace, (stored.oldest_revision, revision), end, |revision| match &row {
        Some(row) if revision <= stored.revision => {
            at(&snapshot, row.id, revision).map_err(|error| failure::of_read(namespace, revision, &error))
        }
        _ => Ok(place_of(&waiting, revision)),
    })
}

fn place_of(waiting: &[Place], revision: u64) -> Option<Place> {
    let at = waiting.partition_point(|place| place.last_revision < revision);
    waiting.get(at).copied()
}

/// Bytes of bodies that were ever appended to the log, as far as the database has it.
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
