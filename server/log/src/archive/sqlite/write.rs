//! Saves and removes rows, a bounded transaction at a time.
//!
//! Knows nothing of why.

use rusqlite::{Connection, OptionalExtension, Result, Transaction, TransactionBehavior};

use super::read::{joined, split};
use crate::Hash;
use crate::archive::{ArchivedRow, checksum};
use crate::sqlite::read::signed;

/// Most tasks that one transaction removes.
const REMOVED_MAX: i64 = 1_024;

const KNOWN: &str = "SELECT newest_revision FROM tasks WHERE namespace = ?1 AND task_id = ?2 AND as_of <= ?3
    ORDER BY as_of DESC LIMIT 1";

const SAVE_TASK: &str = "INSERT OR REPLACE INTO tasks
    (namespace, task_id, as_of, newest_revision, handoffs, body, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

const SAVE_HANDOFF: &str = "INSERT OR REPLACE INTO handoffs
    (namespace, handoff_id, as_of, task_id, body, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const SAVED: &str = "INSERT OR REPLACE INTO saved (namespace, as_of, task_id) VALUES (?1, ?2, ?3)";

const VERSIONS: &str = "SELECT sequence, as_of, handoffs FROM tasks
    WHERE namespace = ?1 AND task_id = ?2 AND as_of BETWEEN ?3 AND ?4";

const REMOVE_ALL: [&str; 3] = [
    "DELETE FROM handoffs WHERE (namespace, handoff_id, as_of) IN
        (SELECT namespace, handoff_id, as_of FROM handoffs WHERE namespace = ?1 LIMIT ?2)",
    "DELETE FROM tasks WHERE sequence IN (SELECT sequence FROM tasks WHERE namespace = ?1 LIMIT ?2)",
    "DELETE FROM saved WHERE (namespace, as_of, task_id) IN
        (SELECT namespace, as_of, task_id FROM saved WHERE namespace = ?1 LIMIT ?2)",
];

/// See [`Archive::save`](crate::Archive::save).
pub(super) fn save(
    connection: &mut Connection,
    namespace: &str,
    as_of: u64,
    rows: &[ArchivedRow],
) -> Result<()> {
    let transaction = begin(connection)?;
    let id = make_namespace(&transaction, namespace)?;
    for row in rows {
        save_row(&transaction, (id, namespace), as_of, row)?;
    }
    transaction.commit()
}

/// See [`Archive::mark`](crate::Archive::mark).
pub(super) fn mark(connection: &mut Connection, namespace: &str, revision: u64, hash: Hash) -> Result<()> {
    let transaction = begin(connection)?;
    let id = make_namespace(&transaction, namespace)?;
    let insert = "INSERT OR REPLACE INTO marks (namespace, revision, hash) VALUES (?1, ?2, ?3)";
    transaction.execute(insert, (id, signed(revision), hash.0))?;
    transaction.commit()
}

/// See [`Archive::roll_back`](crate::Archive::roll_back).
pub(super) fn roll_back(connection: &mut Connection, namespace: &str, revision: u64) -> Result<()> {
    let Some(id) = namespace_id(connection, namespace)? else { return Ok(()) };
    // First, so that no checkpoint is started from that lacks what is removed next.
    let unmark = "DELETE FROM marks WHERE namespace = ?1 AND revision > ?2";
    connection.execute(unmark, (id, signed(revision)))?;
    if revision == 0 {
        return REMOVE_ALL.iter().try_for_each(|remove| {
            while connection.execute(remove, (id, REMOVED_MAX))? > 0 {}
            Ok(())
        });
    }
    by_parts(connection, id, (signed(revision).saturating_add(1), i64::MAX), |transaction, as_of, task_id| {
        remove_versions(transaction, id, task_id, (as_of, as_of))
    })
}

/// See [`Archive::prune`](crate::Archive::prune).
pub(super) fn prune(connection: &mut Connection, namespace: &str, revision: u64) -> Result<()> {
    let Some(id) = namespace_id(connection, namespace)? else { return Ok(()) };
    by_parts(connection, id, (0, signed(revision)), |transaction, as_of, task_id| {
        remove_versions(transaction, id, task_id, (0, as_of - 1))
    })?;
    let unmark = "DELETE FROM marks WHERE namespace = ?1 AND revision < ?2";
    connection.execute(unmark, (id, signed(revision))).map(|_| ())
}

fn begin(connection: &mut Connection) -> Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn namespace_id(connection: &Connection, namespace: &str) -> Result<Option<i64>> {
    let query = "SELECT id FROM namespaces WHERE name = ?1";
    connection.query_row(query, [namespace], |row| row.get(0)).optional()
}

fn make_namespace(connection: &Connection, namespace: &str) -> Result<i64> {
    match namespace_id(connection, namespace)? {
        Some(id) => Ok(id),
        None => connection.prepare_cached("INSERT INTO namespaces (name) VALUES (?1)")?.insert([namespace]),
    }
}

fn save_row(
    transaction: &Transaction<'_>,
    (id, namespace): (i64, &str),
    as_of: u64,
    row: &ArchivedRow,
) -> Result<()> {
    let ArchivedRow { task_id, newest_revision, body, handoffs } = row;
    let mut known = transaction.prepare_cached(KNOWN)?;
    let known: Option<i64> =
        known.query_row((id, task_id, signed(as_of)), |known| known.get(0)).optional()?;
    if known == Some(signed(*newest_revision)) {
        return Ok(());
    }
    let ids = joined(handoffs.iter().map(|(handoff_id, _)| *handoff_id));
    let checksum = checksum::of_task(namespace, task_id, as_of, *newest_revision, &ids, body);
    let values = (id, task_id, signed(as_of), signed(*newest_revision), ids, body.as_ref(), checksum);
    transaction.prepare_cached(SAVE_TASK)?.execute(values)?;
    for (handoff_id, body) in handoffs {
        let checksum = checksum::of_handoff(namespace, *handoff_id, as_of, task_id, body);
        let values = (id, signed(*handoff_id), signed(as_of), task_id, body.as_ref(), checksum);
        transaction.prepare_cached(SAVE_HANDOFF)?.execute(values)?;
    }
    transaction.prepare_cached(SAVED)?.execute((id, signed(as_of), task_id)).map(|_| ())
}

/// Works off what was saved for revisions of a range, from the oldest, and forgets that it was.
fn by_parts(
    connection: &mut Connection,
    id: i64,
    (from, to): (i64, i64),
    remove: impl Fn(&Transaction<'_>, i64, &str) -> Result<()>,
) -> Result<()> {
    loop {
        let transaction = begin(connection)?;
        let part: Vec<(i64, String)> = {
            let query =
                "SELECT as_of, task_id FROM saved WHERE namespace = ?1 AND as_of BETWEEN ?2 AND ?3 LIMIT ?4";
            let mut statement = transaction.prepare_cached(query)?;
            let rows =
                statement.query_map((id, from, to, REMOVED_MAX), |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_>>()?
        };
        if part.is_empty() {
            return Ok(());
        }
        for (as_of, task_id) in part {
            remove(&transaction, as_of, &task_id)?;
            let forget = "DELETE FROM saved WHERE namespace = ?1 AND as_of = ?2 AND task_id = ?3";
            transaction.prepare_cached(forget)?.execute((id, as_of, task_id))?;
        }
        transaction.commit()?;
    }
}

/// Removes the rows of a task that were archived for revisions of a range.
fn remove_versions(
    transaction: &Transaction<'_>,
    id: i64,
    task_id: &str,
    (from, to): (i64, i64),
) -> Result<()> {
    let mut statement = transaction.prepare_cached(VERSIONS)?;
    let versions = statement.query_map((id, task_id, from, to), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, split(row.get_ref(2)?.as_blob()?)))
    })?;
    for (sequence, as_of, handoffs) in versions.collect::<Result<Vec<_>>>()? {
        for handoff_id in handoffs {
            let remove = "DELETE FROM handoffs WHERE namespace = ?1 AND handoff_id = ?2 AND as_of = ?3";
            transaction.prepare_cached(remove)?.execute((id, signed(handoff_id), as_of))?;
        }
        transaction.prepare_cached("DELETE FROM tasks WHERE sequence = ?1")?.execute([sequence])?;
    }
    Ok(())
}
