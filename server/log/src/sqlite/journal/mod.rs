//! The journal: two files that appends are written to before they are moved into the database in bulk.
//!
//! One write per append, durable when it returns. While what one file holds is moved, appends go to the other. Nothing is removed from a file:
//! it is written over from its beginning, and the sequence in each frame tells what belongs to what. Knows nothing of the database.

mod file;
mod frame;
mod load;

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use self::file::JournalFile;
pub(crate) use self::frame::After;
use self::frame::{Found, Use};
pub(super) use self::load::load;
use crate::past_cache::Aligned;
use crate::sync_folder::sync_folder;
use crate::{Append, AppendError, LogId};

/// A file takes frames of so many bytes together; more, if one alone is longer.
pub(super) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A buffer for a longer frame is not kept.
const BUFFER_BYTES_KEPT: usize = 1024 * 1024;

/// The two files, open to be written.
#[derive(Debug)]
pub(super) struct Journal {
    /// Of the current file.
    in_use: Use,
    files: [JournalFile; 2],
    current: usize,
    /// How much of the current file is taken.
    used: u64,
    buffer: Aligned,
}

impl Journal {
    /// Opens the journal of a log when the database has all that its files hold.
    pub(super) fn open(folder: &Path, log: LogId) -> io::Result<Journal> {
        let [first, second] = paths(folder);
        let files = [JournalFile::open(&first)?, JournalFile::open(&second)?];
        sync_folder(folder)?;
        let in_use = Use { log, drawn: 0 };
        let mut journal =
            Journal { in_use, files, current: 0, used: 0, buffer: Aligned::zeroed(frame::BLOCK_BYTES) };
        // Otherwise an end that was cut could come back after what is appended in its place.
        journal.forget()?;
        Ok(journal)
    }

    /// Whether the current file takes the frame of this append.
    pub(super) fn has_room(&self, appends: &[Append]) -> bool {
        self.used == 0 || self.used + frame::bytes_of(appends) as u64 <= FILE_BYTES_MAX
    }

    /// Writes over the other file from now on: the database has all that it holds.
    pub(super) fn switch(&mut self) -> io::Result<()> {
        self.begin(1 - self.current)
    }

    /// Writes the frame of an append; durable on return.
    ///
    /// # Errors
    /// [`AppendError::Full`] if the disk has no room for it: no start will find it. [`AppendError::Broken`] after any other failure.
    pub(super) fn append(&mut self, after: After, appends: &[Append]) -> Result<(), AppendError> {
        let size = frame::bytes_of(appends);
        let end = self.used + size as u64;
        let file = &mut self.files[self.current];
        if !file.has_room(end) {
            file.grow_to(end).map_err(|error| of_growth(&error))?;
        }
        if self.buffer.size() < size || self.buffer.size() > size.max(BUFFER_BYTES_KEPT) {
            self.buffer = Aligned::zeroed(size.next_power_of_two());
        }
        frame::encode(self.in_use, after, appends, self.buffer.bytes_mut(size));
        file.write_at(self.buffer.bytes(size), self.used).map_err(|error| self.of_write(&error, size))?;
        self.used = end;
        Ok(())
    }

    /// What is certain after the frame in the buffer could not be written: it may be there or not, whatever the reason.
    ///
    /// On a file system that never writes over what it has, a full disk is met here. It is definite if the frame is not whole, as in most cases:
    /// then none is found there, and the next one takes its place.
    fn of_write(&self, error: &io::Error, size: usize) -> AppendError {
        let what = format!("the journal cannot be written: {error}");
        if is_full(error) && self.lacks_frame(size) {
            AppendError::Full(what)
        } else {
            AppendError::Broken(what)
        }
    }

    /// Whether a start would not find the frame in its place, going by what it would look at. If that cannot be read, nobody knows.
    fn lacks_frame(&self, size: usize) -> bool {
        let mut place = Aligned::zeroed(size);
        if self.files[self.current].read_at(place.bytes_mut(size), self.used).is_err() {
            return false;
        }
        let found = frame::decode(self.in_use.log, &Bytes::copy_from_slice(place.bytes(size)));
        !matches!(found, Found::Whole { used, .. } if used == self.in_use)
    }

    /// Makes sure that no frame is found any more: the database has what they hold.
    pub(super) fn forget(&mut self) -> io::Result<()> {
        let zeros = Aligned::zeroed(frame::BLOCK_BYTES);
        for file in self.files.iter_mut().filter(|file| file.has_room(1)) {
            file.write_at(zeros.bytes(frame::BLOCK_BYTES), 0)?;
        }
        self.begin(0)
    }

    /// Writes over that file from now on, if this succeeds.
    fn begin(&mut self, file: usize) -> io::Result<()> {
        self.in_use.drawn = getrandom::u64().map_err(io::Error::other)?;
        self.current = file;
        self.used = 0;
        Ok(())
    }
}

/// The room holds no frame before it is whole.
fn of_growth(error: &io::Error) -> AppendError {
    let what = format!("the journal cannot grow: {error}");
    if is_full(error) { AppendError::Full(what) } else { AppendError::Broken(what) }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn paths(folder: &Path) -> [PathBuf; 2] {
    ["journal-0", "journal-1"].map(|name| folder.join(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::Head;
    use crate::testing::next_record;

    const LOG: LogId = LogId(7);

    fn append(journal: &mut Journal, sequence: u64, namespace: &str) {
        let record = next_record(&Head::empty(namespace), 1, 100);
        let after = After { sequence: sequence - 1, position: 0 };
        journal.append(after, &[Append { expected_revision: 0, record }]).unwrap();
    }

    /// The namespaces of the records after this sequence, and whether a torn one ends them.
    fn found(folder: &Path, sequence: u64) -> (Vec<String>, bool) {
        let loaded = load(folder, LOG, sequence).unwrap();
        let names = loaded.placed.iter().map(|placed| placed.record.namespace.to_string());
        (names.collect(), loaded.torn.is_some())
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_both_files_hold_is_found_in_order_and_what_was_written_over_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), LOG).unwrap();
        append(&mut journal, 1, "a");
        append(&mut journal, 2, "b");
        journal.switch().unwrap();
        append(&mut journal, 3, "c");
        assert_eq!(found(folder.path(), 0), (names(&["a", "b", "c"]), false));
        assert_eq!(found(folder.path(), 1), (names(&["b", "c"]), false));
        journal.switch().unwrap();
        append(&mut journal, 4, "d");
        // The first file still has the second record behind the fourth.
        assert_eq!(found(folder.path(), 2), (names(&["c", "d"]), false));
        assert_eq!(found(folder.path(), 0), (Vec::new(), false), "nothing follows what is not there");
        assert_eq!(load(folder.path(), LogId(8), 2).unwrap().placed.len(), 0, "another log's");
    }

    #[test]
    fn a_full_disk_is_definite_only_if_the_frame_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), LOG).unwrap();
        append(&mut journal, 1, "a");
        // As if its write had failed.
        let size = std::mem::take(&mut journal.used) as usize;
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let other = io::Error::from(io::ErrorKind::TimedOut);
        assert!(matches!(journal.of_write(&full, size), AppendError::Broken(_)), "the frame is there");
        let path = folder.path().join("journal-0");
        let mut bytes = std::fs::read(&path).unwrap();
        let mut alter = |at: usize| {
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
        };
        alter(size - 1);
        assert!(
            matches!(journal.of_write(&full, size), AppendError::Broken(_)),
            "nobody looks at what pads it"
        );
        alter(200);
        assert!(matches!(journal.of_write(&full, size), AppendError::Full(_)));
        assert!(matches!(journal.of_write(&other, size), AppendError::Broken(_)));
        append(&mut journal, 1, "instead");
        assert_eq!(found(folder.path(), 0), (names(&["instead"]), false));
        std::fs::write(&path, &bytes[..size - 1]).unwrap();
        assert!(matches!(journal.of_write(&full, size), AppendError::Broken(_)), "nobody can tell");
    }

    #[test]
    fn an_end_that_was_cut_does_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), LOG).unwrap();
        append(&mut journal, 1, "a");
        journal.switch().unwrap();
        append(&mut journal, 2, "b");
        append(&mut journal, 3, "torn");
        let second = folder.path().join("journal-1");
        let mut bytes = std::fs::read(&second).unwrap();
        bytes[frame::BLOCK_BYTES + 200] ^= 1;
        std::fs::write(&second, bytes).unwrap();
        assert_eq!(found(folder.path(), 1), (names(&["b"]), true));
        // The next start has moved what is whole.
        let mut journal = Journal::open(folder.path(), LOG).unwrap();
        assert_eq!(found(folder.path(), 2), (Vec::new(), false));
        append(&mut journal, 3, "instead");
        assert_eq!(found(folder.path(), 2), (names(&["instead"]), false));
    }
}
