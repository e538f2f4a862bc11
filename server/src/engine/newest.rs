//! Bounds what the newest commits of all namespaces hold together: the oldest leave, whichever namespace they are of.
//!
//! So memory is bounded however many namespaces there are, and one that goes quiet makes room for those that are written. Knows nothing of
//! what it is that they hold, nor of what leaving means.

use std::{collections::VecDeque, iter, sync::Arc};

use baton_core::Revision;

use super::Namespace;

/// The commits that have not left yet.
#[derive(Debug)]
pub(super) struct Newest {
    /// Oldest first.
    commits: VecDeque<Held>,
    /// What they hold, together, and at most.
    size: usize,
    size_max: usize,
}

/// What a commit holds in a namespace.
#[derive(Debug)]
struct Held {
    namespace: Arc<Namespace>,
    until: Revision,
    size: usize,
}

impl Newest {
    /// None yet. They are to hold at most `size_max` together, in whatever it is counted in.
    pub(super) fn new(size_max: usize) -> Self {
        Self { commits: VecDeque::new(), size: 0, size_max }
    }

    /// Notes a commit that holds so much, the newest event of which has the revision `until`. Gives what leaves for it: the namespace of each
    /// commit, and its newest revision.
    pub(super) fn push(
        &mut self,
        namespace: Arc<Namespace>,
        until: Revision,
        size: usize,
    ) -> impl Iterator<Item = (Arc<Namespace>, Revision)> {
        self.commits.push_back(Held { namespace, until, size });
        self.size = self.size.saturating_add(size);
        iter::from_fn(|| {
            let oldest = if self.size > self.size_max { self.commits.pop_front() } else { None }?;
            self.size -= oldest.size;
            Some((oldest.namespace, oldest.until))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::sync::Arc;

    use baton_core::{Action, AgentId, Command, CreateTask, Object, RequestMemory, Revision, TaskId, Text};
    use baton_log::{MemoryArchive, MemoryCheckpoints, MemoryLog, MemoryStore};
    use tokio::runtime::Builder;

    use crate::{
        clock::SystemClock,
        engine::{Engine, EngineLimits, EngineParts, Retention, RunningEngine},
        metrics::Metrics,
    };

    const DESCRIPTION_BYTES: usize = 1_024;
    /// A commit is counted with three times its body.
    const KEPT_BYTES_MAX: usize = 16 * 3 * DESCRIPTION_BYTES;

    #[test]
    fn commits_that_are_kept_for_watchers_leave_for_newer_ones_of_other_namespaces() {
        let (engine, thread) = start();
        let runtime = Builder::new_current_thread().build().unwrap();
        let create = |namespace: &str, task| {
            let namespace = Arc::from(namespace);
            runtime.block_on(engine.execute(&namespace, creation(task), 1_024, None)).unwrap();
        };
        let keeps = |namespace: &str, revision: u64| {
            let namespace = engine.namespaces().get(namespace).unwrap();
            namespace.recent(Revision(revision)).is_some_and(|commits| !commits.is_empty())
        };
        create("quiet", 1);
        create("quiet", 2);
        assert!(keeps("quiet", 1));
        // Few of them, in a namespace each, are enough: there is no share that a namespace keeps.
        for task in 1..=16 {
            create(&format!("busy-{task}"), task);
        }
        assert!(!keeps("quiet", 1) && !keeps("quiet", 2));
        assert!(keeps("busy-16", 1));
        create("quiet", 3);
        assert!(keeps("quiet", 3) && !keeps("quiet", 2));
        engine.stop();
        thread.join();
    }

    fn creation(task: usize) -> Command {
        let create = CreateTask {
            task_id: TaskId::from(format!("task-{task}")),
            description: Text::from("d".repeat(DESCRIPTION_BYTES)),
            owner: AgentId::from("triage"),
            metadata: Object::default(),
        };
        Command::new("", 0, Action::CreateTask(create))
    }

    fn start() -> (Engine, RunningEngine) {
        let parts = EngineParts {
            log: Box::new(MemoryLog::open(MemoryStore::new()).unwrap()),
            checkpoints: Box::new(MemoryCheckpoints::default()),
            archive: Box::new(MemoryArchive::default()),
            clock: Arc::new(SystemClock),
            metrics: Arc::new(Metrics::new()),
        };
        let limits = EngineLimits {
            queue_commands_max: 16,
            queue_bytes_max: 1024 * 1024,
            batch_commands_max: 16,
            batch_bytes_max: 1024 * 1024,
            overlapped_commands_min: 128,
            namespaces_max: 32,
            request_memory: RequestMemory::default(),
            checkpoint_events: 1_000,
            retention: Retention::default(),
            recent_events_max: 1_000,
            recent_bytes_max: KEPT_BYTES_MAX,
            recent_bytes_total_max: KEPT_BYTES_MAX,
        };
        let (engine, thread, _) = Engine::start(parts, limits).unwrap();
        (engine, thread)
    }
}
