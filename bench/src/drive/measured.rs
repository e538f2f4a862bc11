//! What one round came to: how much was done, in what time, and how long each call took.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Digits of a latency that the histogram keeps.
const LATENCY_DIGITS: u8 = 3;
/// Longest latency that is told apart from longer ones, in nanoseconds: a minute.
const LATENCY_NANOS_MAX: u64 = 60_000_000_000;

/// What one round came to.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    /// What was done in the window, in what the benchmark counts.
    pub units: u64,
    /// In how long it was done, in seconds: the window, or longer where calls had to wait.
    pub seconds: f64,
    // From sending, or from when it should have been sent, to the answer; in nanoseconds.
    latency: Histogram<u64>,
}

/// Latencies in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    /// Half of the calls took no longer.
    pub p50: f64,
    /// 90 of 100.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// All of them.
    pub max: f64,
}

impl Measured {
    /// Nothing yet, in a window of this length.
    pub(crate) fn new(length: Duration) -> Self {
        let latency = Histogram::new_with_max(LATENCY_NANOS_MAX, LATENCY_DIGITS)
            .expect("the bounds are within what a histogram takes");
        Self { units: 0, seconds: length.as_secs_f64(), latency }
    }

    /// So much, done in so long, by one call.
    pub(crate) fn once(units: u64, took: Duration) -> Self {
        let mut measured = Self::new(took);
        measured.record(units, took);
        measured
    }

    /// Counts one call.
    pub(crate) fn record(&mut self, units: u64, latency: Duration) {
        self.units += units;
        self.latency.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds what another caller did in the same window, or what was done in another round.
    pub(crate) fn add(&mut self, other: &Self) {
        self.units += other.units;
        self.latency.add(&other.latency).expect("all histograms here have the same bounds");
    }

    /// Units per second.
    pub(crate) fn rate(&self) -> f64 {
        self.units as f64 / self.seconds
    }

    /// The latencies.
    pub(crate) fn latency(&self) -> Latency {
        let us = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1e3;
        Latency { p50: us(0.5), p90: us(0.9), p99: us(0.99), max: us(1.0) }
    }
}
