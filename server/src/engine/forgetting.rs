//! Has the engine's states forget what is kept elsewhere now: one bounded step between two batches, so that commands hardly wait.
//!
//! Knows nothing of archives and segments.

use std::sync::{
    Arc,
    mpsc::{self, Receiver, SyncSender},
};

use baton_core::{Revision, StoredRequests, TaskId};

use super::{Namespaces, queue::Upkeep};

/// Most tasks that one step forgets: readers and the next batch wait for it, about as long as for the changes of a full batch. Not less,
/// since a busy engine finishes hundreds of tasks from one step to the next.
const STEP_TASKS: usize = 512;

/// What is kept elsewhere.
#[derive(Debug)]
pub(super) struct Forgetting {
    namespace: Arc<str>,
    what: Kept,
    /// Dropped when it is done: the part after the next is asked for then.
    _done: SyncSender<()>,
}

#[derive(Debug)]
enum Kept {
    /// Tasks, in the archive as of those revisions, the newest of their histories.
    Tasks(Vec<(TaskId, Revision)>),
    /// Requests, in a segment: one step lets go of all of them, since they go by whole chunks.
    Requests(Arc<StoredRequests>),
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

    /// Asks the engine to forget tasks that were archived.
    pub(super) fn tasks(&mut self, namespace: &Arc<str>, tasks: Vec<(TaskId, Revision)>) {
        self.ask(namespace, Kept::Tasks(tasks));
    }

    /// Asks the engine to let go of the requests that a segment has.
    pub(super) fn requests(&mut self, namespace: &Arc<str>, stored: Arc<StoredRequests>) {
        self.ask(namespace, Kept::Requests(stored));
    }

    /// Asks once the engine has forgotten what was asked for before: so little is ever on its way, while the next part is being archived. An
    /// engine that has ended has nothing to forget.
    fn ask(&mut self, namespace: &Arc<str>, what: Kept) {
        if let Some(last) = self.last.take() {
            // Nothing is ever sent: it ends when the other end is dropped.
            let _ = last.recv();
        }
        let (done, is_done) = mpsc::sync_channel(0);
        self.upkeep.forget(Forgetting { namespace: Arc::clone(namespace), what, _done: done });
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
        let Some(Forgetting { namespace, what, _done }) = self.0.last_mut() else { return };
        let namespace = namespaces.get(namespace);
        let is_done = match what {
            Kept::Tasks(tasks) => {
                let rest = tasks.len().saturating_sub(STEP_TASKS);
                namespace.inspect(|namespace| namespace.forget(&tasks[rest..]));
                tasks.truncate(rest);
                rest == 0
            }
            Kept::Requests(stored) => {
                namespace.inspect(|namespace| namespace.let_go(stored));
                true
            }
        };
        if is_done {
            self.0.pop();
        }
    }
}
