//! The thread beside the engine that writes checkpoints and keeps the log within its bounds.
//!
//! The engine gives it snapshots of its states, which cost next to nothing. It does not wait for it, but goes slower where it falls far behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
};

use baton_core::State;
use baton_log::Hash;

use super::{Namespace, priority, queue::Upkeep, retention::Retainer, shelf::Shelf};

/// Fewer new events than this are not worth a checkpoint when the server stops.
const FINAL_EVENTS: u64 = 1_000;

/// A checkpoint copies the tasks and hand-offs that the state holds, so this many times fewer events than that do not make one. With 8, each
/// event pays for copying eight of them, some 2 KB and two microseconds of the checkpoint's thread, however large the state is; its own
/// request is written once, whatever the distance. What comes after the last checkpoint, at most what one distance and the writing of one
/// checkpoint take, has to be replayed by a start after a crash, at about 200,000 events a second: with 1,000,000 tasks and as many hand-offs
/// about 250,000 events, less than two seconds. Below 800,000 of both together the configured distance holds.
const COPIED_PER_EVENT: usize = 8;

/// Whether so many events after the last checkpoint make a new one of a state that holds so much.
pub(super) fn is_due(events: u64, copied_count: usize, events_min: u64) -> bool {
    events >= distance(copied_count, events_min)
}

/// How many events after a checkpoint the next one is due, of a state that holds so much.
fn distance(copied_count: usize, events_min: u64) -> u64 {
    events_min.max((copied_count / COPIED_PER_EVENT) as u64)
}

/// The engine's end: gives snapshots to the thread as they are due. When it is dropped, the thread ends after what it was given.
pub(super) struct Snapshots {
    requests: mpsc::Sender<SnapshotRequest>,
    events_min: u64,
    /// What was last asked of each namespace.
    asked: BTreeMap<Arc<str>, Asked>,
}

#[derive(Default)]
struct Asked {
    /// The revision of the checkpoint.
    revision: u64,
    /// How many events after it the next one was to follow.
    distance: u64,
    /// Alive while the checkpoint is not made: a snapshot keeps what has changed since, so there is only one of each namespace.
    under_way: Weak<()>,
}

/// A checkpoint that is wanted.
pub(super) struct SnapshotRequest {
    namespace: Arc<str>,
    /// The snapshot that is to be saved.
    state: State,
    /// The hash of the log's record at its revision.
    hash: Hash,
    /// Whether the server stops: nothing is done then that can as well be done after the next start.
    stopping: bool,
    /// Dropped when it is done.
    under_way: Arc<()>,
}

impl Snapshots {
    /// Asks for a checkpoint of a namespace whose newest record has that hash, if one is due and none is being made. The work of a
    /// checkpoint grows with what the state holds, so the distance to the next one does too.
    ///
    /// Gives how many such distances there were since the one that is being made.
    pub(super) fn ask_if_due(&mut self, namespace: &Namespace, hash: Hash) -> f64 {
        let asked = self.asked.entry(Arc::clone(namespace.name())).or_default();
        let state = namespace.read();
        let events = state.head().0 - asked.revision;
        if asked.under_way.strong_count() > 0 {
            return events as f64 / asked.distance.max(1) as f64;
        }
        if is_due(events, state.copied_count(), self.events_min) {
            let state = state.snapshot();
            self.ask(namespace.name(), state, hash, false);
        }
        0.0
    }

    /// Asks for the last checkpoint of a namespace, if it is worth one: nothing changes any more.
    pub(super) fn ask_finally(&mut self, namespace: &Namespace, hash: Hash) {
        let last = self.asked.get(namespace.name()).map_or(0, |asked| asked.revision);
        let state = namespace.read();
        if state.head().0 - last >= FINAL_EVENTS {
            let state = state.snapshot();
            self.ask(namespace.name(), state, hash, true);
        }
    }

    fn ask(&mut self, namespace: &Arc<str>, state: State, hash: Hash, stopping: bool) {
        let under_way = Arc::new(());
        let asked = Asked {
            revision: state.head().0,
            distance: distance(state.copied_count(), self.events_min),
            under_way: Arc::downgrade(&under_way),
        };
        self.asked.insert(Arc::clone(namespace), asked);
        let namespace = Arc::clone(namespace);
        // If the thread has died, a restart only replays more.
        let _ = self.requests.send(SnapshotRequest { namespace, state, hash, stopping, under_way });
    }
}

/// Starts the thread, which tells `upkeep` what it made; `saved` are the revisions of the newest checkpoints that there are.
pub(super) fn start(
    shelf: Shelf,
    retainer: Retainer,
    upkeep: Upkeep,
    events_min: u64,
    saved: BTreeMap<Arc<str>, u64>,
) -> (Snapshots, JoinHandle<()>) {
    let (requests, received) = mpsc::channel();
    let mut keeper = Keeper { shelf, retainer, upkeep };
    let thread = thread::Builder::new()
        .name("baton-checkpoint".into())
        .spawn(move || {
            priority::lower();
            keeper.run(&received);
        })
        .expect("a thread can be started when the server starts");
    let asked = |revision| Asked { revision, ..Asked::default() };
    let asked = saved.into_iter().map(|(namespace, revision)| (namespace, asked(revision))).collect();
    (Snapshots { requests, events_min, asked }, thread)
}

struct Keeper {
    shelf: Shelf,
    retainer: Retainer,
    upkeep: Upkeep,
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
        // The last one of a namespace may find one before it that was not begun.
        let wanted: BTreeMap<Arc<str>, SnapshotRequest> =
            requests.map(|request| (Arc::clone(&request.namespace), request)).collect();
        let stopping = wanted.values().any(|request| request.stopping);
        for SnapshotRequest { namespace, state, hash, stopping, under_way } in wanted.into_values() {
            self.shelf.save_snapshot(&namespace, state, hash, !stopping);
            drop(under_way);
            self.upkeep.saved(namespace);
        }
        if !stopping && self.retainer.interval().is_some() {
            self.retainer.retain(&mut self.shelf);
        }
    }
}
