//! Commits batches: decides them, has them appended, and only then lets everyone see them and tells those who wait.
//!
//! A large batch is appended while the next is decided on top of what it changes: that one is appended after it, and comes to nothing if it
//! does. Knows nothing of where batches come from.

use std::{collections::BTreeMap, sync::Arc};

use baton_core::Revision;
use baton_log::{AppendError, Hash, Record};
use tokio::runtime::Handle;
use tracing::warn;

use super::{
    EngineError, EngineLimits, Namespace, Namespaces,
    appender::{Appended, Appender, Appending},
    deciding::{Decided, Prepared, by_namespace, lacks_any, prepare},
    newest::Newest,
    pacing::Pacing,
    past::Past,
    place::Place,
    recent::Commit,
    snapshots::Snapshots,
    submission::{Reply, Submission},
    tally::Tally,
    truncation::show_oldest,
};
use crate::{clock::Clock, metrics::Metrics};

/// To decide so many bytes of commands takes long.
const LONG_BYTES: usize = 256 * 1024;

/// What it takes to commit.
pub(super) struct Committer {
    pub(super) appender: Appender,
    /// What the states do not have any more.
    pub(super) past: Past,
    pub(super) namespaces: Arc<Namespaces>,
    /// The hash of each namespace's newest record.
    pub(super) heads: BTreeMap<Arc<str>, Hash>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) limits: EngineLimits,
    pub(super) snapshots: Snapshots,
    /// The commits whose tasks do not rest yet, by changes.
    pub(super) awake: Newest,
    /// The commits that are kept for watchers, by bytes.
    pub(super) kept: Newest,
    pub(super) pacing: Pacing,
    /// The runtime whose tasks wait for answers, if the engine was started on one.
    pub(super) runtime: Option<Handle>,
    /// Where it works just now.
    pub(super) here: Place,
    /// The batch that is being appended meanwhile.
    pub(super) under_way: Option<UnderWay>,
}

/// A batch that is being appended.
pub(super) struct UnderWay {
    batch: Decided,
    appending: Appending,
}

/// The log cannot be trusted any more.
pub(super) struct Broken(pub(super) String);

/// What everyone may see, and what is left to be done of it.
struct Published {
    namespace: Arc<Namespace>,
    record: Record,
    tally: Tally,
    /// What is kept of it for watchers.
    kept_bytes: usize,
}

impl Committer {
    /// Decides a batch, while the one before may be under way, and appends it after that, or begins to.
    pub(super) async fn commit(&mut self, batch: Vec<Submission>) -> Result<(), Broken> {
        if self.under_way.as_ref().is_some_and(|before| before.batch.opens_namespaces()) {
            self.land().await?;
        }
        let batch = self.decide(batch);
        let before = match self.under_way.take() {
            Some(UnderWay { batch: before, appending }) => match appending.await {
                Ok(()) => Some(before),
                Err(failure) => return refuse(before.replies, batch.replies, failure),
            },
            None => None,
        };
        if batch.commands() >= self.limits.overlapped_commands_min {
            let appending = self.appender.begin(batch.appends());
            self.under_way = Some(UnderWay { batch, appending });
            before.into_iter().for_each(|before| self.conclude(before));
            return Ok(());
        }
        before.into_iter().for_each(|before| self.conclude(before));
        let appended = match self.here {
            Place::OwnThread => self.appender.append(&batch.appends()),
            // Others keep the other processors busy if they call at the same time. A single one waits for this.
            Place::Runtime if batch.replies.len() > 1 => self.appender.begin_here(batch.appends()).await,
            Place::Runtime => self.appender.begin(batch.appends()).await,
        };
        match appended {
            Ok(()) => self.conclude(batch),
            Err(failure) => return refuse(batch.replies, Vec::new(), failure),
        }
        Ok(())
    }

    /// Whether others should not wait for the batch: there is much to decide, or something may have to be read first.
    pub(super) fn takes_long(&self, batch: &[Submission]) -> bool {
        let commands: usize = batch.iter().map(Submission::count).sum();
        let bytes: usize = batch.iter().map(|submission| submission.bytes).sum();
        commands >= self.limits.overlapped_commands_min
            || bytes >= LONG_BYTES
            || batch.iter().any(|submission| self.looks_back(submission))
    }

    /// Whether a command asks for what may be archived.
    fn looks_back(&self, submission: &Submission) -> bool {
        let Some(namespace) = self.namespaces.get(&submission.namespace) else { return false };
        let before = self.under_way.as_ref().and_then(|under_way| under_way.batch.of(namespace.name()));
        lacks_any(&namespace, before.map(|before| &before.changes), submission.work.commands())
    }

    /// The append of the batch that is under way, if there is one; what comes of it goes to [`landed`](Self::landed).
    pub(super) fn appending(&mut self) -> Option<&mut Appending> {
        self.under_way.as_mut().map(|under_way| &mut under_way.appending)
    }

    /// Waits for the batch that is under way, if there is one.
    pub(super) async fn land(&mut self) -> Result<(), Broken> {
        let Some(appending) = self.appending() else { return Ok(()) };
        let appended = appending.await;
        self.landed(appended)
    }

    /// Goes on with the batch that is under way, now that its append is over.
    pub(super) fn landed(&mut self, appended: Appended) -> Result<(), Broken> {
        let Some(UnderWay { batch, .. }) = self.under_way.take() else { return Ok(()) };
        match appended {
            Ok(()) => self.conclude(batch),
            Err(failure) => return refuse(batch.replies, Vec::new(), failure),
        }
        Ok(())
    }

    fn decide(&mut self, batch: Vec<Submission>) -> Decided {
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
            let before = self.under_way.as_ref().and_then(|under_way| under_way.batch.of(&name));
            let head = before.map(|before| before.append.record.checksum);
            let head = head.or_else(|| self.heads.get(&name).copied()).unwrap_or(Hash::ZERO);
            let changes = before.map(|before| &before.changes);
            let past = &mut self.past;
            prepared.extend(prepare(&namespace, past, changes, head, group, clock_us, &mut replies));
        }
        Decided { prepared, replies }
    }

    /// Lets everyone see a batch that is durable.
    fn conclude(&mut self, Decided { prepared, replies }: Decided) {
        let published: Vec<Published> = prepared.into_iter().map(|prepared| self.publish(prepared)).collect();
        // Many callers have enough to do meanwhile. A single one is served sooner by a thread that has nothing left to do.
        if replies.len() > 1 {
            self.deliver(replies);
            self.tidy_all(published);
        } else {
            self.tidy_all(published);
            self.deliver(replies);
        }
    }

    /// Answers from a thread of the runtime: to wake its tasks from outside takes a lock, and often a system call, for each of them.
    fn deliver(&self, replies: Vec<Reply>) {
        match &self.runtime {
            Some(runtime) if self.here == Place::OwnThread && replies.len() > 1 => {
                runtime.spawn(async { replies.into_iter().for_each(Reply::send) });
            }
            _ => replies.into_iter().for_each(Reply::send),
        }
    }

    /// Lets everyone see what is durable.
    fn publish(&mut self, prepared: Prepared) -> Published {
        // Before its first record, nobody else may know it yet.
        let is_new = prepared.opens_namespace();
        let Prepared { namespace, append, changes, tally } = prepared;
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
            show_oldest(&self.metrics, name, record.first_revision);
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

    /// Asks for the checkpoint of a namespace that came due while the one before was being made: nothing else may happen there for long.
    pub(super) fn save_if_due(&mut self, namespace: &Arc<str>) {
        if let (Some(hash), Some(namespace)) = (self.heads.get(namespace), self.namespaces.get(namespace)) {
            self.snapshots.ask_if_due(&namespace, *hash);
        }
    }

    /// Nothing changes any more.
    pub(super) fn save_all(&mut self) {
        for namespace in self.namespaces.all() {
            if let Some(hash) = self.heads.get(namespace.name()) {
                self.snapshots.ask_finally(&namespace, *hash);
            }
        }
    }
}

/// Nothing of a batch is visible, nor of the one that was decided after it. Says so where that is certain, and stops the engine where it is not.
fn refuse(replies: Vec<Reply>, after: Vec<Reply>, failure: AppendError) -> Result<(), Broken> {
    let (answer, broken) = match &failure {
        AppendError::Full(why) => (EngineError::LogFull(why.clone()), false),
        AppendError::Refused(why) => (EngineError::LogRefused(why.clone()), false),
        AppendError::Conflict { .. } | AppendError::Unknown(_) | AppendError::Broken(_) => {
            (EngineError::OutcomeUnknown, true)
        }
    };
    warn!(error = %failure, commands = replies.len() + after.len(), "a batch was not recorded");
    fail(replies, &answer);
    // The log never saw these.
    fail(after, if broken { &EngineError::Stopped } else { &answer });
    if broken { Err(Broken(failure.to_string())) } else { Ok(()) }
}

fn fail(replies: Vec<Reply>, answer: &EngineError) {
    replies.into_iter().for_each(|reply| reply.fail(answer));
}
