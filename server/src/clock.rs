//! Tells the time, in microseconds since the Unix epoch.
//!
//! The only place of the server that reads the wall clock. Knows nothing of what the time is for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// A source of the present time.
pub trait Clock: Send + Sync + 'static {
    /// The time in microseconds since the Unix epoch. It may run backwards when the machine's clock is set: whoever needs order
    /// takes the greater of this and the last.
    fn now_us(&self) -> i64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_us(&self) -> i64 {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_micros()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |us| -us),
        }
    }
}

/// A clock that moves only when it is told to. Its clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now_us: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `now_us`, in microseconds since the Unix epoch.
    pub fn at(now_us: i64) -> Self {
        Self { now_us: Arc::new(AtomicI64::new(now_us)) }
    }

    /// Sets the clock, forwards or backwards.
    pub fn set(&self, now_us: i64) {
        self.now_us.store(now_us, Ordering::SeqCst);
    }

    /// Moves the clock by `us` microseconds and returns the new time.
    pub fn advance(&self, us: i64) -> i64 {
        self.now_us.fetch_add(us, Ordering::SeqCst) + us
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.now_us.load(Ordering::SeqCst)
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now_us(&self) -> i64 {
        (**self).now_us()
    }
}

/// Writes `us`, in microseconds since the Unix epoch, for people: `2026-01-02T03:04:05.678901Z`. Times that the calendar does not have are
/// written as the number of microseconds.
pub fn format_us(us: i64) -> String {
    chrono::DateTime::from_timestamp_micros(us)
        .map_or_else(|| format!("{us} µs"), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}
