//! `compare`: the same hand-offs on Baton and on what it is compared with, in turn, on this machine.
//!
//! Knows what takes part and what is asked; how each is measured stands in `sections`.

mod commits;
mod contender;
mod plot;
mod section;
mod sections;

use self::section::{Row, Section};

use clap::{Args, ValueEnum, value_parser};
use serde::Serialize;

use self::{commits::handoff_bytes, contender::Running, sections::Field};
use crate::{
    baton::{BatonProgram, data_folder},
    failure::Failure,
    machine::Machine,
    options::Options,
    output::{progress, show},
    peers::{Absent, BareFile, BatonPeer, Echo, Etcd, Macp, Peer, Place, Postgres, Redis},
};

/// Threads that the calls come from. What the load takes is taken from the servers, and several threads spend a third of it waking each other for
/// every few answers.
pub(crate) const LOAD_THREADS: usize = 1;

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Only these questions; several separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "QUESTIONS")]
    only: Vec<Question>,
    /// Only these peers, besides Baton and its echo; several separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PEERS")]
    peers: Vec<Other>,
    /// No peers besides Baton and its echo
    #[arg(long, conflicts_with = "peers")]
    no_peers: bool,
    /// Hand-offs each second in the open loop
    #[arg(long, default_value_t = 5_000, value_name = "HAND-OFFS", value_parser = value_parser!(u32).range(1..=10_000_000))]
    rate: u32,
    /// Hand-offs in one BatchHandOff
    #[arg(long, default_value_t = 256, value_name = "HAND-OFFS", value_parser = value_parser!(u16).range(1..=1_000))]
    batch: u16,
    /// Batches in flight at any time
    #[arg(long, default_value_t = 4, value_name = "BATCHES", value_parser = value_parser!(u16).range(1..=256))]
    batches_in_flight: u16,
    #[command(flatten)]
    options: Options,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Question {
    /// HandOff with many in flight
    InFlight,
    /// HandOff, one call at a time
    One,
    /// HandOff at a fixed rate
    Open,
    /// BatchHandOff
    Batch,
    /// GetTask
    Get,
}

/// What Baton is compared with, besides its echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Other {
    /// A bare file with fdatasync
    File,
    /// Redis, a Lua script
    Redis,
    /// PostgreSQL, one statement
    Postgres,
    /// etcd, one Txn
    Etcd,
    /// MACP runtime, offer, accept, commitment
    Macp,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    seconds: f64,
    warmup: f64,
    connections: u16,
    load_threads: usize,
    server_args: Vec<String>,
    contenders: Vec<About>,
    absent: Vec<About>,
    sections: Vec<Section>,
}

/// One that takes part or does not, and what there is to say of that.
#[derive(Debug, Serialize)]
struct About {
    who: &'static str,
    about: String,
}

/// Runs the command.
///
/// # Errors
/// Baton or its echo cannot be started; a call fails; the figures cannot be written.
pub(crate) async fn run(args: CompareArgs) -> Result<(), Failure> {
    let options = &args.options;
    let mut lineup = args.line_up().await?;
    let contenders = lineup.about();
    let sections = args.ask(&mut lineup.field).await?;
    let machine = Machine::describe(&data_folder(options));
    let absent = std::mem::take(&mut lineup.absent);
    lineup.stop().await?;
    if let Some(folder) = &options.plots {
        plot::write(folder, &sections)?;
    }
    let report = Report {
        command: "compare",
        machine,
        rounds: options.rounds,
        seconds: options.seconds,
        warmup: options.warmup,
        connections: options.connections,
        load_threads: LOAD_THREADS,
        server_args: options.server_args.clone(),
        contenders,
        absent,
        sections,
    };
    show(options.json, &report, || report.text())
}

/// All that was started.
struct Lineup {
    field: Field,
    absent: Vec<About>,
}

impl CompareArgs {
    async fn line_up(&self) -> Result<Lineup, Failure> {
        let options = &self.options;
        let program = BatonProgram::find(options)?;
        progress("measuring the size of a hand-off in the log");
        let bytes = handoff_bytes(&program, self.batch.into()).await?;
        let place = self.place();
        let baton = BatonPeer::start(&program, options.connections).await?;
        let samples = baton.samples().await?;
        let echo = Echo::start(&place.data, options.connections, &samples).await?;
        let file = self.has(Other::File).then(|| BareFile::create(&place.data)).transpose()?;
        let mut field = Field {
            baton: baton.channels().to_vec(),
            echo: echo.channels().to_vec(),
            contenders: Vec::new(),
            file,
            handoff_bytes: bytes,
        };
        field.contenders.push(Box::new(Running::new(baton, place.callers).await?));
        field.contenders.push(Box::new(Running::new(echo, place.callers).await?));
        let mut lineup = Lineup { field, absent: Vec::new() };
        if self.has(Other::Redis) {
            lineup.add(Redis::start(&place).await, place.callers).await?;
        }
        if self.has(Other::Postgres) {
            lineup.add(Postgres::start(&place).await, place.callers).await?;
        }
        if self.has(Other::Etcd) {
            lineup.add(Etcd::start(&place).await, place.callers).await?;
        }
        if self.has(Other::Macp) {
            lineup.add(Macp::start(&place).await, place.callers).await?;
        }
        Ok(lineup)
    }

    fn place(&self) -> Place {
        Place {
            data: data_folder(&self.options),
            connections: self.options.connections,
            callers: self.options.in_flight.into(),
        }
    }

    fn has(&self, other: Other) -> bool {
        let named = self.peers.is_empty() && !self.no_peers || self.peers.contains(&other);
        let hand_offs = [Question::InFlight, Question::One, Question::Open];
        match other {
            Other::File => named,
            _ => named && hand_offs.into_iter().any(|question| self.asks(question)),
        }
    }

    fn asks(&self, question: Question) -> bool {
        self.only.is_empty() || self.only.contains(&question)
    }

    async fn ask(&self, field: &mut Field) -> Result<Vec<Section>, Failure> {
        let (options, in_flight) = (&self.options, usize::from(self.options.in_flight));
        let mut sections = Vec::new();
        if self.asks(Question::InFlight) {
            progress(&format!("HandOff, {in_flight} in flight"));
            sections.push(field.in_flight(in_flight, options).await?);
        }
        if self.asks(Question::One) {
            progress("HandOff, one at a time");
            sections.push(field.in_flight(1, options).await?);
        }
        if self.asks(Question::Open) {
            progress("HandOff, open loop");
            let closed = sections.iter().find(|section| section.name == "in-flight");
            sections.push(field.open(self.rate.into(), closed, options).await?);
        }
        // What only Baton and its echo are asked, they are asked with the machine to themselves.
        field.stop_others().await?;
        if self.asks(Question::Batch) {
            progress("BatchHandOff");
            sections.push(field.batch(self.batch.into(), self.batches_in_flight.into(), options).await?);
        }
        if self.asks(Question::Get) {
            progress("GetTask");
            sections.push(field.get(in_flight, options).await?);
        }
        Ok(sections)
    }
}

impl Lineup {
    /// Adds a peer that was started; notes why if it was not.
    async fn add<P: Peer>(&mut self, started: Result<P, Absent>, callers: usize) -> Result<(), Failure> {
        match started {
            Ok(peer) => self.field.contenders.push(Box::new(Running::new(peer, callers).await?)),
            Err(absent) => self.absent.push(About { who: P::NAME, about: absent.to_string() }),
        }
        Ok(())
    }

    fn about(&self) -> Vec<About> {
        let contenders = self.field.contenders.iter();
        contenders.map(|contender| About { who: contender.name(), about: contender.about() }).collect()
    }

    async fn stop(self) -> Result<(), Failure> {
        let Field { contenders, baton, echo, .. } = self.field;
        drop((baton, echo));
        for contender in contenders {
            contender.stop().await?;
        }
        Ok(())
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!("machine   {}\n", self.machine.line());
        for About { who, about } in &self.contenders {
            text.push_str(&format!("{who:<9} {about}\n"));
        }
        for About { who, about } in &self.absent {
            text.push_str(&format!("{who}: {about}\n"));
        }
        text.push_str(&format!(
            "{} rounds of {} s, {} connections, calls from {} thread; medians\n",
            self.rounds, self.seconds, self.connections, self.load_threads
        ));
        for section in &self.sections {
            text.push('\n');
            text.push_str(&section.text());
        }
        text
    }
}
