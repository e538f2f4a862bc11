//! What a watch promises, each promise held against what one watcher saw and what is true. Pure: they only look.
//!
//! Each gives all violations as text, with their revisions.

mod atomic;
mod content;
mod order;
mod progress;
mod resume;

use std::fmt;

use super::{
    observed::{Stream, Watch},
    truth::Truth,
};

/// One thing that a watch promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Promise {
    /// Revisions grow, also over resumes.
    Ordered,
    /// No event comes twice.
    Unique,
    /// Every event that is asked for comes.
    Complete,
    /// Where all events are asked for, each revision follows the last.
    Dense,
    /// No event comes that the filter excludes.
    Filtered,
    /// Every event is the one that the log has there, and that its writer was answered.
    True,
    /// All watches are told the same of a revision.
    Agreed,
    /// A hand-off is whole: owner, epoch, status, transfer, steps and task agree.
    Atomic,
    /// A watch that is resumed goes on exactly where it was.
    Resumable,
    /// What is refused as gone is gone, and the place that is named instead is there.
    Gap,
    /// Progress never goes back, never overtakes events and is never ahead of what is durable.
    Progress,
    /// The log that revisions belong to is named, and is always the same.
    LogId,
    /// A snapshot has exactly the hand-offs that are open at its revision.
    Snapshot,
    /// A stream does not end without saying why.
    Ended,
}

impl Promise {
    /// All of them.
    pub(super) const ALL: [Self; 14] = [
        Self::Ordered,
        Self::Unique,
        Self::Complete,
        Self::Dense,
        Self::Filtered,
        Self::True,
        Self::Agreed,
        Self::Atomic,
        Self::Resumable,
        Self::Gap,
        Self::Progress,
        Self::LogId,
        Self::Snapshot,
        Self::Ended,
    ];
}

/// A promise that was not kept.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) promise: Promise,
    pub(super) text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.promise, self.text)
    }
}

/// Looks at one watch.
type Validator = fn(&Watch, &Truth) -> Vec<String>;

/// All that look at one watch.
const VALIDATORS: [(Promise, Validator); 13] = [
    (Promise::Ordered, order::ordered),
    (Promise::Unique, order::unique),
    (Promise::Complete, content::complete),
    (Promise::Dense, order::dense),
    (Promise::Filtered, content::filtered),
    (Promise::True, content::told_truly),
    (Promise::Atomic, atomic::atomic),
    (Promise::Resumable, resume::resumable),
    (Promise::Gap, resume::gap),
    (Promise::Progress, progress::progress),
    (Promise::LogId, progress::log_id),
    (Promise::Snapshot, resume::snapshot),
    (Promise::Ended, resume::ended),
];

/// Everything that is wrong with the watches of one namespace.
pub(super) fn violations(watches: &[Watch], truth: &Truth) -> Vec<Violation> {
    let mut found = Vec::new();
    for watch in watches {
        for (promise, validator) in VALIDATORS {
            let texts = validator(watch, truth);
            found.extend(
                texts.into_iter().map(|text| Violation { promise, text: format!("{}: {text}", watch.name) }),
            );
        }
    }
    let disagreements = content::disagreements(watches);
    found.extend(disagreements.into_iter().map(|text| Violation { promise: Promise::Agreed, text }));
    found
}

/// The violations of each stream, told with the stream.
fn of_streams(watch: &Watch, look: impl Fn(&Stream, &mut Vec<String>)) -> Vec<String> {
    let mut found = Vec::new();
    for stream in &watch.streams {
        let mut of_stream = Vec::new();
        look(stream, &mut of_stream);
        found.extend(of_stream.into_iter().map(|text| format!("{text} ({})", stream.describe())));
    }
    found
}
