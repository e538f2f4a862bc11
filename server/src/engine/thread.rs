//! The engine's thread: takes every waiting command, up to a bound, and commits them together.
//!
//! Durable first: answers, state and watchers see a batch only after the log has it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use baton_core::Revision;
use baton_log::{Append, AppendError, ArchiveReader, Hash, Log, Record};
use tokio::{runtime::Handle, sync::watch};
use tracing::{error, warn};

use super::{
    EngineError, EngineLimits, Namespace, Namespaces, StopReason,
    commit::{Prepared, by_namespace, prepare},
    forgetting::Forgetter,
    inbox::{BatchBounds, Closed, Inbox, Taken, ToDo},
    newest::Newest,
    pacing::Pacing,
    recent::Commit,
    snapshots::Snapshots,
    submission::{Reply, Submission},
    tally::Tally,
    truncation::Truncator,
};
use crate::{clock::Clock, metrics::Metrics};

/// How long it sleeps in a pause before it looks for something else to do: a step may forget hundreds of tasks.
const PAUSE_STEP: Duration = Duration::from_millis(1);

/// All that the thread owns.
pub(super) struct Owner {
    pub(super) log: Box<dyn Log>,
    /// The tasks that the states do not have any more.
    pub(super) archive: Box<dyn ArchiveReader>,
    pub(super) inbox: Inbox,
    pub(super) namespaces: Arc<Namespaces>,
    /// The hash of each namespace's newest record.
    pub(super) heads: BTreeMap<Arc<str>, Hash>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: EngineLimits,
    pub(super) stopped: watch::Sender<Option<StopReason>>,
    pub(super) snapshots: Snapshots,
    pub(super) truncator: Truncator,
    pub(super) forgetter: Forgetter,
    /// The commits whose tasks do not rest yet, by changes.
    pub(super) awake: Newest,
    /// The commits that are kept for watchers, by bytes.
    pub(super) kept: Newest,
    pub(super) pacing: Pacing,
    /// The runtime whose tasks wait for answers, if the engine was started on one.
    pub(super) runtime: Option<Handle>,
}

/// The log cannot be trusted any more.
struct Broken(String);

/// What everyone may see, and what is left to be done of it.
struct Published {
    namespace: Arc<Namespace>,
    record: Record,
    tally: Tally,
    /// What is kept of it for watchers.
    kept_bytes: usize,
}

pub(super) fn start(mut owner: Owner) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name("baton-engine".into())
        .spawn(move || owner.run())
        .expect("a thread can be started when the server starts")
}

impl Owner {
    fn run(&mut self) {
        let reason = match self.work() {
            Ok(()) => {
                self.save_all();
                StopReason::Asked
            }
            Err(Broken(why)) => {
                error!(error = %why, "the log failed; the engine stops. Start the server again: it reads what is durable");
                for submission in self.inbox.close() {
                    submission.answered(&EngineError::Stopped).send();
                }
                StopReason::Failed(why)
            }
        };
        self.stopped.send_replace(Some(reason));
    }

    fn work(&mut self) -> Result<(), Broken> {
        while let Ok(Taken { commands, upkeep }) = self.take() {
            self.add_upkeep(upkeep);
            self.metrics.queue_commands.set(i64::try_from(self.inbox.len()).unwrap_or(i64::MAX));
            if !commands.is_empty() {
                self.commit(commands)?;
            }
            self.keep_house()?;
            self.pause()?;
        }
        Ok(())
    }

    /// Does one step of what nobody waits for.
    fn keep_house(&mut self) -> Result<(), Broken> {
        self.truncator.step(&mut *self.log).map_err(Broken)?;
        self.forgetter.step(&self.namespaces);
        Ok(())
    }

    /// Pauses between two commits if checkpoints are behind. They need the engine meanwhile: to forget what was archived.
    fn pause(&mut self) -> Result<(), Broken> {
        let Some(pause) = self.pacing.pause() else { return Ok(()) };
        self.metrics.commits_slowed.inc();
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(PAUSE_STEP));
            let upkeep = self.inbox.take_upkeep();
            self.add_upkeep(upkeep);
            self.keep_house()?;
        }
    }

    fn add_upkeep(&mut self, ToDo { truncations, forgettings }: ToDo) {
        truncations.into_iter().for_each(|truncation| self.truncator.add(truncation));
        forgettings.into_iter().for_each(|forgetting| self.forgetter.add(forgetting));
    }

    /// A batch of what waits in the inbox; waits for it only if there is nothing else to do.
    fn take(&mut self) -> Result<Taken, Closed> {
        let EngineLimits { batch_commands_max: commands, batch_bytes_max: bytes, .. } = self.limits;
        let bounds = BatchBounds { commands, bytes };
        let is_idle = self.truncator.is_idle() && self.forgetter.is_idle();
        if is_idle { self.inbox.take(bounds) } else { self.inbox.take_waiting(bounds) }
    }

    fn commit(&mut self, batch: Vec<Submission>) -> Result<(), Broken> {
        let clock_us = self.clock.now_us();
        let mut replies = Vec::with_capacity(batch.len());
        let groups = by_namespace(batch);
        let mut prepared = Vec::with_capacity(groups.len());
        for (name, group) in groups {
            let Some(namespace) = self.namespaces.get_or_make(&name) else {
                let limit = self.limits.namespaces_max;
                let refusal = EngineError::TooManyNamespaces { limit };
                replies.extend(group.into_iter().map(|submission| submission.answered(&refusal)));
                continue;
            };
            let previous = self.heads.get(&name).copied().unwrap_or(Hash::ZERO);
            prepared.extend(prepare(&namespace, &*self.archive, previous, group, clock_us, &mut replies));
        }
        if let Err(failure) = self.append(&prepared) {
            return refuse(replies, failure);
        }
        let published: Vec<Published> = prepared.into_iter().map(|prepared| self.publish(prepared)).collect();
        // Many callers have enough to do meanwhile. A single one is woken sooner by a thread that then goes to sleep.
        if replies.len() > 1 {
            self.deliver(replies);
            self.tidy_all(published);
        } else {
            self.tidy_all(published);
            self.deliver(replies);
        }
        Ok(())
    }

    /// Answers from a thread of the runtime: to wake its tasks from outside takes a lock, and often a system call, for each of them.
    fn deliver(&self, replies: Vec<Reply>) {
        match &self.runtime {
            Some(runtime) if replies.len() > 1 => {
                runtime.spawn(async { replies.into_iter().for_each(Reply::send) });
            }
            _ => replies.into_iter().for_each(Reply::send),
        }
    }

    /// Makes the records durable, and settles by reading whether they are if the log does not say.
    fn append(&mut self, prepared: &[Prepared]) -> Result<(), AppendError> {
        if prepared.is_empty() {
            return Ok(());
        }
        let appends: Vec<Append> = prepared.iter().map(|prepared| prepared.append.clone()).collect();
        let started = Instant::now();
        let appended = match self.log.append(&appends) {
            Err(AppendError::Unknown(why)) => self.settle(&appends[0], why),
            known => known,
        };
        self.metrics.append_duration.observe(started.elapsed().as_secs_f64());
        if appended.is_ok() {
            self.metrics.commits.inc();
        }
        appended
    }

    /// All appends of a batch are written or none is, so one tells of all.
    fn settle(&self, append: &Append, why: String) -> Result<(), AppendError> {
        let record = &append.record;
        warn!(error = %why, "the log did not say whether it appended; reading it to find out");
        let head =
            self.log.head(&record.namespace).map_err(|error| AppendError::Broken(error.to_string()))?;
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

    /// Lets everyone see what is durable.
    fn publish(&mut self, prepared: Prepared) -> Published {
        let Prepared { namespace, append, changes, tally } = prepared;
        // Before its first record, nobody else may know it yet.
        let is_new = append.expected_revision == 0;
        let namespace = if is_new { self.namespaces.adopt(namespace) } else { namespace };
        let (events_max, bytes_max) = (self.limits.recent_events_max, self.limits.recent_bytes_max);
        let commit = Commit::of(&append.record);
        let kept_bytes = commit.bytes();
        namespace.publish(changes, commit, events_max, bytes_max);
        Published { namespace, record: append.record, tally, kept_bytes }
    }

    fn tidy_all(&mut self, published: Vec<Published>) {
        published.into_iter().for_each(|published| self.tidy(published));
    }

    /// Does what nobody waits for.
    fn tidy(&mut self, Published { namespace, record, tally, kept_bytes }: Published) {
        self.count(&tally);
        let name = namespace.name();
        if self.heads.insert(Arc::clone(name), record.checksum).is_none() {
            self.truncator.show_oldest(name, record.first_revision);
        }
        let behind = self.snapshots.ask_if_due(&namespace, record.checksum);
        self.pacing.note(tally.commands, behind);
        let until = Revision(record.last_revision());
        for (left, until) in self.kept.push(Arc::clone(&namespace), until, kept_bytes) {
            left.forget_before(until.next());
        }
        for (left, until) in self.awake.push(namespace, until, tally.commands) {
            left.rest_until(until);
        }
    }

    fn count(&self, tally: &Tally) {
        self.metrics.commands_committed.inc_by(tally.commands as u64);
        self.metrics.commit_commands.observe(tally.commands as f64);
        for (status, count) in tally.handoffs() {
            self.metrics.handoffs(status).inc_by(count);
        }
    }

    /// Nothing changes any more.
    fn save_all(&mut self) {
        for namespace in self.namespaces.all() {
            if let Some(hash) = self.heads.get(namespace.name()) {
                self.snapshots.ask_finally(&namespace, *hash);
            }
        }
    }
}

/// Nothing of the batch is visible. Says so where that is certain, and stops the engine where it is not.
fn refuse(replies: Vec<Reply>, failure: AppendError) -> Result<(), Broken> {
    let (answer, broken) = match &failure {
        AppendError::Full(why) => (EngineError::LogFull(why.clone()), false),
        AppendError::Refused(why) => (EngineError::LogRefused(why.clone()), false),
        AppendError::Conflict { .. } | AppendError::Unknown(_) | AppendError::Broken(_) => {
            (EngineError::OutcomeUnknown, true)
        }
    };
    warn!(error = %failure, commands = replies.len(), "a batch was not recorded");
    for reply in replies {
        reply.fail(&answer);
    }
    if broken { Err(Broken(failure.to_string())) } else { Ok(()) }
}
