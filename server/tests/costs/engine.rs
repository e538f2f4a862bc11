//! A whole engine: what a batch of hand-offs through it allocates, and what it holds of many tasks.
//!
//! For the batch it is held in the middle of a commit until all of it waits, so that it is one batch each time.

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
};

use baton_core::{Command, RequestMemory};
use baton_log::{MemoryArchive, MemoryCheckpoints, MemoryLog, MemoryStore, SqliteLog, SqliteOptions};
use baton_server::{
    clock::{Clock, SystemClock},
    engine::{Engine, EngineLimits, EngineParts, Retention, RunningEngine},
    metrics::Metrics,
};
use parking_lot::Mutex;

use super::words::{NOW_US, command, create, hand_off, know};

/// A clock that the engine, which asks it once for each batch, has to wait for.
struct HeldClock {
    asked: Sender<()>,
    go_on: Mutex<Receiver<()>>,
}

/// The other end of it.
struct Hold {
    asked: Receiver<()>,
    go_on: Sender<()>,
}

impl Clock for HeldClock {
    fn now_us(&self) -> i64 {
        // Once the test has ended, nothing is held any more.
        let _ = self.asked.send(());
        let _ = self.go_on.lock().recv();
        NOW_US
    }
}

/// Allocations of one hand-off, from its command being given to its answer being had, in a batch of so many.
pub(crate) fn allocations(batch: usize) -> f64 {
    let ((asks, asked), (goes_on, go_on)) = (channel(), channel());
    let (clock, hold) = (HeldClock { asked: asks, go_on: Mutex::new(go_on) }, Hold { asked, go_on: goes_on });
    let parts = EngineParts {
        log: Box::new(MemoryLog::open(MemoryStore::new()).unwrap()),
        checkpoints: Box::new(MemoryCheckpoints::default()),
        archive: Box::new(MemoryArchive::default()),
        clock: Arc::new(clock),
        metrics: Arc::new(Metrics::new()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _in_runtime = runtime.enter();
    let (engine, thread, _) = Engine::start(parts, limits()).unwrap();
    let namespace = Arc::from("default");
    let run = |commands: Vec<_>| in_one_batch(&runtime, &engine, &namespace, &hold, commands);
    run((0..batch).map(|task| create("create", task)).chain([know()]).collect());
    let commands = (0..batch).map(|task| command("hand-off", task, hand_off(task))).collect();
    let allocations = run(commands);
    drop(hold);
    engine.stop();
    thread.join();
    allocations as f64 / batch as f64
}

/// Has the engine commit these in one batch, behind one of their own that it is held with; gives the allocations.
fn in_one_batch(
    runtime: &tokio::runtime::Runtime,
    engine: &Engine,
    namespace: &Arc<str>,
    hold: &Hold,
    mut commands: Vec<Command>,
) -> u64 {
    let first = commands.pop().expect("there is more than one");
    let submit = |command| engine.submit(namespace, command, 512, None).unwrap();
    let before = dhat::HeapStats::get().total_blocks;
    let mut answers = vec![submit(first)];
    hold.asked.recv().unwrap();
    answers.extend(commands.into_iter().map(submit));
    hold.go_on.send(()).unwrap();
    hold.asked.recv().unwrap();
    hold.go_on.send(()).unwrap();
    runtime.block_on(async {
        for answer in answers {
            answer.await.unwrap().unwrap();
        }
    });
    dhat::HeapStats::get().total_blocks - before
}

/// What an engine holds for each task that was created and handed on once, in namespaces that were filled one after the other, each with so
/// many tasks, and no request remembered: as they were filled, and after a start that replays the log.
pub(crate) fn task_bytes(namespaces: usize, tasks: usize) -> [f64; 2] {
    let folder = tempfile::tempdir().unwrap();
    let held = |fill: bool| {
        let before = dhat::HeapStats::get().curr_bytes;
        let (engine, thread) = start_on(folder.path());
        if fill {
            (0..namespaces).for_each(|namespace| hand_on(&engine, namespace, tasks));
        }
        engine.stop();
        thread.join();
        let after = dhat::HeapStats::get().curr_bytes;
        drop(engine);
        (after - before) as f64 / (namespaces * tasks) as f64
    };
    [held(true), held(false)]
}

fn start_on(folder: &Path) -> (Engine, RunningEngine) {
    let parts = EngineParts {
        log: Box::new(SqliteLog::open(folder, &SqliteOptions::default()).unwrap()),
        checkpoints: Box::new(MemoryCheckpoints::default()),
        archive: Box::new(MemoryArchive::default()),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(Metrics::new()),
    };
    let limits = EngineLimits { recent_events_max: 1, ..limits() };
    let (engine, thread, _) = Engine::start(parts, limits).unwrap();
    (engine, thread)
}

/// Creates so many tasks in a namespace and hands each on.
fn hand_on(engine: &Engine, namespace: usize, tasks: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let namespace = Arc::from(format!("namespace-{namespace}"));
    let created = (0..tasks).map(|task| create("", task)).collect();
    let handed_on = (0..tasks).map(|task| command("", task, hand_off(task))).collect();
    for commands in [vec![know()], created, handed_on] {
        for answer in runtime.block_on(engine.execute_all(&namespace, commands, 512, None)) {
            answer.unwrap();
        }
    }
}

fn limits() -> EngineLimits {
    EngineLimits {
        queue_commands_max: 4_096,
        queue_bytes_max: 64 * 1024 * 1024,
        batch_commands_max: 1_024,
        batch_bytes_max: 16 * 1024 * 1024,
        overlapped_commands_min: 128,
        namespaces_max: 10,
        request_memory: RequestMemory::default(),
        checkpoint_events: 1_000_000,
        retention: Retention::default(),
        recent_events_max: 16_384,
        recent_bytes_max: 32 * 1024 * 1024,
        recent_bytes_total_max: 256 * 1024 * 1024,
    }
}
