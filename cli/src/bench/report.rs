//! The figures of a run, for people and as one JSON object.
//!
//! Knows nothing of how they were measured.

use serde::Serialize;

use super::load::Measured;
use crate::{duration, failure::Failure, output::Output, table::Details};

/// What one round came to.
pub(super) struct Round {
    /// The server's hand-offs.
    pub server: Measured,
    /// How they were committed.
    pub commits: Commits,
    /// The echo's, if it was run.
    pub echo: Option<Measured>,
}

/// How often the log was made durable, for how many hand-offs.
pub(super) struct Commits {
    /// Times that the log was made durable.
    pub commits: u64,
    /// Hand-offs that were completed.
    pub handoffs: u64,
}

impl Round {
    /// The server's rate as a share of the echo's; absent without an echo.
    pub(super) fn ratio_to_echo(&self) -> Option<f64> {
        let echo = self.echo.as_ref().filter(|echo| echo.rate > 0.0)?;
        Some(self.server.rate / echo.rate)
    }
}

/// The figures of a run: rates and the ratio are medians of the rounds, the rest is of all of them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The server that was measured.
    pub server: String,
    /// Its version.
    pub version: String,
    /// What keeps its log.
    pub log_kind: String,
    /// Calls in flight.
    pub concurrency: usize,
    /// Connections that they share.
    pub connections: usize,
    /// Rounds.
    pub rounds: u16,
    /// Length of the window of each round, in seconds.
    pub seconds: u64,
    /// Hand-offs answered in the windows.
    pub handoffs: u64,
    /// Hand-offs per second.
    pub handoffs_per_second: f64,
    /// From sending to the answer, in milliseconds.
    pub latency_ms: Latency,
    /// Times that the log was made durable in the windows.
    pub commits: u64,
    /// Hand-offs made durable by one fsync, on average; absent if nothing was committed.
    pub handoffs_per_fsync: Option<f64>,
    /// The same calls answered by an echo; absent if it was not run.
    pub echo: Option<EchoReport>,
    /// The rate as a share of the echo's.
    pub ratio_to_echo: Option<f64>,
}

/// Latencies in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Latency {
    /// Half of the calls took no longer.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p999: f64,
    /// All of them.
    pub max: f64,
}

/// What an echo of the same messages did.
#[derive(Debug, Serialize)]
pub(super) struct EchoReport {
    /// Calls per second.
    pub calls_per_second: f64,
    /// From sending to the answer.
    pub latency_ms: Latency,
}

impl Latency {
    /// The latencies of a run.
    pub(super) fn of(measured: &Measured) -> Self {
        let ms = |quantile| measured.latency_seconds(quantile) * 1e3;
        Self { p50: ms(0.5), p99: ms(0.99), p999: ms(0.999), max: ms(1.0) }
    }

    fn line(&self) -> String {
        let show = |ms: f64| duration::short(ms / 1e3);
        format!(
            "p50 {}   p99 {}   p99.9 {}   max {}",
            show(self.p50),
            show(self.p99),
            show(self.p999),
            show(self.max)
        )
    }
}

impl Report {
    /// Writes the figures.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub(super) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let mut details = Details::new();
        details
            .line("server", format!("{} ({}, log in {})", self.server, self.version, self.log_kind))
            .line(
                "load",
                format!(
                    "{} calls in flight on {} connections, {} rounds of {} s",
                    self.concurrency, self.connections, self.rounds, self.seconds
                ),
            )
            .line("rate", format!("{} hand-offs/s", thousands(self.handoffs_per_second)))
            .line("latency", self.latency_ms.line())
            .line("group commit", self.group_commit());
        if let Some(echo) = &self.echo {
            details
                .line("echo rate", format!("{} calls/s", thousands(echo.calls_per_second)))
                .line("echo latency", echo.latency_ms.line());
        }
        if let Some(ratio) = self.ratio_to_echo {
            details.line("ratio to echo", format!("{ratio:.2}"));
        }
        details.write(output)
    }

    fn group_commit(&self) -> String {
        match self.handoffs_per_fsync {
            Some(per_fsync) => {
                format!("{per_fsync:.1} hand-offs per fsync ({} fsyncs)", thousands(self.commits as f64))
            }
            None => "nothing was committed".into(),
        }
    }
}

/// A whole number with its thousands apart: `48,120`.
pub(super) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0.0, "0"), (999.4, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
    }
}
