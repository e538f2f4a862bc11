//! `watch replay`: a watch of a long log from its first revision on: how fast, and what memory the server takes for it.

use std::time::{Duration, Instant};

use baton_proto::v1::WatchHandoffsRequest;
use bytes::Bytes;
use clap::{Args, value_parser};
use serde::Serialize;

use super::{Crowd, Reader, count_events};
use crate::{
    baton::{Baton, BatonProgram, data_folder},
    drive::{Measured, Series},
    failure::Failure,
    machine::Machine,
    memory::{Sample, Sampler, peak},
    options::Options,
    output::{progress, show},
    peers::NAMESPACE,
    plot::{Axis, Line, Scale, lines, save},
    population::Population,
    table::{mebibytes, thousands},
};

/// Events of each task: its creation and its hand-offs.
const EVENTS_PER_TASK: u64 = 10;
/// How often the server's memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_millis(100);

/// Arguments of `watch replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Events in the log, about
    #[arg(long, default_value_t = 5_000_000, value_name = "EVENTS", value_parser = value_parser!(u64).range(10..=1_000_000_000))]
    events: u64,
    #[command(flatten)]
    options: Options,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    events: u64,
    log_bytes: u64,
    events_per_second: f64,
    rates: Vec<f64>,
    resident_before_bytes: u64,
    resident_peak_bytes: u64,
    resident_after_bytes: u64,
    #[serde(skip)]
    samples: Vec<Sample>,
}

/// A watcher that counts events until it has all of the log.
struct Counter {
    wanted: u64,
    got: u64,
}

impl Reader for Counter {
    fn read(&mut self, message: Bytes) -> Result<bool, Failure> {
        self.got += count_events(&message)?;
        Ok(self.got >= self.wanted)
    }
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call or the watch fails; the figures cannot be written.
pub(crate) async fn run(args: ReplayArgs) -> Result<(), Failure> {
    let options = &args.options;
    let program = BatonProgram::find(options)?;
    let server = program.start("").await?;
    let events = fill(&server, args.events, options).await?;
    let folder = server.stop().await?;
    let log_bytes = folder.log_bytes()?;
    // Started anew, so that the events are in its log and not in its memory.
    let server = program.start_on(folder).await?;
    let before = server.settled_bytes().await?;
    let (mut series, mut samples) = (Series::default(), Vec::new());
    for round in 1..=options.rounds {
        progress(&format!("round {round}: a watch of {events} events"));
        let sampler = Sampler::start(server.process(), SAMPLE_EVERY);
        series.push(replay(&server, events).await?);
        let taken = sampler.stop().await?;
        let offset = samples.last().map_or(0.0, |last: &Sample| last.at);
        samples.extend(taken.into_iter().map(|sample| Sample { at: offset + sample.at, ..sample }));
    }
    let after = server.settled_bytes().await?;
    server.stop().await?;
    let report = Report {
        command: "watch replay",
        machine: Machine::describe(&data_folder(options)),
        rounds: options.rounds,
        events,
        log_bytes,
        events_per_second: series.rate(),
        rates: series.rates(),
        resident_before_bytes: before,
        resident_peak_bytes: peak(&samples),
        resident_after_bytes: after,
        samples,
    };
    if let Some(folder) = &options.plots {
        save(folder, "watch-replay-memory", &report.plot())?;
    }
    show(options.json, &report, || report.text())
}

/// Fills a log with tasks and their hand-offs; returns how many events it has.
async fn fill(server: &Baton, events: u64, options: &Options) -> Result<u64, Failure> {
    progress(&format!("filling a log with {events} events"));
    let channels = server.connect(options.connections).await?;
    let (population, tasks) = (Population::new(NAMESPACE), events.div_ceil(EVENTS_PER_TASK));
    population.create(&channels, 0..tasks).await?;
    for handed in 0..EVENTS_PER_TASK - 1 {
        population.hand_on(&channels, 0..tasks, handed).await?;
    }
    Ok(tasks * EVENTS_PER_TASK)
}

async fn replay(server: &Baton, events: u64) -> Result<Measured, Failure> {
    let request = WatchHandoffsRequest {
        namespace: NAMESPACE.into(),
        start_revision: 1,
        all_events: true,
        ..Default::default()
    };
    let channels = server.connect(1).await?;
    let begun = Instant::now();
    let crowd = Crowd::open(&channels, &request, vec![Counter { wanted: events, got: 0 }]).await?;
    crowd.finish().await?;
    Ok(Measured::once(events, begun.elapsed()))
}

impl Report {
    fn text(&self) -> String {
        let memory = |bytes: u64| mebibytes(bytes as f64);
        format!(
            "machine  {}\n{} rounds, {} events in a log of {}; medians\n\n\
             rate     {} events/s\nmemory   {} before, {} at most, {} after (aim: flat)\n",
            self.machine.line(),
            self.rounds,
            thousands(self.events as f64),
            memory(self.log_bytes),
            thousands(self.events_per_second),
            memory(self.resident_before_bytes),
            memory(self.resident_peak_bytes),
            memory(self.resident_after_bytes),
        )
    }

    fn plot(&self) -> String {
        let points =
            self.samples.iter().map(|sample| (sample.at, sample.resident as f64 / 1_048_576.0)).collect();
        lines(
            &format!(
                "Memory of the server – {} events watched from the first, {} times",
                thousands(self.events as f64),
                self.rounds
            ),
            &Axis::new("seconds", Scale::Linear),
            &Axis::new("resident memory, MiB", Scale::Linear),
            &[Line { name: "resident".into(), points }],
        )
    }
}
