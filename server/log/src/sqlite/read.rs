//! Reads heads and records: from the tables, and what follows from what waits to be moved there.
//!
//! Each function reads one snapshot: an append or a truncation beside it is seen whole or not at all.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::failure;
use super::pending::Pending;
use crate::chain::{Anchor, ReadBatch};
use crate::recovery::{Placed, TAIL_RECORDS, Tail};
use crate::{Hash, Head, ReadError, ReadLimit, Record};

/// A namespace's row.
pub(super) struct Namespace {
    pub(super) id: i64,
    pub(super) name: Arc<str>,
    pub(super) anchor: Anchor,
}

const NAMESPACE: &str =
    "SELECT id, name, anchor_revision, anchor_hash, anchor_sequence FROM namespaces WHERE name = ?1";

const NAMESPACES: &str =
    "SELECT id, name, anchor_revision, anchor_hash, anchor_sequence FROM namespaces ORDER BY name";

const NEWEST: &str = "SELECT first_revision, event_count, checksum FROM records
    WHERE namespace = ?1 ORDER BY first_revision DESC LIMIT 1";

/// Begins with the record that contains the revision, or with the next one if none does.
const FROM: &str =
    "SELECT sequence, append_first, position, first_revision, event_count, time_us, format, previous, checksum, body
    FROM records WHERE namespace = ?1 AND first_revision >= coalesce(
        (SELECT max(first_revision) FROM records WHERE namespace = ?1 AND first_revision <= ?2), ?2)
    ORDER BY first_revision";

const LAST: &str =
    "SELECT sequence, append_first, position, first_revision, event_count, time_us, format, previous, checksum, body
    FROM records WHERE namespace = ?1 ORDER BY first_revision DESC LIMIT ?2";

/// The head of one namespace.
pub(super) fn head(connection: &Connection, pending: &Pending, namespace: &str) -> Result<Head, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read(namespace, 0, &error);
    let newest = pending.newest_of(namespace);
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let stored = match find(&snapshot, namespace).map_err(failed)? {
        Some(row) => head_of(&snapshot, &row).map_err(failed)?,
        None => Head::empty(namespace),
    };
    Ok(continued(stored, newest))
}

/// The heads of all namespaces, ordered by name.
pub(super) fn heads(connection: &Connection, pending: &Pending) -> Result<Vec<Head>, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read("", 0, &error);
    let mut newest = pending.heads();
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let rows = namespaces(&snapshot)?;
    let stored = rows.iter().map(|row| {
        let head = head_of(&snapshot, row).map_err(failed)?;
        Ok(continued(head, newest.remove(&row.name)))
    });
    let mut heads = stored.collect::<Result<Vec<_>, ReadError>>()?;
    heads.retain(|head| head.revision > 0);
    heads.extend(newest.into_iter().map(|(name, newest)| continued(Head::empty(&name), Some(newest))));
    heads.sort_unstable_by(|one, other| one.namespace.cmp(&other.namespace));
    Ok(heads)
}

/// The head that the database has, and what was newer when it was looked at.
fn continued(stored: Head, newest: Option<(u64, Hash)>) -> Head {
    match newest {
        Some((revision, hash)) if revision > stored.revision => Head { revision, hash, ..stored },
        _ => stored,
    }
}

/// The rows of all namespaces, ordered by name.
pub(super) fn namespaces(connection: &Connection) -> Result<Vec<Namespace>, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read("", 0, &error);
    let mut statement = connection.prepare_cached(NAMESPACES).map_err(failed)?;
    let rows = statement.query_map([], namespace_row).map_err(failed)?;
    rows.map(|row| row.map_err(failed)).collect()
}

/// The head of a namespace whose row is at hand.
pub(super) fn head_of(connection: &Connection, row: &Namespace) -> rusqlite::Result<Head> {
    let mut statement = connection.prepare_cached(NEWEST)?;
    let newest = statement
        .query_row([row.id], |newest| {
            let (first, count): (i64, i64) = (newest.get(0)?, newest.get(1)?);
            Ok((unsigned(first.saturating_add(count).saturating_sub(1)), Hash(newest.get(2)?)))
        })
        .optional()?;
    let (revision, hash) = newest.unwrap_or((row.anchor.revision, row.anchor.hash));
    Ok(Head { namespace: row.name.clone(), revision, oldest_revision: row.anchor.revision + 1, hash })
}

/// The records from a revision on: see [`LogReader::read`](crate::LogReader::read).
pub(super) fn records(
    connection: &Connection,
    pending: &Pending,
    namespace: &str,
    from: u64,
    limit: ReadLimit,
) -> Result<Vec<Record>, ReadError> {
    let from = from.max(1);
    let failed = |error: rusqlite::Error| failure::of_read(namespace, from, &error);
    // Before the snapshot: what leaves it meanwhile is in there.
    let waiting = pending.waiting(namespace, from, limit);
    let snapshot = connection.unchecked_transaction().map_err(failed)?;
    let row = find(&snapshot, namespace).map_err(failed)?;
    let stored = match &row {
        Some(row) => head_of(&snapshot, row).map_err(failed)?,
        None => Head::empty(namespace),
    };
    let stored_revision = stored.revision;
    let head = continued(stored, waiting.newest);
    if from < head.oldest_revision {
        return Err(ReadError::Compacted { oldest: head.oldest_revision, newest: head.revision });
    }
    if from > head.revision {
        return Ok(Vec::new());
    }
    let anchor = row.as_ref().map_or(Anchor::START, |row| row.anchor);
    let mut batch = ReadBatch::new(anchor, from, limit);
    let is_full = match &row {
        Some(row) if from <= stored_revision => collect(&snapshot, row, from, &mut batch)?,
        _ => false,
    };
    if !is_full {
        take_waiting(waiting.records, stored_revision, &mut batch)?;
    }
    batch.finish(namespace, head.revision)
}

/// Takes those that the database does not have.
fn take_waiting(records: Vec<Record>, stored_revision: u64, batch: &mut ReadBatch) -> Result<(), ReadError> {
    for record in records.into_iter().filter(|record| record.first_revision > stored_revision) {
        if !batch.take(record)? {
            break;
        }
    }
    Ok(())
}

/// The newest records of a namespace, oldest first, unchecked.
pub(super) fn tail(connection: &Connection, row: &Namespace) -> Result<Tail, ReadError> {
    let failed = |error: rusqlite::Error| failure::of_read(&row.name, row.anchor.revision + 1, &error);
    let mut statement = connection.prepare_cached(LAST).map_err(failed)?;
    let rows = statement.query_map((row.id, TAIL_RECORDS as i64), |record| placed(record, &row.name));
    let mut records = rows.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).map_err(failed)?;
    records.reverse();
    Ok(Tail { anchor: row.anchor, records })
}

/// Takes what the database has, and says whether the batch is full.
fn collect(
    snapshot: &Transaction<'_>,
    row: &Namespace,
    from: u64,
    batch: &mut ReadBatch,
) -> Result<bool, ReadError> {
    let mut at = from;
    let mut statement =
        snapshot.prepare_cached(FROM).map_err(|error| failure::of_read(&row.name, at, &error))?;
    let mut rows =
        statement.query((row.id, signed(from))).map_err(|error| failure::of_read(&row.name, at, &error))?;
    loop {
        let next = rows.next().and_then(|next| next.map(|next| placed(next, &row.name)).transpose());
        let Some(next) = next.map_err(|error| failure::of_read(&row.name, at, &error))? else {
            return Ok(false);
        };
        at = next.record.last_revision().saturating_add(1);
        if !batch.take(next.record)? {
            return Ok(true);
        }
    }
}

pub(super) fn find(connection: &Connection, namespace: &str) -> rusqlite::Result<Option<Namespace>> {
    connection.prepare_cached(NAMESPACE)?.query_row([namespace], namespace_row).optional()
}

fn namespace_row(row: &Row<'_>) -> rusqlite::Result<Namespace> {
    let anchor =
        Anchor { revision: unsigned(row.get(2)?), hash: Hash(row.get(3)?), sequence: unsigned(row.get(4)?) };
    Ok(Namespace { id: row.get(0)?, name: row.get(1)?, anchor })
}

fn placed(row: &Row<'_>, namespace: &Arc<str>) -> rusqlite::Result<Placed> {
    let record = Record {
        namespace: namespace.clone(),
        first_revision: unsigned(row.get(3)?),
        event_count: row.get(4)?,
        time_us: row.get(5)?,
        format: row.get(6)?,
        previous: Hash(row.get(7)?),
        checksum: Hash(row.get(8)?),
        body: Bytes::copy_from_slice(row.get_ref(9)?.as_blob()?),
    };
    let (sequence, append_first, position) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Placed {
        sequence: unsigned(sequence),
        append_first: unsigned(append_first),
        position: unsigned(position),
        record,
    })
}

/// A number from a column. Negative ones are never written; as 0 they fail every check that follows.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A number for a column: revisions beyond the greatest are never written, so nothing is found there.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
