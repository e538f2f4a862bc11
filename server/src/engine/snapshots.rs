//! Writes checkpoints in the background, so that a restart need not replay everything.
//!
//! It builds the state from the last checkpoint and the log, with a reader of its own: the engine never waits for it.

use std::{
    collections::BTreeSet,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use baton_core::{CHECKPOINT_FORMAT, RequestMemory, Revision, State};
use baton_log::{Checkpoints, Hash, LogReader};
use tracing::{debug, warn};

use super::open::{catch_up, from_checkpoint};

/// Asks for checkpoints. When it is dropped, the thread ends after the one it writes.
pub(super) type Snapshots = mpsc::Sender<SnapshotRequest>;

/// A checkpoint that is wanted.
pub(super) enum SnapshotRequest {
    /// Of a namespace as of now, built from the log.
    Replay(Arc<str>),
    /// Of a namespace as it is given.
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

pub(super) fn start(
    reader: Box<dyn LogReader>,
    checkpoints: Box<dyn Checkpoints>,
    memory: RequestMemory,
) -> (Snapshots, JoinHandle<()>) {
    let (requests, received) = mpsc::channel();
    let mut saver = Saver { reader, checkpoints, memory };
    let thread = thread::Builder::new()
        .name("baton-checkpoint".into())
        .spawn(move || saver.run(&received))
        .expect("a thread can be started when the server starts");
    (requests, thread)
}

struct Saver {
    reader: Box<dyn LogReader>,
    checkpoints: Box<dyn Checkpoints>,
    memory: RequestMemory,
}

impl Saver {
    fn run(&mut self, requests: &mpsc::Receiver<SnapshotRequest>) {
        while let Ok(request) = requests.recv() {
            // While one was written, the same may have been asked for again.
            let mut wanted = BTreeSet::new();
            for request in std::iter::once(request).chain(requests.try_iter()) {
                match request {
                    SnapshotRequest::Replay(namespace) => _ = wanted.insert(namespace),
                    SnapshotRequest::Save { namespace, body, revision, hash } => {
                        wanted.remove(&namespace);
                        self.save(&namespace, revision, hash, &body);
                    }
                }
            }
            for namespace in wanted {
                self.replay_and_save(&namespace);
            }
        }
    }

    fn replay_and_save(&mut self, namespace: &Arc<str>) {
        match self.replayed(namespace) {
            Ok((state, hash)) => self.save(namespace, state.head(), hash, &state.to_checkpoint()),
            Err(error) => warn!(%namespace, %error, "no checkpoint was written; the next start replays more"),
        }
    }

    fn replayed(&self, namespace: &Arc<str>) -> Result<(State, Hash), super::OpenEngineError> {
        let head = self.reader.head(namespace)?;
        let mut state = from_checkpoint(&*self.reader, &*self.checkpoints, &head, self.memory)?;
        catch_up(&*self.reader, namespace, &mut state, Revision(head.revision))?;
        Ok((state, head.hash))
    }

    fn save(&mut self, namespace: &str, revision: Revision, hash: Hash, body: &[u8]) {
        match self.checkpoints.save(namespace, revision.0, hash, CHECKPOINT_FORMAT, body) {
            Ok(()) => debug!(%namespace, %revision, bytes = body.len(), "checkpoint written"),
            Err(error) => {
                warn!(%namespace, %revision, %error, "no checkpoint was written; the next start replays more");
            }
        }
    }
}
