//! Opens connections and sets what all of them need.
//!
//! Knows nothing of tables.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

use crate::file_system;

/// How long a connection waits for another one's lock. Readers hardly ever need one in WAL mode.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes per page, for new databases that are read here and there.
pub(crate) const PAGE_BYTES: u32 = 4096;

/// Bytes per page, for new databases that are written in bulk: fewer pages to write, twice each.
pub(super) const LONG_PAGE_BYTES: u32 = 16 * 1024;

/// Pages that the writing connection may keep, in KiB. Each namespace adds to a page of its own in the index: room for those of some
/// hundreds, so that they need not be read again for each chunk that is moved.
const WRITER_CACHE_KIB: i64 = 8 * 1024;

/// So many pages of the WAL (64 MiB) are moved within a commit: nothing else has moved them.
const WAL_PAGES_MAX: u32 = 16_000;

/// What the WAL file is cut back to when it begins anew, in bytes: some more than it normally needs.
const WAL_BYTES_KEPT: u32 = 24 << 20;

/// Statements that stay prepared; more than one connection uses.
const STATEMENTS_MAX: usize = 32;

/// How SQLite keeps the index of the WAL in memory of its own, for all connections of this process, instead of in a file that is mapped. No
/// other process can read the database meanwhile.
const ALONE: &str = "unix-excl";

/// Opens the connection that writes. It leaves the WAL alone when it is dropped until [`may_clean_up`] is called: a
/// log that turns out to be damaged is left as it was found.
pub(crate) fn open_writer(path: &Path, create: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let flags = if create { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
    let connection = open(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The first statement that touches the file: says if it is a database at all.
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    Ok(connection)
}

/// Sets how the writing connection makes its transactions durable, and the size of pages if the database is new.
pub(crate) fn make_durable(connection: &Connection, page_bytes: u32) -> Result<()> {
    connection.pragma_update(None, "page_size", page_bytes)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Where a plain fsync does not reach the disk (macOS), the one that does.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES_MAX, |_| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // Keeps a misread page from reaching a table.
    connection.pragma_update(None, "cell_size_check", true)
}

/// Makes durable everything that can be read now, by moving the whole WAL into the database, and lets the connection
/// clean up behind itself from now on.
pub(crate) fn may_clean_up(connection: &Connection) -> Result<()> {
    empty_wal(connection)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    Ok(())
}

/// Moves all of the WAL into the database and cuts it to nothing; not all of it while somebody reads.
pub(super) fn empty_wal(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Moves what it can from the WAL into the database. Nobody waits for it, nor it for anybody.
pub(super) fn move_wal(connection: &Connection) -> Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Moves what it can from the WAL into the database after the disk was full, so that the WAL's space can be used again:
/// otherwise not even a truncation would find the room it needs.
pub(super) fn make_room(connection: &Connection) {
    if let Err(error) = move_wal(connection) {
        tracing::warn!(%error, "cannot make room in the WAL");
    }
}

/// Opens a connection that only moves the WAL.
pub(super) fn open_mover(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    Ok(connection)
}

/// Opens a connection that only reads. It is not opened read-only, because readers of a WAL share its index file.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn open(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let alone = file_system::maps_may_fail(path.parent().unwrap_or(path));
    let connection = connect(path, flags, alone)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // Otherwise statements are planned anew for each value that is bound: once for each append.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // A file under a memory map turns a disk error into a signal that kills the process.
    connection.pragma_update_and_check(None, "mmap_size", 0, |_| Ok(()))?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

fn connect(path: &Path, flags: OpenFlags, alone: bool) -> Result<Connection> {
    if alone {
        Connection::open_with_flags_and_vfs(path, flags, ALONE)
    } else {
        Connection::open_with_flags(path, flags)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_a_database_alone_needs_no_file_that_is_mapped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alone.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        for (alone, is_mapped) in [(true, false), (false, true)] {
            let [writer, reader] = [(); 2].map(|()| connect(&path, flags, alone).unwrap());
            make_durable(&writer, PAGE_BYTES).unwrap();
            writer.execute_batch("CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)").unwrap();
            let count =
                || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, u32>(0)).unwrap();
            let before = count();
            writer.execute_batch("INSERT INTO t VALUES (2)").unwrap();
            assert_eq!(count(), before + 1);
            move_wal(&reader).unwrap();
            assert_eq!(folder.path().join("alone.db-shm").exists(), is_mapped);
        }
    }
}
