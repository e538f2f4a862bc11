//! Engines in memory, for tests.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use baton_core::{Action, AgentId, Command, CreateTask, Object, RequestMemory, TaskId, Text};
use baton_log::{MemoryArchive, MemoryCheckpoints, MemoryLog, MemoryStore};
use tokio::runtime::{Builder, Runtime};

use super::{Engine, EngineLimits, EngineParts, EngineThread, Retention};
use crate::{clock::SystemClock, metrics::Metrics};

/// An engine, and a runtime to ask it on.
pub(super) struct Running {
    pub(super) engine: Engine,
    thread: EngineThread,
    runtime: Runtime,
}

impl Running {
    pub(super) fn start(parts: EngineParts, limits: EngineLimits) -> Self {
        let (engine, thread, _) = Engine::start(parts, limits).unwrap();
        let runtime = Builder::new_current_thread().build().unwrap();
        Self { engine, thread, runtime }
    }

    /// Creates a task with a description of so many bytes: one command, one commit, one event.
    pub(super) fn create(&self, namespace: &str, task: usize, description_bytes: usize) {
        let create = CreateTask {
            task_id: TaskId::from(format!("task-{task}")),
            description: Text::from("d".repeat(description_bytes)),
            owner: AgentId::from("triage"),
            metadata: Object::default(),
        };
        let (namespace, command) = (Arc::from(namespace), Command::new("", 0, Action::CreateTask(create)));
        self.runtime.block_on(self.engine.execute(&namespace, command, 1_024, None)).unwrap();
    }

    pub(super) fn stop(self) {
        self.engine.stop();
        self.thread.join();
    }
}

pub(super) fn parts() -> EngineParts {
    EngineParts {
        log: Box::new(MemoryLog::open(MemoryStore::new()).unwrap()),
        checkpoints: Box::new(MemoryCheckpoints::default()),
        archive: Box::new(MemoryArchive::default()),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(Metrics::new()),
    }
}

pub(super) fn limits() -> EngineLimits {
    EngineLimits {
        queue_commands_max: 16,
        queue_bytes_max: 1024 * 1024,
        batch_commands_max: 16,
        batch_bytes_max: 1024 * 1024,
        namespaces_max: 32,
        request_memory: RequestMemory::default(),
        checkpoint_events: 1_000,
        retention: Retention::default(),
        recent_events_max: 1_000,
        recent_bytes_max: 1024 * 1024,
        recent_bytes_total_max: 1024 * 1024,
    }
}
