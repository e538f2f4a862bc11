//! Walks the events of a namespace from one revision on and makes messages of those that are wanted.

use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use baton_core::{Handoff, Revision};
use baton_log::ReadError;
use baton_proto::v1;
use bytes::Bytes;
use prost::Message as _;

use super::{
    compacted,
    encode::encode,
    message::{MESSAGE_BYTES, Message, frame},
};
use crate::{
    engine::{Awaited, Commit, Encoded, Namespaces, ReadEvents, SharedFrame},
    service::{
        Api,
        from_wire::{Wanted, WatchQuery},
        refusal, to_wire,
    },
    shutdown::ShutdownSignal,
    status::Refusal,
};

/// A watcher that wants none of so many revisions is told how far it is.
const SILENT_REVISIONS_MAX: u64 = 10_000;

/// Where a watcher begins.
pub(super) struct Beginning {
    /// The first revision that it has not had.
    pub(super) next: Revision,
    /// The open hand-offs just before that, if it asked for them.
    pub(super) snapshot: Option<Vec<Arc<Handoff>>>,
}

/// One watcher's place in the log.
pub(super) struct Cursor {
    namespaces: Arc<Namespaces>,
    namespace: Awaited,
    pub(super) shutdown: ShutdownSignal,
    next: Revision,
    /// The newest revision that the watcher was told it has everything up to.
    told: Revision,
    /// The messages that it begins with, as far as they have not been sent.
    first: VecDeque<Bytes>,
    /// What was read from the log and has not been sent: bounded by what one read gives.
    read: VecDeque<Arc<Commit>>,
    wanted: Wanted,
    pub(super) progress_interval: Duration,
    log_id: String,
}

impl Cursor {
    pub(super) fn new(
        api: &Api,
        namespace: Awaited,
        query: WatchQuery,
        beginning: Beginning,
        log_id: String,
    ) -> Self {
        let told = Revision(beginning.next.0 - 1);
        Self {
            namespaces: Arc::clone(api.engine.namespaces()),
            namespace,
            shutdown: api.shutdown.clone(),
            next: beginning.next,
            told,
            first: first_messages(beginning.snapshot.unwrap_or_default(), told, &log_id),
            read: VecDeque::new(),
            wanted: query.wanted,
            progress_interval: query.progress_interval,
            log_id,
        }
    }

    /// The next message, as a frame, if there is something to say now; none: the watcher has everything.
    ///
    /// Dropped while it waits, it may have passed events that nobody was sent: the cursor is of no use then.
    pub(super) async fn message(&mut self) -> Result<Option<Bytes>, Refusal> {
        if let Some(first) = self.first.pop_front() {
            return Ok(Some(first));
        }
        // The log may have what nobody was answered yet; a watcher is never ahead of those who read.
        let announced = *self.namespace.announced.borrow_and_update();
        let mut message = Message::default();
        while self.next <= announced && message.is_empty() && !self.is_silent() {
            if self.read.is_empty() {
                if let Some(frame) = self.shared(announced)? {
                    return Ok(Some(frame));
                }
                if self.add_recent(announced, &mut message)? {
                    continue;
                }
                self.read = self.read_log().await?.into();
            }
            self.add_read(announced, &mut message)?;
        }
        Ok((!message.is_empty() || self.is_silent()).then(|| self.finish(message)))
    }

    /// The next message as those get it too who want the same; none if there is no such message, or nothing in memory to make it from.
    fn shared(&mut self, announced: Revision) -> Result<Option<Bytes>, Refusal> {
        let Some(all_events) = self.wanted.without_filter() else { return Ok(None) };
        let namespace = Arc::clone(&self.namespace);
        let mut frames = namespace.frames().open();
        if let Some(SharedFrame { next, bytes, .. }) = frames.find(all_events, self.next) {
            self.next = *next;
            self.told = Revision(next.0 - 1);
            return Ok(Some(bytes.clone()));
        }
        let from = self.next;
        let mut message = Message::default();
        self.add_recent(announced, &mut message)?;
        if message.is_empty() {
            return Ok(None);
        }
        let bytes = self.finish(message);
        frames.add(SharedFrame { all_events, from, next: self.next, bytes: bytes.clone() });
        Ok(Some(bytes))
    }

    /// Adds what is in memory, as far as there is room and it is announced; says whether anything was there.
    fn add_recent(&mut self, announced: Revision, message: &mut Message) -> Result<bool, Refusal> {
        let mut is_there = false;
        while message.room() > 0 && self.next <= announced {
            let Some(commits) = self.namespace.recent(self.next) else { break };
            is_there = true;
            for commit in commits {
                if commit.last_revision() > announced || !self.add(&commit, message)? {
                    return Ok(true);
                }
            }
        }
        Ok(is_there)
    }

    /// Adds what was read from the log, as far as there is room and it is announced, and lets go of what is done with.
    fn add_read(&mut self, announced: Revision, message: &mut Message) -> Result<(), Refusal> {
        while let Some(commit) = self.read.pop_front() {
            if commit.last_revision() > announced {
                self.read.clear();
            } else if !self.add(&commit, message)? {
                self.read.push_front(commit);
                break;
            }
        }
        Ok(())
    }

    /// Tells how far the watcher is.
    pub(super) fn progress(&mut self) -> Bytes {
        self.finish(Message::default())
    }

    /// Waits for something new.
    pub(super) async fn news(&mut self) {
        // The sender lives in the namespace, which this cursor holds.
        let _ = self.namespace.announced.changed().await;
    }

    /// The first revision that the watcher has not been sent.
    pub(super) fn resume_revision(&self) -> Revision {
        self.told.next()
    }

    async fn read_log(&self) -> Result<Vec<Arc<Commit>>, Refusal> {
        let name = Arc::clone(self.namespace.name());
        let encoding = Arc::clone(&name);
        let prepare = move |commit: &Commit| {
            // What cannot be encoded is refused where it is sent.
            let _ = commit.encoded(|commit, entries| encode(&encoding, commit, entries));
        };
        self.namespaces.read_log(&name, self.next, prepare).await.map_err(|error| match error {
            ReadEvents::Read(ReadError::Compacted { oldest, newest }) => {
                compacted(self.next, Revision(oldest), Revision(newest))
            }
            error => refusal::log_unreadable(error.to_string()),
        })
    }

    /// Adds what is wanted of `commit`, as far as there is room; says whether there was for all of it.
    fn add(&mut self, commit: &Commit, message: &mut Message) -> Result<bool, Refusal> {
        let name = self.namespace.name();
        let encoded = commit
            .encoded(|commit, entries| encode(name, commit, entries))
            .map_err(|error| refusal::log_unreadable(error.to_string()))?;
        let first = commit.first_revision().0;
        let skipped = usize::try_from(self.next.0.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut from = skipped;
        while message.room() > 0 && from < encoded.events.len() {
            let run = self.next_run(encoded, from, message.room());
            let begin = if run.start == 0 { 0 } else { encoded.events[run.start - 1].end };
            if !run.is_empty() {
                message.add(&encoded.bytes[begin..encoded.events[run.end - 1].end], run.len());
            }
            from = run.end;
        }
        self.next = self.next.max(Revision(first + from as u64));
        Ok(from >= encoded.events.len())
    }

    /// The next events that are wanted and stand together, from the one at `from` on: at most `count_max`, or few more bytes than a
    /// message has. Empty at the end if there are none.
    fn next_run(&self, encoded: &Encoded, from: usize, count_max: usize) -> Range<usize> {
        let events = &encoded.events;
        let wants = |index: &usize| self.wanted.wants(&events[*index].key);
        let start = (from..events.len()).find(wants).unwrap_or(events.len());
        let begin = if start == 0 { 0 } else { events[start - 1].end };
        let fits = |index: &usize| events[*index].end - begin <= MESSAGE_BYTES || *index == start;
        let end =
            (start..events.len()).take(count_max).take_while(|index| wants(index) && fits(index)).last();
        start..end.map_or(start, |last| last + 1)
    }

    fn is_silent(&self) -> bool {
        self.next.0 - 1 - self.told.0 >= SILENT_REVISIONS_MAX
    }

    fn finish(&mut self, message: Message) -> Bytes {
        self.told = Revision(self.next.0 - 1);
        message.finish(self.told, &self.log_id)
    }
}

/// The messages of a snapshot; a watcher hears at once where it begins, also if it asked for none.
fn first_messages(open: Vec<Arc<Handoff>>, revision: Revision, log_id: &str) -> VecDeque<Bytes> {
    let empty = || v1::WatchHandoffsResponse {
        revision: revision.0,
        log_id: log_id.to_owned(),
        ..Default::default()
    };
    let mut messages = vec![empty()];
    let mut bytes = 0;
    for handoff in open.iter().map(|handoff| to_wire::handoff(handoff)) {
        let size = handoff.encoded_len();
        if bytes + size > MESSAGE_BYTES && bytes > 0 {
            messages.push(empty());
            bytes = 0;
        }
        bytes += size;
        messages.last_mut().expect("there is one from the beginning").open_handoffs.push(handoff);
    }
    let count = messages.len();
    for message in &mut messages[..count - 1] {
        message.snapshot_continues = true;
    }
    messages.iter().map(frame).collect()
}
