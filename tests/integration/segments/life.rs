//! An engine on a folder that is asked for one kind of thing, thousands of times, and tells what it saves.

use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    time::{Duration, Instant},
};

use baton_core::{
    Action, AgentId, Claim, Command, CreateTask, InSegments, Object, RequestMemory, Revision, TaskId, Text,
    UpdateTask,
};
use baton_log::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, LogReader as _,
    Segment, SegmentHead, SegmentReader, TakePart,
};
use baton_server::{
    clock::SystemClock,
    engine::{Engine, EngineLimits, EngineParts, OpenEngineError, Retention, RunningEngine},
    metrics::Metrics,
};
use tokio::runtime::Runtime;

use crate::harness::Disk;

const NAMESPACE: &str = "default";
/// Events between two checkpoints.
pub(super) const CHECKPOINT_EVENTS: usize = 9_000;
/// Most commands that wait at once.
const AT_ONCE: usize = 1_024;

/// What was saved.
pub(super) enum Saved {
    Segment(Segment),
    Checkpoint(SavedCheckpoint),
}

pub(super) struct SavedCheckpoint {
    pub(super) segments: Vec<Segment>,
    /// What it has besides its segments.
    pub(super) own_bytes: u64,
}

impl Saved {
    pub(super) fn segment(&self) -> Option<&Segment> {
        match self {
            Self::Segment(segment) => Some(segment),
            Self::Checkpoint(_) => None,
        }
    }

    pub(super) fn checkpoint(&self) -> Option<&SavedCheckpoint> {
        match self {
            Self::Segment(_) => None,
            Self::Checkpoint(checkpoint) => Some(checkpoint),
        }
    }
}

/// About how many requests are asked again to see whether all are remembered as they were.
const ASKED_AGAIN: usize = 300;

/// What a life shows of its state.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shown {
    /// All of it but requests, byte for byte.
    but_requests: Vec<Vec<u8>>,
    oldest_request: Option<Revision>,
    /// What requests are answered again, from the oldest to the newest.
    answers: Vec<String>,
}

/// One life of an engine.
pub(super) struct Life {
    engine: Engine,
    thread: RunningEngine,
    runtime: Runtime,
    metrics: Arc<Metrics>,
    saved: Receiver<Saved>,
    /// Whether checkpoints cannot be saved any more, as if the process died before it came to them.
    pub(super) dying: Arc<AtomicBool>,
    /// Held: checkpoints are begun, and not saved before it is free.
    pub(super) saving: Arc<Mutex<()>>,
    /// The revision of the checkpoint.
    pub(super) started_from: u64,
}

impl Life {
    pub(super) fn start(disk: &Disk) -> Result<Self, OpenEngineError> {
        Self::remembering(disk, 1_000_000)
    }

    pub(super) fn remembering(disk: &Disk, count_max: usize) -> Result<Self, OpenEngineError> {
        Self::with(disk, count_max, Retention::default())
    }

    pub(super) fn with(disk: &Disk, count_max: usize, retention: Retention) -> Result<Self, OpenEngineError> {
        Self::with_limits(disk, limits(count_max, retention))
    }

    /// With so many events between two checkpoints, but for those that `retention` asks for.
    pub(super) fn with_checkpoints_each(
        disk: &Disk,
        events: u64,
        retention: Retention,
    ) -> Result<Self, OpenEngineError> {
        Self::with_limits(disk, EngineLimits { checkpoint_events: events, ..limits(1_000_000, retention) })
    }

    fn with_limits(disk: &Disk, limits: EngineLimits) -> Result<Self, OpenEngineError> {
        let (log, metrics) = (disk.log(), Arc::new(Metrics::new()));
        let ((saves, saved), dying, saving) = (mpsc::channel(), Arc::default(), Arc::default());
        let watched = Watched {
            inner: disk.checkpoints(),
            saves,
            dying: Arc::clone(&dying),
            saving: Arc::clone(&saving),
        };
        let parts = EngineParts {
            archive: disk.archive(log.id()),
            checkpoints: Box::new(watched),
            log: Box::new(log),
            clock: Arc::new(SystemClock),
            metrics: Arc::clone(&metrics),
        };
        let (engine, thread, recovered) = Engine::start(parts, limits)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let started_from = recovered.first().map_or(0, |recovered| recovered.checkpoint_revision.0);
        let life = Self { engine, thread, runtime, metrics, saved, dying, saving, started_from };
        if recovered.is_empty() {
            let task_id = TaskId::from("t");
            let (description, owner) = (Text::from("all that is done"), AgentId::from("a"));
            let create = CreateTask { task_id, description, owner, metadata: Object::default() };
            life.execute(vec![Command::new("", 0, Action::CreateTask(create))]);
        }
        Ok(life)
    }

    /// So many requests, each told by its revision.
    pub(super) fn touch(&self, count: usize) {
        let head = self.head();
        let revisions: Vec<u64> = (head + 1..=head + count as u64).collect();
        revisions.chunks(AT_ONCE).for_each(|chunk| self.execute(chunk.iter().copied().map(touch).collect()));
        assert_eq!(self.head(), head + count as u64);
    }

    /// Waits until there is a checkpoint, and gives what was saved.
    pub(super) fn until_checkpoint(&self) -> Vec<Saved> {
        let mut saves: Vec<Saved> = self.saved.try_iter().collect();
        while saves.last().and_then(Saved::checkpoint).is_none() {
            let saved = self.saved.recv_timeout(Duration::from_secs(20));
            saves.push(saved.expect("a checkpoint is saved"));
        }
        saves
    }

    /// Sees to it that the newest `count` requests are remembered, if not one by one.
    pub(super) fn remembers(&self, count: usize) {
        let head = self.head();
        let again = (head + 1 - count as u64..=head).step_by(7);
        self.execute(again.map(touch).collect());
        assert_eq!(self.head(), head, "a request was forgotten");
    }

    /// Goes on until the log does not have what came up to `revision` any more.
    pub(super) fn until_truncated(&self, revision: u64) {
        let oldest = || -> Option<u64> {
            let text = self.metrics.encode();
            let name = format!("baton_log_oldest_revision{{namespace=\"{NAMESPACE}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
        };
        while oldest() <= Some(revision) {
            self.touch(100);
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.engine.namespaces().get(NAMESPACE).map_or(0, |namespace| namespace.read().head().0)
    }

    /// The whole state.
    pub(super) fn state(&self) -> Shown {
        let Some(namespace) = self.engine.namespaces().get(NAMESPACE) else { return Shown::default() };
        let mut but_requests = Vec::new();
        let oldest_request = {
            let state = namespace.read();
            let all = InSegments { until: state.head(), count: 0 };
            let written = state.write_checkpoint_beside(all, &mut |part| {
                but_requests.push(part.to_vec());
                Ok::<_, ()>(())
            });
            written.unwrap();
            state.oldest_request()
        };
        let revisions = oldest_request.map_or(0..0, |Revision(oldest)| oldest..self.head() + 1);
        let step = (revisions.clone().count() / ASKED_AGAIN).max(1);
        let answers = self.answers(revisions.step_by(step).map(touch).collect());
        Shown { but_requests, oldest_request, answers }
    }

    /// What commands are answered that were all done before.
    fn answers(&self, commands: Vec<Command>) -> Vec<String> {
        let (namespace, head) = (Arc::from(NAMESPACE), self.head());
        let answers = self.engine.execute_all(&namespace, commands, 0, None);
        let answers = self.runtime.block_on(answers).into_iter().map(|answer| format!("{answer:?}"));
        let answers = answers.collect();
        assert_eq!(self.head(), head, "a request was forgotten");
        answers
    }

    /// What the request of that revision is answered, if it can be told.
    pub(super) fn answer(&self, revision: u64) -> String {
        self.answers(vec![touch(revision)]).remove(0)
    }

    /// Up to where requests are only in segments.
    pub(super) fn stored_until(&self) -> u64 {
        let namespace = self.engine.namespaces().get(NAMESPACE);
        namespace.map_or(0, |namespace| namespace.read().stored_until().0)
    }

    /// Waits until memory has let go of the requests up to `revision`.
    pub(super) fn until_let_go(&self, revision: u64) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.stored_until() < revision {
            assert!(Instant::now() < deadline, "still at {}", self.stored_until());
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(self.stored_until(), revision);
    }

    /// Stops, and gives the state that it had.
    pub(super) fn stop(self) -> Shown {
        let state = self.state();
        self.stop_unasked();
        state
    }

    pub(super) fn stop_unasked(self) {
        self.engine.stop();
        self.thread.join();
    }

    fn execute(&self, commands: Vec<Command>) {
        let namespace = Arc::from(NAMESPACE);
        for part in commands.chunks(AT_ONCE) {
            let answers = self.engine.execute_all(&namespace, part.to_vec(), part.len() * 100, None);
            for answer in self.runtime.block_on(answers) {
                answer.unwrap();
            }
        }
    }
}

/// The request that is recorded at `revision`.
fn touch(revision: u64) -> Command {
    let touched = UpdateTask {
        task_id: TaskId::from("t"),
        claim: Claim::default(),
        expected_revision: None,
        description: None,
        metadata: None,
        progress: None,
        start: false,
    };
    Command::new(&format!("request-{revision}"), 0, Action::UpdateTask(touched))
}

fn limits(count_max: usize, retention: Retention) -> EngineLimits {
    EngineLimits {
        queue_commands_max: 4_096,
        queue_bytes_max: 64 * 1024 * 1024,
        batch_commands_max: AT_ONCE,
        batch_bytes_max: 16 * 1024 * 1024,
        overlapped_commands_min: 1,
        namespaces_max: 10,
        request_memory: RequestMemory { count_max, ..RequestMemory::default() },
        checkpoint_events: CHECKPOINT_EVENTS as u64,
        retention,
        recent_events_max: 1_000,
        recent_bytes_max: 1024 * 1024,
        recent_bytes_total_max: 1024 * 1024,
    }
}

/// Tells what is saved.
struct Watched {
    inner: Box<dyn Checkpoints>,
    saves: Sender<Saved>,
    dying: Arc<AtomicBool>,
    saving: Arc<Mutex<()>>,
}

impl Checkpoints for Watched {
    fn save_segment(
        &mut self,
        head: &SegmentHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError> {
        let segment = self.inner.save_segment(head, write)?;
        // Who does not listen any more does not need to know.
        let _ = self.saves.send(Saved::Segment(segment));
        Ok(segment)
    }

    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool {
        self.inner.has_segment(namespace, segment)
    }

    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        if self.dying.load(Ordering::SeqCst) {
            let source = std::io::Error::other("as planned");
            return Err(CheckpointError { what: "write", path: PathBuf::new(), source });
        }
        let _free = self.saving.lock().unwrap();
        let mut own_bytes = 0;
        self.inner.save(head, &mut |take| {
            write(&mut |part| {
                own_bytes += part.len() as u64;
                take(part)
            })
        })?;
        let segments = head.segments.clone();
        let _ = self.saves.send(Saved::Checkpoint(SavedCheckpoint { segments, own_bytes }));
        Ok(())
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        self.inner.remove_others(namespace, kept);
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        self.inner.heads(namespace)
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        self.inner.open(head)
    }

    fn segments(&self) -> Box<dyn SegmentReader> {
        self.inner.segments()
    }
}

/// The files in the folder of checkpoints whose names end so, oldest first.
fn files(disk: &Disk, extension: &str) -> Vec<PathBuf> {
    let folder = disk.path().join("checkpoints");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}

pub(super) fn segment_files(disk: &Disk) -> Vec<PathBuf> {
    files(disk, "segment")
}

pub(super) fn checkpoint_files(disk: &Disk) -> Vec<PathBuf> {
    files(disk, "checkpoint")
}

/// The first and last revisions of the segments that the checkpoints there build on.
pub(super) fn named(disk: &Disk) -> BTreeSet<(u64, u64)> {
    let heads = disk.checkpoints().heads(NAMESPACE).unwrap();
    let segments = heads.iter().flat_map(|head| &head.segments);
    segments.map(|segment| (segment.first, segment.last)).collect()
}
