//! The closed loop: each caller sends its next hand-off when it has the answer to the last.
//!
//! Measures HandOff alone, the same way whoever answers. Knows nothing of what the server does with it.

use std::time::Duration;

use baton_proto::v1::handoff_service_client::HandoffServiceClient;
use hdrhistogram::Histogram;
use tokio::{task::JoinSet, time::Instant};
use tonic::{Status, transport::Channel};

use super::ring::Ring;

/// Digits of a latency that the histogram keeps.
const LATENCY_DIGITS: u8 = 3;
/// Longest latency that is told apart from longer ones, in nanoseconds: a minute.
const LATENCY_NANOS_MAX: u64 = 60_000_000_000;
/// Nanoseconds in a second.
const NANOS_PER_SECOND: f64 = 1e9;

/// When to send, and when to count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// From here on answers count; before it is the warm-up.
    pub start: Instant,
    /// From here on nothing is sent.
    pub end: Instant,
}

impl Window {
    /// A window of `length` that begins after `warmup`, from now.
    pub(super) fn after(warmup: Duration, length: Duration) -> Self {
        let start = Instant::now() + warmup;
        Self { start, end: start + length }
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Measured {
    /// Hand-offs answered in the window.
    pub handoffs: u64,
    /// Hand-offs per second.
    pub rate: f64,
    // From sending to the answer, in nanoseconds.
    latency: Histogram<u64>,
}

impl Measured {
    /// Several rounds as one: the median of their rates, and the latencies of all.
    pub(super) fn of_rounds(rounds: &[&Self]) -> Self {
        let mut latency = empty();
        for round in rounds {
            latency.add(&round.latency).expect("all histograms here have the same bounds");
        }
        Self {
            handoffs: rounds.iter().map(|round| round.handoffs).sum(),
            rate: median(rounds.iter().map(|round| round.rate).collect()),
            latency,
        }
    }

    /// The latency that a share of the hand-offs does not exceed, in seconds.
    pub(super) fn latency_seconds(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / NANOS_PER_SECOND
    }
}

/// One caller for each ring, and the connections that they share in turn.
pub(super) struct Load {
    channels: Vec<Channel>,
    rings: Vec<Ring>,
}

impl Load {
    /// Sends nothing yet.
    pub(super) fn new(channels: Vec<Channel>, rings: Vec<Ring>) -> Self {
        Self { channels, rings }
    }

    /// Sends the hand-offs of all rings at once, each ring as one caller. The rings go on in the next round.
    ///
    /// # Errors
    /// The first call that fails ends the run: figures with failures in them compare to nothing.
    pub(super) async fn drive(&mut self, window: Window) -> Result<Measured, Status> {
        let mut callers = JoinSet::new();
        for (ring, channel) in self.rings.drain(..).zip(self.channels.iter().cycle()) {
            callers.spawn(call(window, channel.clone(), ring));
        }
        let mut latency = empty();
        while let Some(ended) = callers.join_next().await {
            let stopped = |error| Status::internal(format!("a caller stopped: {error}"));
            let (of_one, ring) = ended.map_err(stopped)??;
            latency.add(of_one).map_err(|error| Status::internal(error.to_string()))?;
            self.rings.push(ring);
        }
        let handoffs = latency.len();
        Ok(Measured { handoffs, rate: handoffs as f64 / (window.end - window.start).as_secs_f64(), latency })
    }
}

async fn call(window: Window, channel: Channel, mut ring: Ring) -> Result<(Histogram<u64>, Ring), Status> {
    let mut client = HandoffServiceClient::new(channel.clone());
    let mut latency = empty();
    loop {
        if Instant::now() >= window.end {
            return Ok((latency, ring));
        }
        let request = ring.next_or_refill(&channel).await?;
        let sent = Instant::now();
        client.hand_off(request).await?;
        let answered = Instant::now();
        if answered >= window.start && answered < window.end {
            latency.saturating_record(u64::try_from((answered - sent).as_nanos()).unwrap_or(u64::MAX));
        }
    }
}

/// The middle one; of an even number, the lower of the two in the middle. 0 of none.
pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

fn empty() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_NANOS_MAX, LATENCY_DIGITS)
        .expect("the bounds are within what a histogram takes")
}
