//! Has the engine's states forget tasks that were archived: one bounded step between two batches, so that commands hardly wait.
//!
//! Knows nothing of archives.

use std::sync::{
    Arc,
    mpsc::{self, Receiver, SyncSender},
};

use baton_core::{Revision, TaskId};

use super::{Namespaces, queue::Upkeep};

/// Most tasks that one step forgets: readers and the next batch wait for it, about as long as for the changes of a full batch. Not less,
/// since a busy engine finishes hundreds of tasks from one step to the next.
const STEP_TASKS: usize = 512;

/// Tasks that are in the archive as of those revisions, the newest of their histories.
#[derive(Debug)]
pub(super) struct Forgetting {
    namespace: Arc<str>,
    tasks: Vec<(TaskId, Revision)>,
    /// Dropped when it is done: the part after the next is asked for then.
    _done: SyncSender<()>,
}

/// Where to ask for it.
pub(super) struct Forgets {
    upkeep: Upkeep,
    /// Ends when what was asked for last is done.
    last: Option<Receiver<()>>,
}

impl Forgets {
    pub(super) fn new(upkeep: Upkeep) -> Self {
        Self { upkeep, last: None }
    }

    /// Asks the engine to forget `tasks`, once it has forgotten what was asked for before: so little is ever on its way, while the next part
    /// is being archived. An engine that has ended has nothing to forget.
    pub(super) fn ask(&mut self, namespace: &Arc<str>, tasks: Vec<(TaskId, Revision)>) {
        if let Some(last) = self.last.take() {
            // Nothing is ever sent: it ends when the other end is dropped.
            let _ = last.recv();
        }
        let (done, is_done) = mpsc::sync_channel(0);
        self.upkeep.forget(Forgetting { namespace: Arc::clone(namespace), tasks, _done: done });
        self.last = Some(is_done);
    }
}

/// Works off what is to be forgotten.
#[derive(Default)]
pub(super) struct Forgetter(Vec<Forgetting>);

impl Forgetter {
    pub(super) fn add(&mut self, forgetting: Forgetting) {
        self.0.push(forgetting);
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.0.is_empty()
    }

    /// Does one step, if there is something to do.
    pub(super) fn step(&mut self, namespaces: &Namespaces) {
        let Some(Forgetting { namespace, tasks, _done }) = self.0.last_mut() else { return };
        let rest = tasks.len().saturating_sub(STEP_TASKS);
        if let Some(namespace) = namespaces.get(namespace) {
            namespace.forget(&tasks[rest..]);
        }
        tasks.truncate(rest);
        if tasks.is_empty() {
            self.0.pop();
        }
    }
}
