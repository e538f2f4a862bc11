//! A watcher: reads as its habits are, leaves, is cut off, resumes, and notes everything that it saw.
//!
//! Judges nothing of it.

use baton_proto::v1::{self, ErrorReason, WatchHandoffsRequest};
use tokio::sync::watch;
use tonic::{Code, Status};

use super::{
    asks::is_gone,
    chronicle::Chronicle,
    habits::Habits,
    observed::{End, Seen, Stream, Watch},
};
use crate::harness::{Clients, Refused, in_time};

/// One message in so many is held against what a reader is told right after.
const HEAD_ASKED_ONE_IN: u32 = 30;

/// A watcher may not have acted on so many of the events that it was sent last.
const LAST_EVENTS: usize = 6;

/// One watcher.
pub(super) struct Watcher {
    habits: Habits,
    random: fastrand::Rng,
    /// The first revision that it has not acted on; `None`: it has no place yet.
    next: Option<u64>,
    log_id: String,
    pub(super) watch: Watch,
    /// How often it did not read for a while.
    pub(super) pauses: u64,
}

/// What a watcher has to do with one life of a server.
pub(super) struct Life {
    /// Where it watches.
    pub(super) watching: Clients,
    /// Where it asks what readers are told.
    pub(super) asking: Clients,
    /// What is durable, if it can be seen from here.
    pub(super) chronicle: Option<Chronicle>,
    /// How many answers the writers have had.
    pub(super) answered: watch::Receiver<u64>,
    /// How far the watcher is.
    pub(super) told: watch::Sender<u64>,
}

/// How the watcher came to the end of a stream.
enum Reading {
    /// It left, and comes back.
    Left,
    /// The server is stopping or gone.
    Over,
}

impl Watcher {
    pub(super) fn new(name: String, habits: Habits, random: fastrand::Rng) -> Self {
        let watch = Watch { name, streams: Vec::new() };
        Self { habits, random, next: None, log_id: String::new(), watch, pauses: 0 }
    }

    pub(super) fn namespace(&self) -> &str {
        &self.habits.request.namespace
    }

    pub(super) fn habits(&self) -> &Habits {
        &self.habits
    }

    /// Watches until the server is gone.
    pub(super) async fn live(mut self, mut life: Life) -> Self {
        loop {
            let request = self.request();
            let head_before = if request.start_revision == 0 {
                let Some(head) = head(&mut life.asking, self.namespace()).await else { return self };
                head
            } else {
                0
            };
            let incoming = match life.watching.watch(request.clone()).await {
                Ok(incoming) => incoming,
                Err(status) if status.code() == Code::OutOfRange => {
                    self.refused(request, head_before, status);
                    continue;
                }
                Err(status) => {
                    assert!(is_gone(&status), "{:?} is refused: {status:?}", self.watch.name);
                    return self;
                }
            };
            let mut stream = Stream::new(request, head_before);
            let reading = self.read(&mut stream, incoming, &mut life).await;
            self.settle(&mut stream);
            self.watch.streams.push(stream);
            if matches!(reading, Reading::Over) {
                return self;
            }
        }
    }

    /// What to ask for, first or to go on.
    fn request(&mut self) -> WatchHandoffsRequest {
        let first = self.habits.request.clone();
        match self.next {
            None => first,
            Some(start_revision) => {
                let log_id = if self.random.bool() { self.log_id.clone() } else { String::new() };
                WatchHandoffsRequest { start_revision, snapshot: false, log_id, ..first }
            }
        }
    }

    /// Notes that the place where it would go on is gone, and goes on from the oldest that is there.
    fn refused(&mut self, request: WatchHandoffsRequest, head_before: u64, status: Status) {
        let mut stream = Stream::new(request, head_before);
        stream.end = end(status);
        self.settle(&mut stream);
        self.watch.streams.push(stream);
    }

    async fn read(
        &mut self,
        stream: &mut Stream,
        mut incoming: tonic::Streaming<v1::WatchHandoffsResponse>,
        life: &mut Life,
    ) -> Reading {
        loop {
            let message = match in_time(incoming.message()).await {
                Ok(Some(message)) => message,
                Ok(None) => {
                    stream.end = End::Silent;
                    return Reading::Over;
                }
                Err(status) => {
                    stream.end = end(status);
                    let gap = matches!(stream.end, End::Compacted { .. });
                    return if gap { Reading::Left } else { Reading::Over };
                }
            };
            let durable = life.chronicle.as_ref().map(|chronicle| chronicle.head(self.namespace()));
            life.told.send_if_modified(|told| {
                let further = message.revision > *told;
                *told = message.revision.max(*told);
                further
            });
            self.log_id.clone_from(&message.log_id);
            stream.messages.push(Seen { message, durable, head_after: None });
            if self.random.u32(0..HEAD_ASKED_ONE_IN) == 0 {
                let head_after = head(&mut life.asking, self.namespace()).await;
                stream.messages.last_mut().expect("one was just added").head_after = head_after;
            }
            if self.habits.leaves_one_in > 0 && self.random.u32(0..self.habits.leaves_one_in) == 0 {
                return Reading::Left;
            }
            self.pause(stream.messages.len(), life).await;
        }
    }

    /// Does not read for a while, if it is time for that.
    async fn pause(&mut self, messages: usize, life: &mut Life) {
        let Some((every, answers)) = self.habits.pauses else { return };
        if !messages.is_multiple_of(every) {
            return;
        }
        self.pauses += 1;
        let until = life.answered.borrow().saturating_add(answers);
        // An error says that the writers are gone, and nothing more will be answered.
        let _ = in_time(life.answered.wait_for(|answered| *answered >= until)).await;
    }

    /// Decides from where to go on: from where the server says, from where the watcher is, or from one of its last events.
    fn settle(&mut self, stream: &mut Stream) {
        if let End::Compacted { oldest, .. } = stream.end {
            stream.acted = Some(oldest - 1);
            self.next = Some(oldest);
            return;
        }
        let Some(told) = stream.told().filter(|_| stream.has_begun()) else {
            // As far as it was, if it had a place.
            stream.acted = self.next.map(|next| next - 1);
            return;
        };
        let events: Vec<u64> = stream.events().map(|event| event.revision).collect();
        let within = self.random.choice(&events[events.len().saturating_sub(LAST_EVENTS)..]).copied();
        let acted = match (&stream.end, within) {
            (End::Stopping { resume_revision }, _) if self.random.bool() => resume_revision - 1,
            (_, Some(within)) if self.random.bool() => within,
            _ => told,
        };
        stream.acted = Some(acted);
        self.next = Some(acted + 1);
    }
}

/// The newest revision as a reader is told it; `None`: the server is gone.
pub(super) async fn head(clients: &mut Clients, namespace: &str) -> Option<u64> {
    let request = v1::GetSummaryRequest { namespace: namespace.to_owned(), ..Default::default() };
    match clients.monitor.get_summary(request).await {
        Ok(answer) => Some(answer.into_inner().revision),
        Err(status) => {
            assert!(is_gone(&status), "{status:?}");
            None
        }
    }
}

/// What a stream's last status says.
pub(super) fn end(status: Status) -> End {
    let refused = Refused::from(status);
    if refused.details.error_info().is_none() {
        return End::Killed;
    }
    let revision = |name: &str| refused.value(name).parse().expect("a revision is a number");
    match (refused.code, refused.reason()) {
        (Code::Unavailable, ErrorReason::ShuttingDown) => {
            End::Stopping { resume_revision: revision("resume_revision") }
        }
        (Code::OutOfRange, ErrorReason::RevisionCompacted) => {
            End::Compacted { oldest: revision("oldest_revision"), newest: revision("newest_revision") }
        }
        _ => panic!("a watch is no reason for {refused:?}"),
    }
}
