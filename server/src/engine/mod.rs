//! The engine: takes commands, makes what comes of them durable, and only then lets anyone see it.
//!
//! One task has the right to append to the log and to change namespaces; what is large, another thread writes for it. Knows nothing of gRPC.

mod affinity;
mod announcer;
mod appender;
pub mod archived;
mod attic;
mod busy_wait;
mod committing;
mod deciding;
mod error;
mod forgetting;
mod frames;
mod inbox;
mod interests;
mod namespace;
mod namespaces;
mod newest;
mod open;
mod owner;
mod pacing;
mod past;
mod place;
mod priority;
mod queue;
mod readers;
mod recall;
mod recent;
mod replay;
mod retention;
mod segments;
mod shelf;
mod snapshots;
mod submission;
mod tally;
mod truncation;
mod trust;
mod wanted;

pub use error::EngineError;
pub use frames::{OpenFrames, SharedFrame, SharedFrames};
pub use interests::{Interest, SILENT_REVISIONS_MAX};
pub use namespace::Namespace;
pub use namespaces::{Awaited, Namespaces, ReadEvents};
pub use open::{OpenEngineError, Recovered};
pub use recent::{Commit, Encoded, Presentation, Reading};
pub use retention::Retention;
pub use wanted::{EventKey, Wanted};

use std::{
    sync::Arc,
    thread::{JoinHandle, available_parallelism},
    time::Instant,
};

use baton_core::{Answer, Command, RequestMemory, limits::UNPACKED_CHANGES_MAX};
use baton_log::{Archive, Checkpoints, Log, LogId};
use tokio::{
    runtime::Handle,
    sync::{
        oneshot::{self, error::TryRecvError},
        watch,
    },
};

use crate::{clock::Clock, metrics::Metrics};
use appender::Appender;
use busy_wait::{BusyWait, CallersBusyWait};
use committing::Committer;
use forgetting::{Forgets, Forgetter};
use newest::Newest;
use owner::Owner;
use pacing::Pacing;
use past::Past;
use place::{Place, Working};
use queue::Queue;
use retention::Retainer;
use shelf::Shelf;
use submission::{Submission, Work};
use truncation::{Truncator, show_oldest};

/// The bounds of an engine.
#[derive(Clone, Copy, Debug)]
pub struct EngineLimits {
    /// Most commands that wait.
    pub queue_commands_max: usize,
    /// Most bytes of commands that wait.
    pub queue_bytes_max: usize,
    /// Most commands that are committed at once.
    pub batch_commands_max: usize,
    /// Most bytes of commands that are committed at once.
    pub batch_bytes_max: usize,
    /// The next batch is decided while one of at least so many commands is appended: below, it is not worth waking another thread.
    /// Where the engine has no thread of its own, so many are decided aside.
    pub overlapped_commands_min: usize,
    /// Most namespaces.
    pub namespaces_max: usize,
    /// For how long, and how many, requests are remembered.
    pub request_memory: RequestMemory,
    /// How many new events make a new checkpoint.
    pub checkpoint_events: u64,
    /// How much of the log is kept.
    pub retention: Retention,
    /// Most events of a namespace that are kept in memory for watchers.
    pub recent_events_max: usize,
    /// Most bytes of such events of a namespace.
    pub recent_bytes_max: usize,
    /// Most bytes of such events of all namespaces together, counting those that newer ones of their own namespace have taken the place of.
    pub recent_bytes_total_max: usize,
}

/// What an engine stands on.
pub struct EngineParts {
    /// What is true.
    pub log: Box<dyn Log>,
    /// What saves replaying all of it.
    pub checkpoints: Box<dyn Checkpoints>,
    /// The finished tasks that checkpoints, and states, leave out.
    pub archive: Box<dyn Archive>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where commits are counted.
    pub metrics: Arc<Metrics>,
}

/// A handle to a running engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    queue: Queue,
    namespaces: Arc<Namespaces>,
    clock: Arc<dyn Clock>,
    log_id: LogId,
    log_kind: &'static str,
    stopped: watch::Receiver<Option<StopReason>>,
    batch_commands_max: usize,
    busy_wait: CallersBusyWait,
}

/// Why an engine does not run any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// It was asked to.
    Asked,
    /// The log failed, or there is a defect.
    Failed(String),
}

/// An engine that works. Dropping it lets the engine work on until all handles are gone.
#[derive(Debug)]
pub struct RunningEngine {
    working: Working,
    snapshots: JoinHandle<()>,
}

impl RunningEngine {
    /// Waits until the engine has stopped: after [`Engine::stop`], or after the log failed. Blocks, so it is not for a task of the runtime
    /// that the engine was started on.
    pub fn join(self) {
        // A panic of the thread has been reported where it happened; there is nothing more to lose here.
        self.working.join();
        let _ = self.snapshots.join();
    }
}

impl Engine {
    /// Reads the log and starts an engine on it. Blocks while it reads.
    ///
    /// It works in a thread of its own, or in the one of the runtime from which it is started, if that has only one.
    ///
    /// # Errors
    /// [`OpenEngineError`] if the log cannot be read, is damaged, was written by a newer server, or does not begin at its beginning and no
    /// checkpoint has what was before.
    pub fn start(
        parts: EngineParts,
        limits: EngineLimits,
    ) -> Result<(Self, RunningEngine, Vec<Recovered>), OpenEngineError> {
        let EngineParts { log, checkpoints, archive, clock, metrics } = parts;
        let runtime = Handle::try_current().ok();
        let place = Place::beside(runtime.as_ref());
        let past = Past::new(archive.reader()?, checkpoints.segments(), place);
        let [archive_readers, archive_readers_at_length] = [readers::READERS, readers::READERS_AT_LENGTH]
            .map(|count| (0..count).map(|_| archive.reader()).collect::<Result<_, _>>());
        let (queue, inbox) = Queue::new(limits.queue_commands_max, limits.queue_bytes_max);
        let reader = log.reader().map_err(OpenEngineError::Read)?;
        let mut shelf =
            Shelf::new(reader, (checkpoints, archive), limits.request_memory, limits.checkpoint_events);
        let opened = open::open(&mut shelf)?;
        shelf.tell(Forgets::new(queue.upkeep()));
        let readers = (0..readers::READERS).map(|_| log.reader()).collect::<Result<_, _>>()?;
        let batch_commands_max = limits.batch_commands_max;
        let (log_id, log_kind) = (log.id(), log.kind());
        let namespaces = Arc::new(Namespaces::new(
            opened.namespaces,
            readers,
            (archive_readers?, archive_readers_at_length?),
            limits,
            Arc::clone(&metrics),
        ));
        let (stopped_tx, stopped) = watch::channel(None);
        let retainer = Retainer::new(limits.retention, Arc::clone(&clock), queue.upkeep());
        let (snapshots, saver) = snapshots::start(
            shelf,
            retainer,
            queue.upkeep(),
            limits.checkpoint_events,
            opened.snapshot_revisions,
        );
        for namespace in &opened.recovered {
            show_oldest(&metrics, &namespace.namespace, namespace.oldest_revision.0);
        }
        let busy_wait = BusyWait::on(available_parallelism().map_or(1, usize::from));
        let of_callers = busy_wait.of_callers();
        let (of_engine, of_log) = match place {
            Place::OwnThread => (Some(busy_wait), None),
            Place::Runtime => (None, Some(busy_wait)),
        };
        let owner = Owner {
            place,
            inbox,
            callers: of_callers.clone(),
            busy_wait: of_engine,
            truncator: Truncator::new(Arc::clone(&namespaces), Arc::clone(&metrics)),
            forgetter: Forgetter::default(),
            stopped: stopped_tx,
            committer: Committer {
                appender: Appender::start(log, &metrics, of_log),
                past,
                namespaces: Arc::clone(&namespaces),
                heads: opened.heads,
                clock: Arc::clone(&clock),
                metrics,
                limits,
                snapshots,
                awake: Newest::new(UNPACKED_CHANGES_MAX),
                kept: Newest::new(limits.recent_bytes_total_max),
                pacing: Pacing::default(),
                runtime: runtime.clone(),
                here: place,
                under_way: None,
            },
        };
        let working = place.start(runtime.as_ref(), owner.run());
        let engine = Self {
            queue,
            namespaces,
            clock,
            log_id,
            log_kind,
            stopped,
            batch_commands_max,
            busy_wait: of_callers,
        };
        Ok((engine, RunningEngine { working, snapshots: saver }, opened.recovered))
    }

    /// Decides `command` and waits until what comes of it is durable. A repeated request id gives the first answer. Dropping the
    /// future does not take the command back.
    ///
    /// `bytes` is the size of the command as it came, for the bounds of the queue. After `deadline` the command is no longer begun.
    ///
    /// # Errors
    /// [`EngineError`]; only [`EngineError::OutcomeUnknown`] leaves open whether it was recorded.
    pub async fn execute(
        &self,
        namespace: &Arc<str>,
        command: Command,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Result<Answer, EngineError> {
        let caller = self.busy_wait.begin();
        let mut answer = self.submit(namespace, command, bytes, deadline)?;
        let unknown = Err(EngineError::OutcomeUnknown);
        let come = || match answer.try_recv() {
            Err(TryRecvError::Empty) => None,
            over => Some(over.ok()),
        };
        match caller.wait(come).await {
            Some(answered) => answered.unwrap_or(unknown),
            None => answer.await.unwrap_or(unknown),
        }
    }

    /// As [`Engine::execute`], but returns as soon as the command waits in the queue, in its place.
    ///
    /// # Errors
    /// [`EngineError::QueueFull`], [`EngineError::Stopped`].
    pub fn submit(
        &self,
        namespace: &Arc<str>,
        command: Command,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Result<oneshot::Receiver<Result<Answer, EngineError>>, EngineError> {
        let (reply, answer) = oneshot::channel();
        let work = Work::One(command, reply);
        self.queue.push(Submission { namespace: Arc::clone(namespace), work, bytes, deadline })?;
        Ok(answer)
    }

    /// As [`Engine::execute`] for each of several commands: one answer each, in their order. They are committed together, as far as the
    /// bounds of a batch allow.
    ///
    /// `bytes` is the size of all of them as they came.
    pub async fn execute_all(
        &self,
        namespace: &Arc<str>,
        commands: Vec<Command>,
        bytes: usize,
        deadline: Option<Instant>,
    ) -> Vec<Result<Answer, EngineError>> {
        let _caller = self.busy_wait.begin();
        let (count, part_max) = (commands.len(), self.batch_commands_max.max(1));
        let mut commands = commands.into_iter();
        let mut parts = Vec::with_capacity(count.div_ceil(part_max));
        // All wait in the queue before the first answer is awaited.
        while commands.len() > 0 {
            let part: Vec<Command> = commands.by_ref().take(part_max).collect();
            let (size, bytes) = (part.len(), bytes / count * part.len());
            let (reply, answers) = oneshot::channel();
            let work = Work::Several(part, reply);
            let pushed =
                self.queue.push(Submission { namespace: Arc::clone(namespace), work, bytes, deadline });
            parts.push((size, pushed.map(|()| answers)));
        }
        let mut all = Vec::with_capacity(count);
        for (size, waiting) in parts {
            let failed = match waiting {
                Err(error) => error,
                Ok(answers) => match answers.await {
                    Ok(answers) => {
                        all.extend(answers);
                        continue;
                    }
                    Err(_) => EngineError::OutcomeUnknown,
                },
            };
            all.extend((0..size).map(|_| Err(failed.clone())));
        }
        all
    }

    /// The namespaces, as far as they are durable.
    pub fn namespaces(&self) -> &Arc<Namespaces> {
        &self.namespaces
    }

    /// The time, as the engine sees it.
    pub fn now_us(&self) -> i64 {
        self.clock.now_us()
    }

    /// The log that the engine writes.
    pub fn log_id(&self) -> LogId {
        self.log_id
    }

    /// What keeps the log.
    pub fn log_kind(&self) -> &'static str {
        self.log_kind
    }

    /// Asks the engine to stop after what already waits. Later commands are refused.
    pub fn stop(&self) {
        self.queue.close();
    }

    /// Waits until the engine has stopped, and tells why.
    pub async fn stopped(&self) -> StopReason {
        let mut stopped = self.stopped.clone();
        let reason = stopped.wait_for(Option::is_some).await;
        let gone = || StopReason::Failed("the engine panicked".into());
        reason.ok().and_then(|reason| reason.clone()).unwrap_or_else(gone)
    }

    /// Whether the engine still takes commands.
    pub fn is_running(&self) -> bool {
        self.stopped.borrow().is_none() && !self.queue.is_closed()
    }
}
