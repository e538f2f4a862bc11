//! One step of the state machine: a command decided and applied, or an entry of the log replayed.
//!
//! Both go the same way, so that a replay ends where the first run did.

use crate::{
    Answer, Command, Draft, Event, Rejection, StoredRequest,
    apply::{Misfit, apply},
    command::RequestMark,
    decide::decide,
    record::{Entry, WrittenEntry},
    requests::Found,
};

/// Why what memory holds can be read.
const OWN_BYTES: &str = "the bytes are as they were written";

/// What a command came to.
#[derive(Debug)]
pub enum Outcome {
    /// It is part of the draft now; its entry must be recorded.
    Recorded(Box<Entry>, Answer),
    /// It was done before; this was the answer, as far as anyone is shown of it.
    Repeated(Answer),
    /// Its request id is known, but what was answered stands in a segment: [`StoredRequest::repeated`] tells it.
    Stored(Box<StoredRequest>),
}

/// Decides `command` at `now_us` and applies what comes of it to `draft`.
///
/// # Errors
/// [`Rejection`]: the draft is as before.
pub fn execute(draft: &mut Draft<'_>, command: &Command, now_us: i64) -> Result<Outcome, Rejection> {
    if let Some(mark) = &command.request
        && let Some(known) = draft.remembered(mark.key, now_us)
    {
        return match known {
            Found::Held(remembered) => {
                told_again(command, remembered.tell_again().expect(OWN_BYTES)).map(Outcome::Repeated)
            }
            Found::Stored(stored) => Ok(Outcome::Stored(Box::new(stored))),
        };
    }
    let event = decide(draft, command, draft.head().next(), now_us)?;
    let answer = apply(draft, &event, now_us).expect("an event that was just decided on this draft fits it");
    let entry = Box::new(Entry { request: command.request.clone(), event });
    draft.record(&entry, &answer);
    Ok(Outcome::Recorded(entry, answer))
}

/// Applies an entry of the log that was recorded at `time_us`.
///
/// # Errors
/// [`Misfit`] if the entry does not fit what is before it.
pub fn replay(draft: &mut Draft<'_>, written: &WrittenEntry, time_us: i64) -> Result<(), Misfit> {
    let answer = apply(draft, &written.entry.event, time_us)?;
    draft.record_written(written, &answer);
    Ok(())
}

/// What a command is answered whose request id was used before, for that request and with that answer.
pub(crate) fn told_again(
    command: &Command,
    (before, answer): (RequestMark, Answer),
) -> Result<Answer, Rejection> {
    match &command.request {
        Some(mark) if mark.fingerprint != before.fingerprint => {
            Err(Rejection::RequestIdReused { request_id: mark.id.clone() })
        }
        _ => Ok(answer),
    }
}

impl Outcome {
    /// The event, if there is a new one.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Recorded(entry, _) => Some(&entry.event),
            Self::Repeated(_) | Self::Stored(_) => None,
        }
    }
}
