//! Keeps a database within its greatest size: an append is refused before it is written, not when it is moved.
//!
//! Reckons with what tables may take, which is more than they do. Knows nothing of the journal.

use rusqlite::Connection;

use super::read::unsigned;
use crate::Append;

/// What a row takes besides its body, at most, in bytes.
const ROW_BYTES: u64 = 200;

/// For the upper parts of the trees, which grow seldom.
const RESERVED_PAGES: u64 = 4;

/// What the database may still take.
#[derive(Debug)]
pub(super) struct Room {
    bytes_max: u64,
    page_bytes: u64,
    /// Pages in use when they were last counted.
    used_pages: u64,
    /// For what was appended since.
    reckoned_pages: u64,
}

impl Room {
    pub(super) fn new(bytes_max: u64, connection: &Connection) -> rusqlite::Result<Room> {
        let page_bytes = pragma(connection, "page_size")?;
        let mut room = Room { bytes_max, page_bytes, used_pages: 0, reckoned_pages: 0 };
        room.count(connection)?;
        Ok(room)
    }

    /// The database has everything that was appended: counts instead of reckoning.
    pub(super) fn count(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let free_pages = pragma(connection, "freelist_count")?;
        self.used_pages = pragma(connection, "page_count")?.saturating_sub(free_pages);
        self.reckoned_pages = 0;
        Ok(())
    }

    pub(super) fn takes(&self, appends: &[Append]) -> bool {
        let pages = self.used_pages + self.reckoned_pages + self.pages_of(appends) + RESERVED_PAGES;
        pages.saturating_mul(self.page_bytes) <= self.bytes_max
    }

    pub(super) fn appended(&mut self, appends: &[Append]) {
        self.reckoned_pages += self.pages_of(appends);
    }

    /// What to tell whoever was refused.
    pub(super) fn refusal(&self) -> String {
        format!("baton.db has reached its greatest size of {} bytes", self.bytes_max)
    }

    fn pages_of(&self, appends: &[Append]) -> u64 {
        let (mut pages, mut small_bytes) = (0, 0);
        for append in appends {
            // The name is in a table and in an index, if it is new.
            let names = 2 * append.record.namespace.len() as u64;
            let bytes = append.record.body.len() as u64 + names + ROW_BYTES;
            if bytes > self.page_bytes / 2 {
                // A page of its own, and others for what does not fit there.
                pages += 1 + bytes / self.page_bytes;
            } else {
                // Pages may be half full.
                small_bytes += 2 * bytes;
            }
        }
        pages + small_bytes.div_ceil(self.page_bytes)
    }
}

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).map(unsigned)
}
