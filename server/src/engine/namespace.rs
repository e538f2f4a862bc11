//! One namespace as everyone may see it: the durable state, and the newest events for watchers.

use std::sync::{Arc, OnceLock, atomic::AtomicBool};

use baton_core::{Changes, Revision, State, StoredRequests, TaskId};
use parking_lot::{RwLock, RwLockReadGuard};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::watch;

use super::{
    frames::SharedFrames,
    interests::{Interest, Interests},
    recent::{Commit, Recent},
    wanted::Wanted,
};
use crate::metrics::Metrics;

/// Most commits that are taken from memory at once.
const COMMITS_MAX: usize = 64;

/// One namespace as of its newest durable revision.
#[derive(Debug)]
pub struct Namespace {
    pub(super) name: Arc<str>,
    // Written only by the engine, for as long as it takes to put a batch's changes in place.
    state: RwLock<State>,
    recent: RwLock<Recent>,
    frames: SharedFrames,
    interests: Arc<Interests>,
    /// The newest durable revision.
    pub(super) head: watch::Sender<Revision>,
    /// The newest revision that watchers were told of; what is between this and the head is on its way to them.
    pub(super) announced: watch::Sender<Revision>,
    /// Whether there is a task that announces.
    pub(super) announcing: AtomicBool,
    metrics: Arc<Metrics>,
    // Made once there is something to show: names that callers make up must not fill the metrics.
    head_gauge: OnceLock<Gauge>,
    archived_gauge: OnceLock<Gauge>,
}

impl Namespace {
    pub(super) fn new(name: Arc<str>, state: State, metrics: &Arc<Metrics>) -> Arc<Self> {
        let namespace = Self {
            name,
            head: watch::Sender::new(state.head()),
            announced: watch::Sender::new(state.head()),
            announcing: AtomicBool::new(false),
            state: RwLock::new(state),
            recent: RwLock::default(),
            frames: SharedFrames::default(),
            interests: Arc::default(),
            metrics: Arc::clone(metrics),
            head_gauge: OnceLock::new(),
            archived_gauge: OnceLock::new(),
        };
        namespace.show_head();
        namespace.show_archived(namespace.read().archived_count());
        Arc::new(namespace)
    }

    /// Its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Its durable state. Hold it briefly: the engine waits for it.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// Some of the commits from the one that holds `from` on; `None`: it is no longer in memory.
    pub fn recent(&self, from: Revision) -> Option<Vec<Arc<Commit>>> {
        self.recent.read().from(from, COMMITS_MAX)
    }

    /// Messages that its watchers share.
    pub fn frames(&self) -> &SharedFrames {
        &self.frames
    }

    /// Registers what a watcher wants, so that events that it does not want do not concern it; none: it has no filter.
    pub fn register(&self, wanted: &Arc<Wanted>) -> Option<Interest> {
        self.interests.register(Arc::clone(wanted), *self.head.borrow())
    }

    pub(super) fn interests(&self) -> &Interests {
        &self.interests
    }

    /// Puts a durable commit in place: state first, then watchers. What it left to be done, [`Namespace::rest_until`] does.
    pub(super) fn publish(&self, changes: Changes, commit: Commit, events_max: usize, bytes_max: usize) {
        let head = changes.head();
        let archived = {
            let mut state = self.state.write();
            state.absorb_awake(changes);
            state.archived_count()
        };
        self.show_archived(archived);
        self.recent.write().push(Arc::new(commit), events_max, bytes_max);
        self.head.send_replace(head);
        self.show_head();
    }

    /// Lets those tasks rest that nothing after `until` has changed.
    pub(super) fn rest_until(&self, until: Revision) {
        self.state.write().rest_until(until);
    }

    /// Forgets tasks that are in the archive as of these revisions. Those that were changed since stay.
    pub(super) fn forget(&self, tasks: &[(TaskId, Revision)]) {
        let mut state = self.state.write();
        for (id, revision) in tasks {
            state.forget(id, *revision);
        }
        let archived = state.archived_count();
        drop(state);
        self.show_archived(archived);
    }

    /// Lets go of the requests that a segment has.
    pub(super) fn let_go(&self, stored: &Arc<StoredRequests>) {
        self.state.write().let_go(stored);
    }

    fn show_archived(&self, count: u64) {
        if count > 0 || self.archived_gauge.get().is_some() {
            let gauge = self.archived_gauge.get_or_init(|| self.metrics.archived_tasks(&self.name));
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Keeps no commit in memory that the log no longer has: nobody is to see more than after a restart.
    pub(super) fn forget_before(&self, oldest: Revision) {
        self.recent.write().forget_before(oldest);
    }

    fn show_head(&self) {
        let head = self.head.borrow().0;
        if head > 0 {
            let gauge = self.head_gauge.get_or_init(|| self.metrics.head_revision(&self.name));
            gauge.set(i64::try_from(head).unwrap_or(i64::MAX));
        }
    }
}
