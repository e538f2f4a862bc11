//! Ways in which a watch can be broken: what is done to what the real server said.
//!
//! Pure: a fault strikes requests, messages and statuses, and knows nothing of streams.

use baton_proto::v1::{ErrorReason, EventType, WatchHandoffsRequest, WatchHandoffsResponse};
use baton_server::status::Refusal;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::harness::Refused;

/// What is wrong with a server. Where a message is struck it is the second with events of a watch's first stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// An event does not come.
    DropEvent,
    /// The events of a message do not come, and are told to have come.
    DropMessage,
    /// An event comes twice in a message.
    RepeatEvent,
    /// A message comes twice.
    RepeatMessage,
    /// Two events come in the other order.
    SwapEvents,
    /// Two messages come in the other order.
    SwapMessages,
    /// A resumed stream begins one too late.
    ResumeLate,
    /// A resumed stream begins one too early.
    ResumeEarly,
    /// From now begins where it was some revisions ago.
    BeginEarly,
    /// A message tells one revision too many.
    TellAhead,
    /// The newest message tells of a revision that is not there.
    TellBeyond,
    /// A message is told before its events come.
    TellBeforeEvents,
    /// Progress goes back.
    TellBack,
    /// An event comes that was not asked for.
    LetThrough,
    /// The task of a completed hand-off has not moved.
    TaskUnmoved,
    /// The epoch of a completed hand-off has not grown.
    EpochUnraised,
    /// A completed hand-off has not moved the state.
    StateUnmoved,
    /// A completed hand-off is told as initiated.
    StatusLate,
    /// A hand-off has another reason than was given.
    Alter,
    /// A message is of another log.
    OtherLog,
    /// A snapshot lacks an open hand-off.
    ForgetOpen,
    /// A revision is refused as gone that is there.
    ForgetTooMuch,
    /// The stream ends without a status.
    EndSilently,
    /// The stop says to resume one too late.
    SendAheadAtStop,
    /// The stop says to resume one too early.
    SendBackAtStop,
}

impl Fault {
    /// What the real server is asked for instead. `head` is the newest revision.
    pub(super) fn strike_request(self, request: &mut WatchHandoffsRequest, head: u64) {
        let resumed = request.start_revision > 1;
        match self {
            Self::ResumeLate if resumed => request.start_revision += 1,
            Self::ResumeEarly if resumed => request.start_revision -= 1,
            Self::BeginEarly if request.start_revision == 0 => request.start_revision = head - 3,
            Self::LetThrough => request.filter = None,
            _ => {}
        }
    }

    /// What a stream is refused with instead of being answered.
    pub(super) fn refusal(self, request: &WatchHandoffsRequest, head: u64) -> Option<Status> {
        // Only once: the watcher goes on from what is named.
        let resumed = request.start_revision > 1 && request.log_id.is_empty();
        (self == Self::ForgetTooMuch && resumed).then(|| {
            Refusal::new(Code::OutOfRange, ErrorReason::RevisionCompacted, "gone")
                .metadata("oldest_revision", request.start_revision + 2)
                .metadata("newest_revision", head)
                .into_status()
        })
    }

    /// Strikes the messages of what there was when a stream began. `resumed`: it is not the first of its watch.
    pub(super) fn strike_messages(self, messages: &mut Vec<WatchHandoffsResponse>, resumed: bool) {
        if self == Self::ForgetOpen {
            messages[0].open_handoffs.pop();
        }
        if resumed {
            if self == Self::TellBeyond {
                messages.last_mut().expect("there is a message").revision += 1;
            }
            return;
        }
        let filled = messages.iter().enumerate().filter(|(_, message)| message.events.len() > 2);
        let Some((at, _)) = filled.skip(1).map(|(at, _)| (at, ())).next() else { return };
        match self {
            Self::DropMessage => messages[at].events.clear(),
            Self::RepeatMessage => messages.insert(at, messages[at].clone()),
            Self::SwapMessages => messages.swap(at, at + 1),
            Self::TellBeforeEvents => {
                let early = WatchHandoffsResponse { events: Vec::new(), ..messages[at].clone() };
                messages.insert(at, early);
            }
            Self::TellBack => {
                let revision = messages[at].revision - 1;
                let late = WatchHandoffsResponse { events: Vec::new(), revision, ..messages[at].clone() };
                messages.insert(at + 1, late);
            }
            _ => self.strike_message(&mut messages[at]),
        }
        if let Some(handoffs) = messages.iter_mut().find(|message| message.events.iter().any(completes)) {
            self.strike_handoff(handoffs);
        }
    }

    fn strike_message(self, message: &mut WatchHandoffsResponse) {
        match self {
            Self::DropEvent => _ = message.events.remove(1),
            Self::RepeatEvent => message.events.insert(1, message.events[1].clone()),
            Self::SwapEvents => message.events.swap(0, 1),
            Self::TellAhead => message.revision += 1,
            Self::OtherLog => message.log_id = "another".to_owned(),
            _ => {}
        }
    }

    fn strike_handoff(self, message: &mut WatchHandoffsResponse) {
        let event = message.events.iter_mut().find(|event| completes(event)).expect("one was found");
        let (handoff, task) = (event.handoff.as_mut(), event.task.as_mut());
        let (handoff, task) = handoff.zip(task).expect("a hand-off and its task are given");
        match self {
            Self::TaskUnmoved => task.assigned_agent.clone_from(&handoff.from_agent),
            Self::EpochUnraised => {
                task.owner_epoch -= 1;
                handoff.owner_epoch -= 1;
            }
            Self::StateUnmoved => _ = handoff.steps.remove(1),
            Self::StatusLate => handoff.set_status(baton_proto::v1::HandoffStatus::Initiated),
            Self::Alter => handoff.reason.push('!'),
            _ => {}
        }
    }

    /// What the stream ends with instead; `None`: nothing.
    pub(super) fn strike_end(self, status: &Status) -> Option<Status> {
        let refused = Refused::from(status.clone());
        let moved = match self {
            Self::EndSilently => return None,
            Self::SendAheadAtStop => 1,
            Self::SendBackAtStop => -1,
            // Made anew: what else travelled with it was of the other connection.
            _ => {
                return Some(Status::with_details(
                    status.code(),
                    status.message(),
                    status.details().to_vec().into(),
                ));
            }
        };
        let revision: i64 = refused.value("resume_revision").parse().expect("a revision is a number");
        let mut info = refused.details.error_info().cloned().expect("the end has a reason");
        info.metadata.insert("resume_revision".to_owned(), (revision + moved).to_string());
        let details = ErrorDetails::with_error_info(info.reason, info.domain, info.metadata);
        Some(Status::with_error_details(status.code(), status.message(), details))
    }
}

fn completes(event: &baton_proto::v1::HandoffEvent) -> bool {
    event.r#type() == EventType::HandoffCompleted
}
