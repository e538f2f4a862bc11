//! Walks the events of a namespace from one revision on and makes messages of those that are wanted.

use std::{sync::Arc, time::Duration};

use baton_core::{Handoff, Revision};
use baton_log::ReadError;
use baton_proto::v1;
use prost::Message as _;
use tokio::sync::watch;

use super::compacted;
use crate::{
    engine::{Awaited, Commit, Namespaces, ReadEvents},
    service::{
        Api,
        from_wire::{Wanted, WatchQuery},
        refusal, to_wire,
    },
    shutdown::ShutdownSignal,
    status::Refusal,
};

/// Most events of one message.
const MESSAGE_EVENTS_MAX: usize = 512;
/// A message is sent when its events pass this many bytes: few large frames rather than many small ones, and well within 4 MiB.
const MESSAGE_BYTES: usize = 256 * 1024;
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
    head: watch::Receiver<Revision>,
    pub(super) shutdown: ShutdownSignal,
    next: Revision,
    /// The newest revision that the watcher was told it has everything up to.
    told: Revision,
    snapshot: Option<Vec<Arc<Handoff>>>,
    wanted: Wanted,
    pub(super) progress_interval: Duration,
    log_id: String,
}

/// A message in the making.
#[derive(Default)]
struct Message {
    events: Vec<v1::HandoffEvent>,
    bytes: usize,
}

impl Cursor {
    pub(super) fn new(
        api: &Api,
        namespace: Awaited,
        query: WatchQuery,
        beginning: Beginning,
        log_id: String,
    ) -> Self {
        Self {
            namespaces: Arc::clone(api.engine.namespaces()),
            head: namespace.head(),
            namespace,
            shutdown: api.shutdown.clone(),
            next: beginning.next,
            told: Revision(beginning.next.0 - 1),
            snapshot: beginning.snapshot,
            wanted: query.wanted,
            progress_interval: query.progress_interval,
            log_id,
        }
    }

    /// The messages of the snapshot; the watcher hears at once where it begins, also if there is none.
    pub(super) fn first_messages(&mut self) -> Vec<v1::WatchHandoffsResponse> {
        let open = self.snapshot.take().unwrap_or_default();
        let mut messages = vec![self.message(Vec::new())];
        let mut bytes = 0;
        for handoff in open.iter().map(|handoff| to_wire::handoff(handoff)) {
            let size = handoff.encoded_len();
            if bytes + size > MESSAGE_BYTES && bytes > 0 {
                messages.push(self.message(Vec::new()));
                bytes = 0;
            }
            bytes += size;
            let last = messages.last_mut().expect("there is one from the beginning");
            last.open_handoffs.push(handoff);
        }
        let count = messages.len();
        for message in &mut messages[..count - 1] {
            message.snapshot_continues = true;
        }
        messages
    }

    /// The next messages, as far as there is something to say now; none: the watcher has everything.
    pub(super) async fn messages(&mut self) -> Result<Vec<v1::WatchHandoffsResponse>, Refusal> {
        let mut messages = Vec::new();
        loop {
            let head = *self.head.borrow_and_update();
            if !messages.is_empty() || self.next > head {
                return Ok(messages);
            }
            // The log may have what nobody was answered yet; a watcher is never ahead of those who read.
            let commits = self.commits().await?;
            for commit in commits.iter().take_while(|commit| commit.last_revision() <= head) {
                self.add_commit(commit, &mut messages);
            }
        }
    }

    /// Tells how far the watcher is.
    pub(super) fn progress(&mut self) -> v1::WatchHandoffsResponse {
        self.message(Vec::new())
    }

    /// Waits for something new.
    pub(super) async fn news(&mut self) {
        // The sender lives in the namespace, which this cursor holds.
        let _ = self.head.changed().await;
    }

    /// The first revision that the watcher has not been sent.
    pub(super) fn resume_revision(&self) -> Revision {
        self.next
    }

    async fn commits(&self) -> Result<Vec<Arc<Commit>>, Refusal> {
        if let Some(recent) = self.namespace.recent(self.next) {
            return Ok(recent);
        }
        let (namespaces, name, from) =
            (Arc::clone(&self.namespaces), Arc::clone(self.namespace.name()), self.next);
        let read = tokio::task::spawn_blocking(move || namespaces.read_log(&name, from)).await;
        match read {
            Ok(Ok(commits)) => Ok(commits),
            Ok(Err(ReadEvents::Read(ReadError::Compacted { oldest, newest }))) => {
                Err(compacted(self.next, Revision(oldest), Revision(newest)))
            }
            Ok(Err(error)) => Err(refusal::log_unreadable(error.to_string())),
            Err(_) => Err(refusal::log_unreadable("the read of the log was broken off".into())),
        }
    }

    fn add_commit(&mut self, commit: &Commit, messages: &mut Vec<v1::WatchHandoffsResponse>) {
        let mut message = Message::default();
        for (revision, entry) in commit.entries_from(self.next) {
            if self.wanted.wants(&entry.event) {
                let event = to_wire::event(self.namespace.name(), revision, commit.time_us, &entry.event);
                message.bytes += event.encoded_len();
                message.events.push(event);
            }
            self.next = revision.next();
            if message.is_full() {
                messages.push(self.message(std::mem::take(&mut message).events));
            }
        }
        let silent = self.next.0 - 1 - self.told.0 >= SILENT_REVISIONS_MAX;
        if !message.events.is_empty() || silent {
            messages.push(self.message(message.events));
        }
    }

    /// A message that says: this is all up to the revision before `next`.
    fn message(&mut self, events: Vec<v1::HandoffEvent>) -> v1::WatchHandoffsResponse {
        self.told = Revision(self.next.0 - 1);
        v1::WatchHandoffsResponse {
            events,
            revision: self.told.0,
            log_id: self.log_id.clone(),
            open_handoffs: Vec::new(),
            snapshot_continues: false,
        }
    }
}

impl Message {
    fn is_full(&self) -> bool {
        self.events.len() >= MESSAGE_EVENTS_MAX || self.bytes >= MESSAGE_BYTES
    }
}
