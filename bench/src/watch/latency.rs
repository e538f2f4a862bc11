//! `watch latency`: how long an event takes to its watchers, at a fixed rate of hand-offs.
//!
//! Counted twice: from the event's own time, which its record has from before it was durable, and from the answer to whoever handed off.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use baton_proto::v1::BatchHandOffResponse;
use bytes::Bytes;
use clap::{Args, value_parser};
use serde::Serialize;

use super::{
    Crowd, Reader, WatcherArgs, batches, from_now,
    scan::{Event, each_event},
    settings,
};
use crate::{
    baton::{BatonProgram, data_folder},
    drive::{Latency, Measured, Series, calls, open, stock},
    failure::Failure,
    machine::Machine,
    options::Options,
    output::{progress, show},
    plot::{Axis, Bar, Scale, bars, save},
    table::{Column, table, thousands, time},
    tour::Batches,
};

/// Arguments of `watch latency`.
#[derive(Debug, Args)]
pub(crate) struct LatencyArgs {
    /// Hand-offs each second
    #[arg(long, default_value_t = 10_000, value_name = "HAND-OFFS", value_parser = value_parser!(u32).range(1..=10_000_000))]
    rate: u32,
    /// Hand-offs in one BatchHandOff: those who hand off take little of the machine then
    #[arg(long, default_value_t = 10, value_name = "HAND-OFFS", value_parser = value_parser!(u16).range(1..=1_000))]
    batch: u16,
    #[command(flatten)]
    watchers: WatcherArgs,
    #[command(flatten)]
    options: Options,
}

/// The figures of a run; latencies in microseconds, medians of the rounds.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    seconds: f64,
    watchers: u32,
    watch_connections: u16,
    rate_wanted: u32,
    rate: f64,
    batch: u16,
    from_record_us: Latency,
    from_answer_us: Latency,
    answer_us: Latency,
}

/// Revisions and when something was seen of each, in microseconds since 1970.
type Moments = Vec<(u64, u64)>;

/// A watcher that notes when each event came.
struct Stamps {
    wanted: u64,
    got: u64,
    // So many events are those of the warm-up.
    warmup: u64,
    from_record: Measured,
    received: Moments,
}

impl Reader for Stamps {
    fn read(&mut self, message: Bytes) -> Result<bool, Failure> {
        let now = now_us();
        each_event(&message, |Event { revision, timestamp_us }| {
            self.got += 1;
            if self.got > self.warmup {
                self.from_record.record(1, Duration::from_micros(now.saturating_sub(timestamp_us)));
                self.received.push((revision, now));
            }
        })?;
        Ok(self.got >= self.wanted)
    }
}

/// What one round came to.
struct Round {
    answers: Measured,
    from_record: Measured,
    from_answer: Measured,
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call or a watch fails; the figures cannot be written.
pub(crate) async fn run(args: LatencyArgs) -> Result<(), Failure> {
    let options = &args.options;
    let WatcherArgs { watchers, watch_connections } = args.watchers;
    let server = BatonProgram::find(options)?.start(&settings(watchers, watch_connections)).await?;
    let drive = server.connect(options.connections).await?;
    let watch = server.connect(watch_connections).await?;
    let answered = Arc::new(Mutex::new(Moments::new()));
    let noting = |caller: Batches| {
        let answered = Arc::clone(&answered);
        caller.on_answer(move |response| note_answer(&answered, response))
    };
    let mut callers: Vec<Batches> =
        batches(&drive, options.in_flight.into(), args.batch.into()).into_iter().map(noting).collect();
    let (mut answers, mut from_record, mut from_answer) =
        (Series::default(), Series::default(), Series::default());
    for round in 1..=options.rounds {
        progress(&format!("round {round}: {} hand-offs each second to {watchers} watchers", args.rate));
        let round = args.round(&mut callers, &watch, &answered).await?;
        answers.push(round.answers);
        from_record.push(round.from_record);
        from_answer.push(round.from_answer);
    }
    drop((callers, drive, watch));
    server.stop().await?;
    let report = Report {
        command: "watch latency",
        machine: Machine::describe(&data_folder(options)),
        rounds: options.rounds,
        seconds: options.seconds,
        watchers,
        watch_connections,
        rate_wanted: args.rate,
        rate: answers.rate(),
        batch: args.batch,
        from_record_us: from_record.latency(),
        from_answer_us: from_answer.latency(),
        answer_us: answers.latency(),
    };
    if let Some(folder) = &options.plots {
        save(folder, "watch-latency", &report.plot())?;
    }
    show(options.json, &report, || report.text())
}

impl LatencyArgs {
    async fn round(
        &self,
        callers: &mut Vec<Batches>,
        watch: &[tonic::transport::Channel],
        answered: &Mutex<Moments>,
    ) -> Result<Round, Failure> {
        let (options, batch) = (&self.options, u64::from(self.batch));
        let per_second = f64::from(self.rate) / f64::from(self.batch);
        let count = callers.len();
        stock(callers, count, options.calls_expected(per_second, usize::from(options.in_flight))).await?;
        answered.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let expected = options.window();
        let wanted = calls(per_second, expected) * batch;
        let warmup = (f64::from(self.rate) * options.warmup) as u64;
        let reader = |_| Stamps {
            wanted,
            got: 0,
            warmup,
            from_record: Measured::new(expected.length()),
            received: Vec::new(),
        };
        let readers = (0..self.watchers.watchers).map(reader).collect();
        let crowd = Crowd::open(watch, &from_now(), readers).await?;
        let answers = open(callers, per_second, options.window()).await?;
        let readers = crowd.finish().await?;
        let answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut from_record = Measured::new(expected.length());
        readers.iter().for_each(|reader| from_record.add(&reader.from_record));
        Ok(Round { answers, from_record, from_answer: from_answers(&answered, &readers, expected.length()) })
    }
}

/// From the answer to the watcher; nothing where the watcher was sooner.
fn from_answers(answered: &Moments, readers: &[Stamps], length: Duration) -> Measured {
    let first = answered.iter().map(|(revision, _)| *revision).min().unwrap_or_default();
    let last = answered.iter().map(|(revision, _)| *revision).max().unwrap_or_default();
    let mut by_revision = vec![None; usize::try_from(last - first + 1).unwrap_or_default()];
    let place = |revision: u64| usize::try_from(revision.wrapping_sub(first)).unwrap_or(usize::MAX);
    for &(revision, at) in answered {
        by_revision[place(revision)] = Some(at);
    }
    let mut measured = Measured::new(length);
    for (revision, received) in readers.iter().flat_map(|reader| &reader.received) {
        if let Some(Some(answered)) = by_revision.get(place(*revision)) {
            measured.record(1, Duration::from_micros(received.saturating_sub(*answered)));
        }
    }
    measured
}

fn note_answer(answered: &Mutex<Moments>, response: &BatchHandOffResponse) {
    let now = now_us();
    let revisions = response.results.iter().filter_map(|result| Some(result.handoff.as_ref()?.revision));
    answered.lock().unwrap_or_else(PoisonError::into_inner).extend(revisions.map(|revision| (revision, now)));
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Report {
    fn rows(&self) -> [(&'static str, &Latency); 3] {
        [
            ("record → watcher", &self.from_record_us),
            ("answer → watcher", &self.from_answer_us),
            ("due → answer", &self.answer_us),
        ]
    }

    fn text(&self) -> String {
        let columns = [
            Column::Text("FROM → TO"),
            Column::Number("P50"),
            Column::Number("P90"),
            Column::Number("P99"),
            Column::Number("MAX"),
        ];
        let cells = |(name, latency): (&str, &Latency)| {
            let figures = [latency.p50, latency.p90, latency.p99, latency.max].map(time);
            [vec![name.to_owned()], figures.to_vec()].concat()
        };
        format!(
            "machine  {}\n{} rounds of {} s: {} hand-offs/s wanted, {} done, in batches of {}, to {} watchers on {} connections; medians \
             (aim: p99 of 5 ms on an idle machine)\n\n{}",
            self.machine.line(),
            self.rounds,
            self.seconds,
            thousands(self.rate_wanted.into()),
            thousands(self.rate),
            self.batch,
            thousands(self.watchers.into()),
            self.watch_connections,
            table(&columns, &self.rows().map(cells))
        )
    }

    fn plot(&self) -> String {
        let latency = &self.from_record_us;
        let bar = |name: &str, value| Bar { name: name.into(), value, label: time(value), marked: true };
        bars(
            &format!(
                "From record to watcher – {} hand-offs/s, {} watchers",
                thousands(self.rate),
                thousands(self.watchers.into())
            ),
            &Axis::new("microseconds, by powers of ten", Scale::Log),
            &[
                bar("p50", latency.p50),
                bar("p90", latency.p90),
                bar("p99", latency.p99),
                bar("max", latency.max),
            ],
        )
    }
}
