//! Has records moved into the database by a thread of its own, so that no append waits for tables, indexes and their pages.
//!
//! It moves what a file of the journal holds when that is full, and what there is every few seconds, so that the database is never far
//! behind. Knows nothing of how the journal is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::connection;
use super::moving::Moving;
use crate::AppendError;

/// A record is in the database after about so long, however little is appended.
const INTERVAL: Duration = Duration::from_secs(2);

/// Has records moved. The thread is started with it and ends with it.
#[derive(Debug)]
pub(super) struct Mover {
    moving: Arc<Moving>,
    /// `None`: it could not be started, or has ended. Then whoever needs records moved does it.
    thread: Option<Thread>,
}

#[derive(Debug)]
struct Thread {
    wanted: SyncSender<()>,
    moved: Receiver<Result<(), AppendError>>,
    is_moving: bool,
    handle: JoinHandle<()>,
}

impl Mover {
    pub(super) fn start(database: &Path, moving: Arc<Moving>) -> Mover {
        let thread = Thread::start(database.to_owned(), moving.clone());
        Mover { moving, thread }
    }

    /// Begins to move what the file of the journal holds that has just been filled.
    pub(super) fn begin(&mut self) {
        if let Some(thread) = &mut self.thread {
            thread.is_moving = thread.wanted.try_send(()).is_ok();
        }
    }

    /// Waits until the database has what the full file of the journal holds.
    ///
    /// # Errors
    /// Why it has not; the next call tries again.
    pub(super) fn finish(&mut self) -> Result<(), AppendError> {
        if let Some(thread) = &mut self.thread
            && std::mem::take(&mut thread.is_moving)
        {
            match thread.moved.recv() {
                Ok(outcome) => return outcome,
                // It has said why.
                Err(_) => self.thread = None,
            }
        }
        self.moving.move_filled()
    }

    /// Moves everything.
    pub(super) fn settle(&mut self) -> Result<(), AppendError> {
        self.finish()?;
        self.moving.move_all()
    }

    /// Ends the thread.
    pub(super) fn stop(&mut self) {
        if let Some(Thread { wanted, handle, .. }) = self.thread.take() {
            drop(wanted);
            // Why it ended early, if it did, has been said.
            let _ = handle.join();
        }
    }
}

impl Thread {
    fn start(database: PathBuf, moving: Arc<Moving>) -> Option<Thread> {
        let (wanted, wants) = sync_channel(1);
        let (moves, moved) = sync_channel(1);
        let started = thread::Builder::new()
            .name("baton-mover".into())
            .spawn(move || run(&database, &moving, &wants, &moves));
        match started {
            Ok(handle) => Some(Thread { wanted, moved, is_moving: false, handle }),
            Err(error) => {
                tracing::warn!(%error, "cannot start a thread; records are moved into the database between appends");
                None
            }
        }
    }
}

fn run(database: &Path, moving: &Moving, wants: &Receiver<()>, moves: &SyncSender<Result<(), AppendError>>) {
    loop {
        match wants.recv_timeout(INTERVAL) {
            Ok(()) => {
                if moves.send(moving.move_filled()).is_err() {
                    return;
                }
                move_wal(database);
            }
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = moving.move_all() {
                    tracing::warn!(%error, "records stay in the journal for now; it is tried again");
                }
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// By a connection of its own, so that a truncation need not wait for it. Should it fail, SQLite does it within a commit, once the WAL is
/// several times as long.
fn move_wal(database: &Path) {
    let moved = connection::open_mover(database).and_then(|connection| connection::move_wal(&connection));
    if let Err(error) = moved {
        tracing::warn!(%error, "the WAL was not moved into the database; it is tried again");
    }
}
