//! Whether a rate stays flat: the same load on servers that differ in one thing, in turn.
//!
//! Knows nothing of what they differ in.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use baton_proto::v1::WatchHandoffsRequest;
use bytes::Bytes;
use serde::Serialize;
use tonic::transport::Channel;

use crate::{
    baton::Baton,
    drive::{Caller, Measured, Series, closed, median, stock},
    failure::Failure,
    options::Options,
    output::progress,
    plot::{Axis, Line, Scale, lines, save},
    table::{Column, ratio, table, thousands, time},
    watch::{Crowd, Reader, count_events},
};

/// Calls that every caller is ready for before its first round.
const CALLS_MIN: usize = 100;

/// A server, and those who load it.
pub(super) struct Point<C> {
    value: u64,
    server: Baton,
    callers: Vec<C>,
    audience: Option<Audience>,
    series: Series,
    processor_us: Vec<f64>,
    delivered: Vec<f64>,
}

/// Watchers that read whatever they get for as long as the point lives.
pub(super) struct Audience {
    events: Arc<AtomicU64>,
    // Stopped when dropped.
    _crowd: Crowd<Listener>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Flat {
    name: &'static str,
    title: String,
    unit: &'static str,
    rows: Vec<Row>,
}

/// What was measured at one point.
#[derive(Debug, Serialize)]
struct Row {
    value: u64,
    rate: f64,
    rate_to_first: Option<f64>,
    p50_us: f64,
    p99_us: f64,
    p99_to_first: Option<f64>,
    server_processor_us_per_handoff: f64,
    delivered_per_second: Option<f64>,
}

impl<C: Caller> Point<C> {
    /// A point at `value`.
    pub(super) fn new(value: u64, server: Baton, callers: Vec<C>) -> Self {
        Self {
            value,
            server,
            callers,
            audience: None,
            series: Series::default(),
            processor_us: Vec::new(),
            delivered: Vec::new(),
        }
    }

    /// The same, watched.
    pub(super) fn watched(self, audience: Audience) -> Self {
        Self { audience: Some(audience), ..self }
    }

    async fn round(&mut self, in_flight: usize, options: &Options) -> Result<(), Failure> {
        let rate = self.series.last().map_or(0.0, Measured::rate);
        let calls = options.calls_expected(rate, in_flight).max(CALLS_MIN);
        let count = self.callers.len();
        stock(&mut self.callers, count, calls).await?;
        let delivered_before = self.delivered_so_far();
        let (handoffs, processor, begun) =
            (self.server.info().await?.handoffs_completed, self.server.processor_seconds()?, Instant::now());
        self.series.push(closed(&mut self.callers, in_flight, options.window()).await?);
        let took = begun.elapsed().as_secs_f64();
        let handoffs = self.server.info().await?.handoffs_completed.saturating_sub(handoffs).max(1);
        self.processor_us.push((self.server.processor_seconds()? - processor) * 1e6 / handoffs as f64);
        self.delivered.push((self.delivered_so_far() - delivered_before) as f64 / took);
        Ok(())
    }

    fn delivered_so_far(&self) -> u64 {
        self.audience.as_ref().map_or(0, |audience| audience.events.load(Ordering::Relaxed))
    }

    fn row(&self, first: &Series) -> Row {
        let latency = self.series.latency();
        Row {
            value: self.value,
            rate: self.series.rate(),
            rate_to_first: self.series.ratio(first, Measured::rate),
            p50_us: latency.p50,
            p99_us: latency.p99,
            p99_to_first: self.series.ratio(first, |round| round.latency().p99),
            server_processor_us_per_handoff: median(self.processor_us.clone()),
            delivered_per_second: self.audience.as_ref().map(|_| median(self.delivered.clone())),
        }
    }
}

/// Loads all points in turn, round after round, and stops their servers.
///
/// # Errors
/// A call fails, or a server does not stop.
pub(super) async fn measure<C: Caller>(
    name: &'static str,
    (title, unit): (String, &'static str),
    mut points: Vec<Point<C>>,
    in_flight: usize,
    options: &Options,
) -> Result<Flat, Failure> {
    for point in &points {
        // What was done to prepare it leaves checkpoints to make, which are no part of this.
        point.server.until_idle().await?;
    }
    for round in 1..=options.rounds {
        progress(&format!("{name}: round {round}"));
        for point in &mut points {
            point.round(in_flight, options).await?;
        }
    }
    let first = points.first().map(|point| point.series.clone()).unwrap_or_default();
    let rows = points.iter().map(|point| point.row(&first)).collect();
    for Point { server, callers, audience, .. } in points {
        drop((callers, audience));
        server.stop().await?;
    }
    Ok(Flat { name, title, unit, rows })
}

/// Sizes from `least` to `most`, each ten times the one before; `most` is always the last.
pub(super) fn decades(least: u64, most: u64) -> Vec<u64> {
    let mut sizes: Vec<u64> =
        std::iter::successors(Some(least), |size| Some(size * 10)).take_while(|&size| size < most).collect();
    sizes.push(most);
    sizes
}

/// A watcher that only counts.
pub(super) struct Listener(Arc<AtomicU64>);

impl Reader for Listener {
    fn read(&mut self, message: Bytes) -> Result<bool, Failure> {
        self.0.fetch_add(count_events(&message)?, Ordering::Relaxed);
        Ok(false)
    }
}

impl Audience {
    /// Opens this many watches.
    ///
    /// # Errors
    /// One is refused.
    pub(super) async fn open(
        channels: &[Channel],
        request: &WatchHandoffsRequest,
        watchers: u64,
    ) -> Result<Self, Failure> {
        let events: Arc<AtomicU64> = Arc::default();
        let listeners = (0..watchers).map(|_| Listener(Arc::clone(&events))).collect();
        Ok(Self { _crowd: Crowd::open(channels, request, listeners).await?, events })
    }
}

impl Flat {
    /// The rows as a table, for people.
    pub(super) fn text(&self) -> String {
        let watched = self.rows.iter().any(|row| row.delivered_per_second.is_some());
        let mut columns = vec![
            Column::Number(self.unit),
            Column::Number("RATE/s"),
            Column::Number("× FIRST"),
            Column::Number("P50"),
            Column::Number("P99"),
            Column::Number("× FIRST"),
            Column::Number("SERVER CPU"),
        ];
        if watched {
            columns.push(Column::Number("DELIVERED/s"));
        }
        let rows: Vec<Vec<String>> = self.rows.iter().map(|row| row.cells(watched)).collect();
        format!("{} (aim: within 20%)\n\n{}", self.title, table(&columns, &rows))
    }

    /// Writes its plots into `folder`.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn plot(&self, folder: &Path) -> Result<(), Failure> {
        let x = Axis::new(self.unit.to_lowercase(), Scale::Log);
        let points = |figure: fn(&Row) -> f64| -> Vec<(f64, f64)> {
            self.rows.iter().map(|row| (row.value as f64, figure(row))).collect()
        };
        let rate = Line { name: "rate".into(), points: points(|row| row.rate) };
        let y = Axis::new("hand-offs per second", Scale::Linear);
        save(
            folder,
            &format!("scale-{}-rate", self.name),
            &lines(&format!("Rate – {}", self.title), &x, &y, &[rate]),
        )?;
        let latencies = [
            Line { name: "p50".into(), points: points(|row| row.p50_us / 1e3) },
            Line { name: "p99".into(), points: points(|row| row.p99_us / 1e3) },
        ];
        let y = Axis::new("milliseconds", Scale::Linear);
        let svg = lines(&format!("Latency – {}", self.title), &x, &y, &latencies);
        save(folder, &format!("scale-{}-latency", self.name), &svg)
    }
}

impl Row {
    fn cells(&self, watched: bool) -> Vec<String> {
        let mut cells = vec![
            thousands(self.value as f64),
            thousands(self.rate),
            ratio(self.rate_to_first),
            time(self.p50_us),
            time(self.p99_us),
            ratio(self.p99_to_first),
            time(self.server_processor_us_per_handoff),
        ];
        if watched {
            cells.push(thousands(self.delivered_per_second.unwrap_or_default()));
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::decades;

    #[test]
    fn sizes_grow_tenfold_and_end_where_they_were_told_to() {
        assert_eq!(decades(1_000, 5_000_000), [1_000, 10_000, 100_000, 1_000_000, 5_000_000]);
        assert_eq!(decades(1, 1_000), [1, 10, 100, 1_000]);
        assert_eq!(decades(1_000, 1_000), [1_000]);
    }
}
