//! One step of the state machine: a command decided and applied, or an entry of the log replayed.
//!
//! Both go the same way, so that a replay ends where the first run did.

use crate::{
    Answer, Command, Draft, Event, Rejection,
    apply::{Misfit, apply},
    command::RequestMark,
    decide::decide,
    record::Entry,
    requests::{KeptAnswer, Remembered},
};

/// What a command came to.
#[derive(Debug)]
pub enum Outcome {
    /// It is part of the draft now; its entry must be recorded.
    Recorded(Box<Entry>, Answer),
    /// It was done before; this was the answer.
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
        return repeated(mark, remembered);
    }
    let event = decide(draft, command, draft.head().next(), now_us)?;
    let answer = apply(draft, &event, now_us).expect("an event that was just decided on this draft fits it");
    remember(draft, command.request.as_ref(), &answer, now_us);
    Ok(Outcome::Recorded(Box::new(Entry { request: command.request.clone(), event }), answer))
}

/// Applies an entry of the log that was recorded at `time_us`.
///
/// # Errors
/// [`Misfit`] if the entry does not fit what is before it.
pub fn replay(draft: &mut Draft<'_>, entry: &Entry, time_us: i64) -> Result<(), Misfit> {
    let answer = apply(draft, &entry.event, time_us)?;
    remember(draft, entry.request.as_ref(), &answer, time_us);
    Ok(())
}

fn repeated(mark: &RequestMark, remembered: &Remembered) -> Result<Outcome, Rejection> {
    if remembered.fingerprint == mark.fingerprint {
        Ok(Outcome::Repeated(remembered.answer.answer()))
    } else {
        Err(Rejection::RequestIdReused { request_id: mark.id.clone() })
    }
}

fn remember(draft: &mut Draft<'_>, request: Option<&RequestMark>, answer: &Answer, time_us: i64) {
    if let Some(mark) = request {
        let answer = KeptAnswer::of(answer);
        let remembered = Remembered { fingerprint: mark.fingerprint, time_us, answer };
        draft.remember(mark.key, remembered);
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
