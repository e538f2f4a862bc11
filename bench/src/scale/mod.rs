//! `scale`: how rate, latency, memory and start grow with what the server keeps and serves.
//!
//! Each question is a file. Knows which are asked, and prints what came of them.

mod finished;
mod flat;
mod histories;
mod memory;
mod namespaces;
mod restart;
mod roving;
mod rules;
mod states;
mod tasks;
mod watchers;

use clap::{Args, ValueEnum, value_parser};
use serde::Serialize;

use self::{finished::Finished, flat::Flat, memory::Memory, restart::Restart};
use crate::{
    baton::{BatonProgram, data_folder},
    failure::{Failure, While as _},
    machine::Machine,
    options::Options,
    output::{progress, show},
};

/// Arguments of `scale`.
#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    /// Only these questions; several separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "QUESTIONS")]
    only: Vec<Question>,
    #[command(flatten)]
    sizes: Sizes,
    #[command(flatten)]
    options: Options,
}

/// How large each question grows. Smaller ones run in less time and memory.
#[derive(Clone, Copy, Debug, Args, Serialize)]
#[command(next_help_heading = "Sizes")]
struct Sizes {
    /// Most tasks of a namespace
    #[arg(long, default_value_t = 5_000_000, value_name = "TASKS", value_parser = value_parser!(u64).range(1_000..=100_000_000))]
    max_tasks: u64,
    /// Most hand-offs of one task
    #[arg(long, default_value_t = 10_000, value_name = "HAND-OFFS", value_parser = value_parser!(u64).range(1..=1_000_000))]
    max_handoffs: u64,
    /// Most namespaces that are written at once
    #[arg(long, default_value_t = 1_000, value_name = "NAMESPACES", value_parser = value_parser!(u16).range(1..=4_096))]
    max_namespaces: u16,
    /// Most watchers
    #[arg(long, default_value_t = 1_000, value_name = "WATCHERS", value_parser = value_parser!(u32).range(1..=100_000))]
    max_watchers: u32,
    /// Live tasks, for memory and restart
    #[arg(long, default_value_t = 1_000_000, value_name = "TASKS", value_parser = value_parser!(u64).range(1..=100_000_000))]
    live: u64,
    /// Finished tasks, for memory
    #[arg(long, default_value_t = 10_000_000, value_name = "TASKS", value_parser = value_parser!(u64).range(1..=100_000_000))]
    finished: u64,
    /// Events in the log, for restart; at least one for each live task
    #[arg(long, default_value_t = 5_000_000, value_name = "EVENTS", value_parser = value_parser!(u64).range(1..=1_000_000_000))]
    events: u64,
    /// Events between a start and the next stop, for restart
    #[arg(long, default_value_t = 50_000, value_name = "EVENTS", value_parser = value_parser!(u64).range(0..=10_000_000))]
    tail: u64,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Question {
    /// Rate and latency with more tasks
    Tasks,
    /// Rate and latency with more hand-offs of each task
    Histories,
    /// Rate and latency with larger states that move
    States,
    /// Rate and latency with more namespaces that are written at once
    Namespaces,
    /// Rate and latency with more watchers
    Watchers,
    /// Memory of a live task
    Memory,
    /// Memory with finished tasks
    Finished,
    /// Time to serve after a stop and after a kill
    Restart,
}

/// What every question is asked with.
struct Setting<'a> {
    program: BatonProgram,
    options: &'a Options,
    sizes: Sizes,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    seconds: f64,
    in_flight: u16,
    connections: u16,
    server_args: Vec<String>,
    sizes: Sizes,
    flat: Vec<Flat>,
    memory: Vec<Memory>,
    finished: Option<Finished>,
    restart: Option<Restart>,
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call fails; the figures cannot be written.
pub(crate) async fn run(args: ScaleArgs) -> Result<(), Failure> {
    let options = &args.options;
    let setting = Setting { program: BatonProgram::find(options)?, options, sizes: args.sizes };
    let mut report = Report {
        command: "scale",
        machine: Machine::describe(&data_folder(options)),
        rounds: options.rounds,
        seconds: options.seconds,
        in_flight: options.in_flight,
        connections: options.connections,
        server_args: options.server_args.clone(),
        sizes: args.sizes,
        flat: Vec::new(),
        memory: Vec::new(),
        finished: None,
        restart: None,
    };
    for question in Question::value_variants() {
        if args.only.is_empty() || args.only.contains(question) {
            progress(&format!("{question:?}").to_lowercase());
            question.ask(&setting, &mut report).await.during(format!("{question:?}").to_lowercase())?;
        }
    }
    if let Some(folder) = &options.plots {
        report.plot(folder)?;
    }
    show(options.json, &report, || report.text())
}

impl Question {
    async fn ask(self, setting: &Setting<'_>, report: &mut Report) -> Result<(), Failure> {
        match self {
            Self::Tasks => report.flat.push(tasks::measure(setting).await?),
            Self::Histories => report.flat.push(histories::measure(setting).await?),
            Self::States => report.flat.push(states::measure(setting).await?),
            Self::Namespaces => report.flat.push(namespaces::measure(setting).await?),
            Self::Watchers => {
                report.flat.push(watchers::measure(setting, watchers::Interest::Nothing).await?);
                report.flat.push(watchers::measure(setting, watchers::Interest::Everything).await?);
            }
            Self::Memory => {
                report.memory.push(memory::measure(setting, false).await?);
                report.memory.push(memory::measure(setting, true).await?);
            }
            Self::Finished => report.finished = Some(finished::measure(setting).await?),
            Self::Restart => report.restart = Some(restart::measure(setting).await?),
        }
        Ok(())
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!(
            "machine  {}\n{} rounds of {} s, {} in flight on {} connections; medians\n",
            self.machine.line(),
            self.rounds,
            self.seconds,
            self.in_flight,
            self.connections
        );
        let flat = self.flat.iter().map(Flat::text);
        let memory = (!self.memory.is_empty()).then(|| memory::text(&self.memory));
        let finished = self.finished.as_ref().map(Finished::text);
        let restart = self.restart.as_ref().map(Restart::text);
        for section in flat.chain(memory).chain(finished).chain(restart) {
            text.push('\n');
            text.push_str(&section);
        }
        text
    }

    fn plot(&self, folder: &std::path::Path) -> Result<(), Failure> {
        self.flat.iter().try_for_each(|flat| flat.plot(folder))?;
        if !self.memory.is_empty() {
            memory::plot(&self.memory, folder)?;
        }
        self.finished.iter().try_for_each(|finished| finished.plot(folder))?;
        self.restart.iter().try_for_each(|restart| restart.plot(folder))
    }
}
