//! The thread beside the engine that writes checkpoints and keeps the log within its bounds.
//!
//! It builds states from the last checkpoint and the log, with a reader of its own: the engine never waits for it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
};

use baton_core::Revision;
use baton_log::Hash;

use super::{retention::Retainer, shelf::Shelf};

/// Asks for checkpoints. When it is dropped, the thread ends after the one it writes.
pub(super) type Snapshots = mpsc::Sender<SnapshotRequest>;

/// A checkpoint copies what the state holds, so this many times fewer events than that do not make one.
const HELD_PER_EVENT: usize = 4;

/// Whether so many events after the last checkpoint make a new one of a state that holds so much.
pub(super) fn is_due(events: u64, held_count: usize, events_min: u64) -> bool {
    events >= events_min && events >= (held_count / HELD_PER_EVENT) as u64
}

/// A checkpoint that is wanted.
pub(super) enum SnapshotRequest {
    /// Of a namespace as of now, built from the log.
    Replay(Arc<str>),
    /// Of a namespace as it is given: the engine has stopped.
    Save {
        /// Which.
        namespace: Arc<str>,
        /// What to save: the encoded state.
        body: Vec<u8>,
        /// Its revision.
        revision: Revision,
        /// The hash of the log's record at that revision.
        hash: Hash,
    },
}

pub(super) fn start(shelf: Shelf, retainer: Retainer) -> (Snapshots, JoinHandle<()>) {
    let (requests, received) = mpsc::channel();
    let mut keeper = Keeper { shelf, retainer };
    let thread = thread::Builder::new()
        .name("baton-checkpoint".into())
        .spawn(move || keeper.run(&received))
        .expect("a thread can be started when the server starts");
    (requests, thread)
}

struct Keeper {
    shelf: Shelf,
    retainer: Retainer,
}

impl Keeper {
    fn run(&mut self, requests: &mpsc::Receiver<SnapshotRequest>) {
        loop {
            let next = match self.retainer.interval() {
                Some(interval) => requests.recv_timeout(interval),
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Ok(first) => self.serve(std::iter::once(first).chain(requests.try_iter())),
                Err(RecvTimeoutError::Timeout) => self.retainer.retain(&mut self.shelf),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn serve(&mut self, requests: impl Iterator<Item = SnapshotRequest>) {
        // While one was written, the same may have been asked for again.
        let mut wanted = BTreeSet::new();
        let mut stopping = false;
        for request in requests {
            match request {
                SnapshotRequest::Replay(namespace) => _ = wanted.insert(namespace),
                SnapshotRequest::Save { namespace, body, revision, hash } => {
                    wanted.remove(&namespace);
                    self.shelf.save(&namespace, revision, hash, &body);
                    stopping = true;
                }
            }
        }
        for namespace in wanted {
            self.shelf.replay_and_save(&namespace);
        }
        if !stopping && self.retainer.interval().is_some() {
            self.retainer.retain(&mut self.shelf);
        }
    }
}
