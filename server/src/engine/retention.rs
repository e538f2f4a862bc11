//! Finds what of the log need not be kept any more, and asks the engine to remove it.
//!
//! Only what two checkpoints hold may go, so that one that is damaged later does not cost the past. Knows nothing of how records are
//! removed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use baton_core::Revision;
use baton_log::{Head, Keep, ReadLimit};
use tracing::warn;

use super::{
    queue::Upkeep,
    shelf::{Shelf, ShelfError},
    truncation::Truncation,
};
use crate::clock::Clock;

/// How much of the log is kept. By default everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long records are kept, in microseconds.
    pub age_us_max: Option<i64>,
    /// How many bytes of records' bodies are kept, of all namespaces together; the oldest go first.
    pub bytes_max: Option<u64>,
    /// How often it is looked whether something is to go.
    pub interval: Duration,
}

/// Checkpoints are made for the sake of retention when this many times the events that could go are as many as stay: so the log outgrows its
/// bounds by about an eighth, and checkpoints stay rare.
const WORTHWHILE: u64 = 8;

/// After checkpoints for the sake of retention come none for this many times as long as they took: large states cost 5 % of a core at most.
const REST: u32 = 20;

const ONE: ReadLimit = ReadLimit { records: 1, bytes: usize::MAX };

/// Keeps the log within its bounds.
pub(super) struct Retainer {
    retention: Retention,
    clock: Arc<dyn Clock>,
    upkeep: Upkeep,
    /// When the next checkpoint may be made.
    rested: Instant,
}

impl Retainer {
    pub(super) fn new(retention: Retention, clock: Arc<dyn Clock>, upkeep: Upkeep) -> Self {
        Self { retention, clock, upkeep, rested: Instant::now() }
    }

    /// How often to call [`Retainer::retain`]; `None`: everything is kept.
    pub(super) fn interval(&self) -> Option<Duration> {
        let Retention { age_us_max, bytes_max, interval } = self.retention;
        (age_us_max.is_some() || bytes_max.is_some()).then_some(interval)
    }

    /// Asks for the truncations that are due, and makes the checkpoints that they need.
    pub(super) fn retain(&mut self, shelf: &mut Shelf) {
        let heads = match shelf.log().heads() {
            Ok(heads) => heads,
            Err(error) => return warn!(%error, "cannot find out what of the log is to go"),
        };
        for head in heads {
            if let Err(error) = self.retain_in(&head, shelf) {
                warn!(namespace = %head.namespace, %error, "cannot find out what of the log is to go");
            }
        }
    }

    fn retain_in(&mut self, head: &Head, shelf: &mut Shelf) -> Result<(), ShelfError> {
        let namespace = &head.namespace;
        let due = shelf.log().first_kept(namespace, self.keep())?;
        if due <= head.oldest_revision {
            return Ok(());
        }
        if due > shelf.held_twice(namespace)? && Instant::now() >= self.rested {
            self.hold(due, head, shelf)?;
        }
        let before = due.min(shelf.held_twice(namespace)?);
        if before > head.oldest_revision {
            self.upkeep.truncate(Truncation { namespace: Arc::clone(namespace), before });
        }
        Ok(())
    }

    /// Makes two checkpoints that hold what is before `due`, if that is worth them.
    fn hold(&mut self, due: u64, head: &Head, shelf: &mut Shelf) -> Result<(), ShelfError> {
        let newest = shelf.log().read(&head.namespace, head.revision, ONE)?;
        let Some(newest) = newest.first() else { return Ok(()) };
        // Two checkpoints lie at two revisions, so the newest record always stays.
        let reach = due.min(newest.first_revision);
        let held = shelf.held_twice(&head.namespace)?.max(head.oldest_revision);
        let kept = (head.revision + 1).saturating_sub(reach);
        if is_worthwhile(reach.saturating_sub(held), kept) && can_replay(head, shelf)? {
            let started = Instant::now();
            shelf.replay_and_save_twice(head, Revision(newest.first_revision - 1))?;
            self.rested = Instant::now() + REST * started.elapsed();
        }
        Ok(())
    }

    fn keep(&self) -> Keep {
        let Retention { age_us_max, bytes_max, interval: _ } = self.retention;
        let since_us = age_us_max.map(|age_us| self.clock.now_us().saturating_sub(age_us));
        Keep { since_us, bytes: bytes_max }
    }
}

/// Whether there is something to make a checkpoint before the newest record from: the whole log, or another checkpoint.
fn can_replay(head: &Head, shelf: &mut Shelf) -> Result<bool, ShelfError> {
    Ok(head.oldest_revision == 1 || shelf.has_before(&head.namespace, head.revision)?)
}

/// Whether `events` that are not held yet are enough beside those that are `kept` in any case.
fn is_worthwhile(events: u64, kept: u64) -> bool {
    events > 0 && events.saturating_mul(WORTHWHILE) >= kept
}
