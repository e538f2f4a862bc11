//! Ways to send calls: as fast as answers come, or at a rate that does not wait for them.

mod closed;
mod fixed;
mod measured;
mod open;
mod schedule;
mod series;
mod stock;

pub(crate) use closed::closed;
pub(crate) use fixed::fixed;
pub(crate) use measured::{Latency, Measured};
pub(crate) use open::{calls, open};
pub(crate) use series::{Series, median};
pub(crate) use stock::stock;

use std::time::{Duration, Instant};

use crate::failure::Failure;

/// One who sends calls, one after the other.
pub(crate) trait Caller: Send + 'static {
    /// Makes sure that `calls` calls can be sent without stopping for what they need. Not measured.
    fn stock(&mut self, calls: usize) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Makes the next request. Not measured.
    fn ready(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sends it and waits for the answer; returns how much was done by it, in what the benchmark counts.
    ///
    /// # Errors
    /// A call that fails ends the run: figures with failures in them compare to nothing.
    fn send(&mut self) -> impl Future<Output = Result<u64, Failure>> + Send;
}

/// When to send, and when to count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// From here on calls are sent, to warm up.
    pub begin: Instant,
    /// From here on answers count.
    pub start: Instant,
    /// From here on nothing is sent.
    pub end: Instant,
}

impl Window {
    /// A window of `length` that begins after `warmup`, from now.
    pub(crate) fn after(warmup: Duration, length: Duration) -> Self {
        let begin = Instant::now();
        let start = begin + warmup;
        Self { begin, start, end: start + length }
    }

    /// Whether what happened at `instant` counts.
    pub(crate) fn counts(&self, instant: Instant) -> bool {
        self.start <= instant && instant < self.end
    }

    /// How long is measured.
    pub(crate) fn length(&self) -> Duration {
        self.end - self.start
    }
}
