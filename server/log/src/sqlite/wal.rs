//! Moves the WAL into the database by a thread of its own, so that no append waits while megabytes are copied.
//!
//! While that thread copies, appends go on, so a little is always left when it is done. The writer moves that much itself, between two
//! appends, and then the WAL begins anew. Should the thread fail, SQLite does all of it within a commit, once the WAL is several times as
//! long. Knows nothing of what is in the database.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use super::connection::{self, WAL_PAGES};
use crate::Append;

/// Pages that an append takes besides those of its bodies: a leaf and an index page of each record come on top.
const PAGES_OF_APPEND: u64 = 3;
const PAGES_OF_RECORD: u64 = 2;

/// Has the WAL moved whenever it has grown long enough.
#[derive(Debug)]
pub(super) struct Mover {
    database: PathBuf,
    /// About how many pages of the WAL are not in the database yet.
    pages: u64,
    /// Started when it is first needed.
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    wanted: SyncSender<()>,
    moved: Receiver<()>,
    is_moving: bool,
    handle: JoinHandle<()>,
}

impl Mover {
    /// For the WAL of that database, when all of it has been moved.
    pub(super) fn new(database: &Path) -> Self {
        Self { database: database.to_owned(), pages: 0, thread: None }
    }

    /// To be called after each commit of the writer.
    pub(super) fn appended(&mut self, writer: &Connection, appends: &[Append]) {
        self.pages += pages_of(appends);
        match &mut self.thread {
            Some(thread) if thread.is_moving => match thread.moved.try_recv() {
                Ok(()) => {
                    thread.is_moving = false;
                    self.move_the_rest(writer);
                }
                Err(TryRecvError::Empty) => (),
                // Another is started when there is enough to move again.
                Err(TryRecvError::Disconnected) => self.thread = None,
            },
            _ if self.pages >= WAL_PAGES.into() => self.begin(),
            _ => (),
        }
    }

    fn begin(&mut self) {
        if self.thread.is_none() {
            self.thread = Thread::start(&self.database);
        }
        if let Some(thread) = &mut self.thread {
            thread.is_moving = thread.wanted.try_send(()).is_ok();
        }
    }

    fn move_the_rest(&mut self, writer: &Connection) {
        match connection::move_wal(writer) {
            Ok(left) => self.pages = left,
            Err(error) => {
                tracing::warn!(%error, "the WAL was not moved into the database; it is tried again");
            }
        }
    }

    /// Ends the thread, and moves what is left: a stopped server leaves one file.
    pub(super) fn finish(&mut self, writer: &Connection) {
        if let Some(Thread { wanted, handle, .. }) = self.thread.take() {
            drop(wanted);
            // Why it ended early, if it did, has been said.
            let _ = handle.join();
        }
        if let Err(error) = connection::empty_wal(writer) {
            tracing::warn!(%error, "the WAL stays beside the database; the next start moves it");
        }
    }
}

impl Thread {
    fn start(database: &Path) -> Option<Self> {
        let (wanted, wants) = sync_channel(1);
        let (moves, moved) = sync_channel(1);
        let database = database.to_owned();
        let started =
            thread::Builder::new().name("baton-wal".into()).spawn(move || run(&database, &wants, &moves));
        match started {
            Ok(handle) => Some(Self { wanted, moved, is_moving: false, handle }),
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread; the WAL is moved within commits");
                None
            }
        }
    }
}

fn run(database: &Path, wants: &Receiver<()>, moves: &SyncSender<()>) {
    let connection = match connection::open_mover(database) {
        Ok(connection) => connection,
        Err(error) => {
            tracing::warn!(%error, "cannot open the database once more; the WAL is moved within commits");
            return;
        }
    };
    while let Ok(()) = wants.recv() {
        if let Err(error) = connection::move_wal(&connection) {
            tracing::warn!(%error, "the WAL was not moved into the database; it is tried again");
        }
        if moves.send(()).is_err() {
            return;
        }
    }
}

fn pages_of(appends: &[Append]) -> u64 {
    let of_record = |append: &Append| {
        PAGES_OF_RECORD + (append.record.body.len() as u64).div_ceil(connection::PAGE_BYTES.into())
    };
    PAGES_OF_APPEND + appends.iter().map(of_record).sum::<u64>()
}
