//! Appends batches to the log: at once, or on a thread of its own while the engine has something else to do.
//!
//! Tells of each whether it is durable; where the log does not say, it reads to find out. Knows nothing of states or answers.

use std::{
    fmt::Display,
    pin::Pin,
    sync::{Arc, mpsc},
    task::{Context, Poll},
    thread::JoinHandle,
    time::Instant,
};

use baton_log::{Append, AppendError, Log};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use super::{affinity::Affinity, busy_wait::BusyWait};
use crate::metrics::Metrics;

/// What came of an append.
pub(super) type Appended = Result<(), AppendError>;

/// The log, and the thread that appends to it while its owner does something else.
pub(super) struct Appender {
    log: Arc<Mutex<Box<dyn Log>>>,
    metrics: Arc<Metrics>,
    /// Where the thread gets its work from; none: it is to end.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Where the thread may run. None: that cannot be set here.
    affinity: Option<Affinity>,
}

/// Records for the thread, and who waits for what comes of them.
struct Job {
    appends: Vec<Append>,
    tell: oneshot::Sender<Appended>,
}

/// An append that was begun.
pub(super) struct Appending(oneshot::Receiver<Appended>);

impl Appender {
    /// Starts the thread, which may wait awake if there is a `busy_wait`.
    pub(super) fn start(log: Box<dyn Log>, metrics: &Arc<Metrics>, busy_wait: Option<BusyWait>) -> Self {
        let (log, metrics) = (Arc::new(Mutex::new(log)), Arc::clone(metrics));
        let (jobs, to_do) = mpsc::channel();
        let (introduce, introduced) = mpsc::channel();
        let of_thread = (Arc::clone(&log), Arc::clone(&metrics));
        let thread = std::thread::Builder::new().name("baton-log".into()).spawn(move || {
            // Who starts it waits for this.
            let _ = introduce.send(Affinity::of_this_thread());
            run(&to_do, busy_wait, &of_thread.0, &of_thread.1);
        });
        let thread = thread.expect("a thread can be started when the server starts");
        let affinity = introduced.recv().ok();
        Self { log, metrics, jobs: Some(jobs), thread: Some(thread), affinity }
    }

    /// The log, once nothing is being appended to it.
    pub(super) fn log(&self) -> MutexGuard<'_, Box<dyn Log>> {
        self.log.lock()
    }

    /// Makes the records durable.
    pub(super) fn append(&self, appends: &[Append]) -> Appended {
        append(&mut **self.log(), appends, &self.metrics)
    }

    /// Begins to make the records durable, after those of appends that were begun before.
    pub(super) fn begin(&mut self, appends: Vec<Append>) -> Appending {
        self.steer(Affinity::let_go);
        self.give(appends)
    }

    /// As [`begin`](Self::begin), on the processor of the caller, who has little else to do meanwhile.
    pub(super) fn begin_here(&mut self, appends: Vec<Append>) -> Appending {
        self.steer(Affinity::follow_caller);
        self.give(appends)
    }

    fn steer<E: Display>(&mut self, go: impl FnOnce(&mut Affinity) -> Result<(), E>) {
        let Some(affinity) = &mut self.affinity else { return };
        if let Err(error) = go(affinity) {
            debug!(%error, "the thread that appends to the log runs wherever the system lets it");
            self.affinity = None;
        }
    }

    fn give(&self, appends: Vec<Append>) -> Appending {
        let (tell, appended) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // If the thread is gone, nobody tells what came of it.
            let _ = jobs.send(Job { appends, tell });
        }
        Appending(appended)
    }
}

impl Drop for Appender {
    /// Whoever opens the log next finds it closed.
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Future for Appending {
    type Output = Appended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Appended> {
        let gone = |_| Err(AppendError::Broken("the thread that appends to the log has panicked".into()));
        Pin::new(&mut self.0).poll(context).map(|told| told.unwrap_or_else(gone))
    }
}

fn run(
    to_do: &mpsc::Receiver<Job>,
    mut busy_wait: Option<BusyWait>,
    log: &Mutex<Box<dyn Log>>,
    metrics: &Metrics,
) {
    while let Some(Job { appends, tell }) = next(to_do, busy_wait.as_mut()) {
        let appended = append(&mut **log.lock(), &appends, metrics);
        // Who does not wait any more is not told that it is durable.
        let _ = tell.send(appended);
    }
}

/// Waits for the next job. None: there will be none.
fn next(to_do: &mpsc::Receiver<Job>, busy_wait: Option<&mut BusyWait>) -> Option<Job> {
    let mut come = None;
    if let Some(busy_wait) = busy_wait {
        busy_wait.wait(|| {
            come = to_do.try_recv().ok();
            come.is_some()
        });
    }
    come.or_else(|| to_do.recv().ok())
}

fn append(log: &mut dyn Log, appends: &[Append], metrics: &Metrics) -> Appended {
    let Some(first) = appends.first() else { return Ok(()) };
    let started = Instant::now();
    let appended = match log.append(appends) {
        Err(AppendError::Unknown(why)) => settle(log, first, why),
        known => known,
    };
    metrics.append_duration.observe(started.elapsed().as_secs_f64());
    if appended.is_ok() {
        metrics.commits.inc();
    }
    appended
}

/// All appends of a batch are written or none is, so one tells of all.
fn settle(log: &dyn Log, append: &Append, why: String) -> Appended {
    let record = &append.record;
    warn!(error = %why, "the log did not say whether it appended; reading it to find out");
    let head = log.head(&record.namespace).map_err(|error| AppendError::Broken(error.to_string()))?;
    if head.hash == record.checksum && head.revision == record.last_revision() {
        Ok(())
    } else if head.revision == append.expected_revision {
        Err(AppendError::Refused(why))
    } else {
        let Append { expected_revision: expected, .. } = *append;
        let namespace = Arc::clone(&record.namespace);
        Err(AppendError::Conflict { namespace, expected, actual: head.revision })
    }
}
