//! One step of the state machine: a command decided and applied, or an entry of the log replayed.
//!
//! Both go the same way, so that a replay ends where the first run did.

use crate::{
    Answer, Command, Draft, Event, Rejection,
    apply::{Misfit, apply},
    command::RequestMark,
    decide::decide,
    record::Entry,
    remembered::Remembered,
};

/// What a command came to.
#[derive(Debug)]
pub enum Outcome {
    /// It is part of the draft now; its entry must be recorded.
    Recorded(Box<Entry>, Answer),
    /// It was done before; this was the answer, as far as anyone is shown of it.
    Repeated(Answer),
}

/// Decides `command` at `now_us` and applies what comes of it to `draft`.
///
/// # Errors
/// [`Rejection`]: the draft is as before.
pub fn execute(draft: &mut Draft<'_>, command: &Command, now_us: i64) -> Result<Outcome, Rejection> {
    if let Some(mark) = &command.request
        && let Some(remembered) = draft.remembered(mark.key, now_us)
    {
        return repeated(mark, &remembered);
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
pub fn replay(draft: &mut Draft<'_>, entry: &Entry, time_us: i64) -> Result<(), Misfit> {
    let answer = apply(draft, &entry.event, time_us)?;
    draft.record(entry, &answer);
    Ok(())
}

fn repeated(mark: &RequestMark, remembered: &Remembered<'_>) -> Result<Outcome, Rejection> {
    let (fingerprint, answer) = remembered.tell_again();
    if fingerprint == Some(mark.fingerprint) {
        Ok(Outcome::Repeated(answer))
    } else {
        Err(Rejection::RequestIdReused { request_id: mark.id.clone() })
    }
}

impl Outcome {
    /// The event, if there is a new one.
    pub fn event(&self) -> Option<&Event> {
        match self {
            Self::Recorded(entry, _) => Some(&entry.event),
            Self::Repeated(_) => None,
        }
    }
}
