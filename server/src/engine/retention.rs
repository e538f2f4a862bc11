//! Finds what of the log need not be kept any more, and asks the engine's thread to remove it.
//!
//! Only what two checkpoints hold may go, so that one that is damaged later does not cost the past. Knows nothing of how records are
//! removed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use baton_log::{Head, Keep};
use tracing::warn;

use super::{
    queue::Truncations,
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

/// A checkpoint is made for the sake of retention when so much of what is kept on purpose could go: 1/8, so that the log outgrows its bounds
/// by little and checkpoints stay rare.
const WORTHWHILE: u64 = 8;

/// Between two checkpoints for the sake of retention is so many times the time that one took: large states cost at most 5 % of a core.
const REST: u32 = 20;

/// Keeps the log within its bounds.
pub(super) struct Retainer {
    retention: Retention,
    clock: Arc<dyn Clock>,
    truncations: Truncations,
    /// When the next checkpoint may be made.
    rested: Instant,
}

impl Retainer {
    pub(super) fn new(retention: Retention, clock: Arc<dyn Clock>, truncations: Truncations) -> Self {
        Self { retention, clock, truncations, rested: Instant::now() }
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
        let mut held = held_twice(shelf.usable(namespace)?);
        let newest = shelf.usable(namespace)?.first().copied().unwrap_or(0);
        let overdue = due.saturating_sub(held.max(head.oldest_revision));
        let kept = (head.revision + 1).saturating_sub(due);
        // Without new events a new checkpoint would be the one that is there.
        if head.revision > newest && is_worthwhile(overdue, kept) && Instant::now() >= self.rested {
            let started = Instant::now();
            shelf.replay_and_save(namespace);
            self.rested = Instant::now() + REST * started.elapsed();
            held = held_twice(shelf.usable(namespace)?);
        }
        let before = due.min(held);
        if before > head.oldest_revision {
            self.truncations.ask(Truncation { namespace: Arc::clone(namespace), before });
        }
        Ok(())
    }

    fn keep(&self) -> Keep {
        let Retention { age_us_max, bytes_max, interval: _ } = self.retention;
        let since_us = age_us_max.map(|age_us| self.clock.now_us().saturating_sub(age_us));
        Keep { since_us, bytes: bytes_max }
    }
}

/// The first revision that fewer than two checkpoints hold; `usable` has the newest first.
fn held_twice(usable: &[u64]) -> u64 {
    usable.get(1).map_or(0, |older| older + 1)
}

fn is_worthwhile(overdue: u64, kept: u64) -> bool {
    overdue > 0 && overdue.saturating_mul(WORTHWHILE) >= kept
}
