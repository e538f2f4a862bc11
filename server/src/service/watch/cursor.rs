//! Walks the events of a namespace from one revision on and makes messages of those that are wanted.

use std::{collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use baton_core::{Handoff, Revision};
use baton_log::ReadError;
use baton_proto::v1;
use bytes::Bytes;
use prost::Message as _;

use super::{
    compacted,
    encode::PRESENTATION,
    message::{MESSAGE_BYTES, Message, frame},
};
use crate::{
    engine::{
        Awaited, Commit, EventKey, Interest, Namespaces, ReadEvents, SILENT_REVISIONS_MAX, SharedFrame,
        Wanted,
    },
    service::{Api, from_wire::WatchQuery, refusal, to_wire},
    shutdown::ShutdownSignal,
    status::Refusal,
};

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
    wanted: Arc<Wanted>,
    /// What it wants as those know it who look at events for all; none: it has no filter.
    interest: Option<Interest>,
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
        let wanted = Arc::new(query.wanted);
        Self {
            interest: namespace.register(&wanted),
            namespaces: Arc::clone(api.engine.namespaces()),
            namespace,
            shutdown: api.shutdown.clone(),
            next: beginning.next,
            told,
            first: first_messages(beginning.snapshot.unwrap_or_default(), told, &log_id),
            read: VecDeque::new(),
            wanted,
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
        while message.is_empty()
            && !self.is_silent()
            && let Some(until) = self.pass_over(announced)
        {
            if self.read.is_empty() {
                if let Some(frame) = self.shared(announced)? {
                    return Ok(Some(frame));
                }
                if self.add_recent(until, &mut message)? {
                    continue;
                }
                self.read = self.read_log().await?.into();
            }
            self.add_read(until, &mut message)?;
        }
        if self.pass_over(announced).is_none() {
            // What is left is not announced, or not wanted: who waits holds nothing.
            self.read = VecDeque::new();
        }
        let is_due = self.is_due();
        Ok((!message.is_empty() || self.is_silent() || is_due).then(|| self.finish(message)))
    }

    /// Passes over what it does not want as far as that is known. Gives the revision up to which there may be something for it; none: it has
    /// everything.
    fn pass_over(&mut self, announced: Revision) -> Option<Revision> {
        if self.next > announced {
            return None;
        }
        let Some(interest) = &self.interest else { return Some(announced) };
        let ahead = interest.ahead(self.next, announced);
        self.next = ahead.as_ref().map_or(announced.next(), |ahead| *ahead.start());
        ahead.map(|ahead| *ahead.end())
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

    /// Adds what is in memory, as far as there is room and up to the commit of `until`; says whether anything was there.
    fn add_recent(&mut self, until: Revision, message: &mut Message) -> Result<bool, Refusal> {
        let mut is_there = false;
        while message.room() > 0 && self.next <= until {
            let Some(commits) = self.namespace.recent(self.next) else { break };
            is_there = true;
            for commit in commits {
                if commit.first_revision() > until || !self.add(&commit, message)? {
                    return Ok(true);
                }
            }
        }
        Ok(is_there)
    }

    /// Adds what was read from the log, as far as there is room and up to the commit of `until`, and lets go of what is done with.
    fn add_read(&mut self, until: Revision, message: &mut Message) -> Result<(), Refusal> {
        while let Some(commit) = self.read.pop_front() {
            if commit.first_revision() > until || !self.add(&commit, message)? {
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

    /// Waits for something new that concerns the watcher.
    pub(super) async fn news(&mut self) {
        match &self.interest {
            Some(interest) if interest.covers(self.next) => interest.news().await,
            // The sender lives in the namespace, which this cursor holds.
            _ => _ = self.namespace.announced.changed().await,
        }
    }

    /// The first revision that the watcher has not been sent.
    pub(super) fn resume_revision(&self) -> Revision {
        self.told.next()
    }

    async fn read_log(&self) -> Result<Vec<Arc<Commit>>, Refusal> {
        let name = Arc::clone(self.namespace.name());
        let (encoding, wanted) = (Arc::clone(&name), Arc::clone(&self.wanted));
        let prepare = move |commit: &Commit| {
            // What cannot be read is refused where it is sent.
            if let Ok(mut reading) = commit.read(&PRESENTATION)
                && reading.keys.iter().any(|key| wanted.wants(key))
            {
                reading.encoded(&encoding);
            }
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
        let mut reading =
            commit.read(&PRESENTATION).map_err(|error| refusal::log_unreadable(error.to_string()))?;
        let (keys, first) = (reading.keys, commit.first_revision().0);
        let skipped = usize::try_from(self.next.0.saturating_sub(first)).unwrap_or(usize::MAX);
        let mut from = skipped;
        while message.room() > 0
            && let Some(start) = (from..keys.len()).find(|index| self.wanted.wants(&keys[*index]))
        {
            let encoded = reading.encoded(self.namespace.name());
            let run = self.run(keys, &encoded.ends, start, message.room());
            let begin = if start == 0 { 0 } else { encoded.ends[start - 1] };
            message.add(&encoded.bytes[begin..encoded.ends[run.end - 1]], run.len());
            from = run.end;
        }
        if message.room() > 0 {
            from = from.max(keys.len());
        }
        self.next = self.next.max(Revision(first + from as u64));
        Ok(from >= keys.len())
    }

    /// The events from the wanted one at `start` on that are wanted too and stand together: at most `count_max`, or few more bytes than a
    /// message has.
    fn run(&self, keys: &[EventKey], ends: &[usize], start: usize, count_max: usize) -> Range<usize> {
        let begin = if start == 0 { 0 } else { ends[start - 1] };
        let belongs =
            |index: &usize| self.wanted.wants(&keys[*index]) && ends[*index] - begin <= MESSAGE_BYTES;
        let more = (start + 1..keys.len()).take(count_max.saturating_sub(1)).take_while(belongs).count();
        start..start + 1 + more
    }

    fn is_silent(&self) -> bool {
        self.next.0 - 1 - self.told.0 >= SILENT_REVISIONS_MAX
    }

    /// Whether it is its turn to be told that it has nothing to be told.
    fn is_due(&self) -> bool {
        let is_further = self.told < Revision(self.next.0 - 1);
        self.interest.as_ref().is_some_and(Interest::take_due) && is_further
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
