//! `watch fanout`: events delivered per second when hand-offs come as fast as they can, beside a server that has nothing to do but stream.

use std::time::Instant;

use baton_proto::v1::{BatchHandOffRequest, handoff_service_client::HandoffServiceClient};
use bytes::Bytes;
use clap::{Args, value_parser};
use serde::Serialize;
use tonic::transport::Channel;

use super::{Crowd, Reader, WatcherArgs, batches, count_events, from_now, settings};
use crate::{
    baton::{Baton, BatonProgram, connect, data_folder},
    drive::{Measured, Series, fixed, stock},
    failure::{Failure, While as _},
    machine::Machine,
    options::Options,
    output::{progress, show},
    peers::{Echo, Peer as _},
    plot::{Axis, Bar, Scale, bars, save},
    table::{Column, ratio, table, thousands},
    tour::Batches,
};

/// Arguments of `watch fanout`.
#[derive(Debug, Args)]
pub(crate) struct FanoutArgs {
    /// Hand-offs in each round, about
    #[arg(long, default_value_t = 51_200, value_name = "HAND-OFFS", value_parser = value_parser!(u32).range(1..=10_000_000))]
    handoffs: u32,
    /// Hand-offs in one BatchHandOff
    #[arg(long, default_value_t = 256, value_name = "HAND-OFFS", value_parser = value_parser!(u16).range(1..=1_000))]
    batch: u16,
    /// Batches in flight at any time
    #[arg(long, default_value_t = 4, value_name = "BATCHES", value_parser = value_parser!(u16).range(1..=256))]
    batches_in_flight: u16,
    #[command(flatten)]
    watchers: WatcherArgs,
    #[command(flatten)]
    options: Options,
}

/// The figures of a run.
#[derive(Debug, Serialize)]
struct Report {
    command: &'static str,
    machine: Machine,
    rounds: u16,
    watchers: u32,
    watch_connections: u16,
    handoffs_per_round: u64,
    events_per_message: f64,
    bytes_per_event: f64,
    baton_events_per_second: f64,
    baton_rounds: Vec<f64>,
    baton_handoffs_per_second: f64,
    peer_events_per_second: f64,
    peer_rounds: Vec<f64>,
    ratio_to_peer: Option<f64>,
}

/// A watcher that counts events until there are enough.
struct Counter {
    wanted: u64,
    got: u64,
    // What it got, if that is to be played again.
    kept: Option<Vec<Bytes>>,
}

impl Reader for Counter {
    fn read(&mut self, message: Bytes) -> Result<bool, Failure> {
        self.got += count_events(&message)?;
        if let Some(kept) = &mut self.kept {
            kept.push(message);
        }
        Ok(self.got >= self.wanted)
    }
}

/// Baton, those who hand off and those who watch.
struct BatonSide {
    server: Baton,
    callers: Vec<Batches>,
    calls: usize,
    watch: Vec<Channel>,
    watchers: u32,
    wanted: u64,
}

/// The server that plays the messages again, and those who watch.
struct PeerSide {
    echo: Echo,
    watch: Vec<Channel>,
    watchers: u32,
    wanted: u64,
}

/// The rounds of both.
#[derive(Default)]
struct Rounds {
    baton: Series,
    handoffs: Series,
    peer: Series,
    // What one watcher got in the first round.
    recorded: Vec<Bytes>,
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call or a watch fails; the figures cannot be written.
pub(crate) async fn run(args: FanoutArgs) -> Result<(), Failure> {
    let options = &args.options;
    let mut baton = BatonSide::start(&args).await?;
    let mut rounds = Rounds::default();
    rounds.recorded = baton.round(&mut rounds.baton, &mut rounds.handoffs).await?;
    let peer = PeerSide::start(&args, &rounds.recorded, baton.wanted).await?;
    rounds.peer.push(peer.round().await?);
    for round in 2..=options.rounds {
        progress(&format!("round {round}"));
        baton.round(&mut rounds.baton, &mut rounds.handoffs).await?;
        rounds.peer.push(peer.round().await?);
    }
    let report = Report::of(&args, &rounds, baton.wanted);
    peer.stop().await?;
    baton.stop().await?;
    if let Some(folder) = &options.plots {
        save(folder, "watch-fanout", &report.plot())?;
    }
    show(options.json, &report, || report.text())
}

fn readers(watchers: u32, wanted: u64, keep: bool) -> Vec<Counter> {
    let reader = |index| Counter { wanted, got: 0, kept: (keep && index == 0).then(Vec::new) };
    (0..watchers).map(reader).collect()
}

impl BatonSide {
    async fn start(args: &FanoutArgs) -> Result<Self, Failure> {
        let WatcherArgs { watchers, watch_connections } = args.watchers;
        let program = BatonProgram::find(&args.options)?;
        let server = program.start(&settings(watchers, watch_connections)).await?;
        let drive = server.connect(args.options.connections).await?;
        let watch = server.connect(watch_connections).await?;
        let callers = batches(&drive, args.batches_in_flight.into(), args.batch.into());
        let each = callers.len() * usize::from(args.batch);
        let calls = (args.handoffs as usize).div_ceil(each);
        let wanted = (calls * each) as u64;
        progress(&format!("{wanted} hand-offs to {watchers} watchers, then the same bytes again: round 1"));
        Ok(Self { server, callers, calls, watch, watchers, wanted })
    }

    /// One round: events and, meanwhile, hand-offs per second, and the messages that one watcher got.
    async fn round(&mut self, events: &mut Series, handoffs: &mut Series) -> Result<Vec<Bytes>, Failure> {
        let count = self.callers.len();
        stock(&mut self.callers, count, self.calls).await?;
        let crowd = Crowd::open(&self.watch, &from_now(), readers(self.watchers, self.wanted, true)).await?;
        let begun = Instant::now();
        handoffs.push(Measured::once(self.wanted, fixed(&mut self.callers, self.calls).await?));
        let readers = crowd.finish().await.during("baton")?;
        events.push(Measured::once(self.wanted * u64::from(self.watchers), begun.elapsed()));
        Ok(readers.into_iter().find_map(|reader| reader.kept).unwrap_or_default())
    }

    async fn stop(self) -> Result<(), Failure> {
        drop((self.callers, self.watch));
        self.server.stop().await?;
        Ok(())
    }
}

impl PeerSide {
    async fn start(args: &FanoutArgs, messages: &[Bytes], wanted: u64) -> Result<Self, Failure> {
        let WatcherArgs { watchers, watch_connections } = args.watchers;
        let echo = Echo::start_streaming(&data_folder(&args.options), 1, messages).await?;
        let watch = connect(echo.address(), watch_connections).await?;
        Ok(Self { echo, watch, watchers, wanted })
    }

    /// One round: events per second.
    async fn round(&self) -> Result<Measured, Failure> {
        let crowd = Crowd::open(&self.watch, &from_now(), readers(self.watchers, self.wanted, false)).await?;
        let begun = Instant::now();
        let mut client = HandoffServiceClient::new(self.echo.channels()[0].clone());
        client.batch_hand_off(BatchHandOffRequest::default()).await?;
        crowd.finish().await.during("the server that plays messages")?;
        Ok(Measured::once(self.wanted * u64::from(self.watchers), begun.elapsed()))
    }

    async fn stop(self) -> Result<(), Failure> {
        drop(self.watch);
        self.echo.stop().await
    }
}

impl Report {
    fn of(args: &FanoutArgs, rounds: &Rounds, handoffs: u64) -> Self {
        let bytes: usize = rounds.recorded.iter().map(Bytes::len).sum();
        Self {
            command: "watch fanout",
            machine: Machine::describe(&data_folder(&args.options)),
            rounds: args.options.rounds,
            watchers: args.watchers.watchers,
            watch_connections: args.watchers.watch_connections,
            handoffs_per_round: handoffs,
            events_per_message: handoffs as f64 / rounds.recorded.len().max(1) as f64,
            bytes_per_event: bytes as f64 / handoffs as f64,
            baton_events_per_second: rounds.baton.rate(),
            baton_rounds: rounds.baton.rates(),
            baton_handoffs_per_second: rounds.handoffs.rate(),
            peer_events_per_second: rounds.peer.rate(),
            peer_rounds: rounds.peer.rates(),
            ratio_to_peer: rounds.baton.ratio(&rounds.peer, Measured::rate),
        }
    }

    fn text(&self) -> String {
        let columns =
            [Column::Text("WHO"), Column::Number("EVENTS/s"), Column::Number("× PEER"), Column::Text("NOTE")];
        let note = format!("{} hand-offs/s meanwhile", thousands(self.baton_handoffs_per_second));
        let rows = [
            vec!["baton".into(), thousands(self.baton_events_per_second), ratio(self.ratio_to_peer), note],
            vec![
                "tonic stream".into(),
                thousands(self.peer_events_per_second),
                "1.00".into(),
                "the same messages, from memory".into(),
            ],
        ];
        format!(
            "machine  {}\n{} rounds of {} hand-offs to {} watchers on {} connections; medians\n\
             {:.1} events in a message, {:.0} bytes for an event (aim: at least 0.6 × the peer)\n\n{}",
            self.machine.line(),
            self.rounds,
            thousands(self.handoffs_per_round as f64),
            thousands(self.watchers.into()),
            self.watch_connections,
            self.events_per_message,
            self.bytes_per_event,
            table(&columns, &rows)
        )
    }

    fn plot(&self) -> String {
        let bar = |name: &str, value: f64, marked| Bar {
            name: name.into(),
            value,
            label: thousands(value),
            marked,
        };
        bars(
            &format!(
                "Events delivered – {} watchers on {} connections",
                self.watchers, self.watch_connections
            ),
            &Axis::new("events per second", Scale::Linear),
            &[
                bar("baton", self.baton_events_per_second, true),
                bar("tonic stream", self.peer_events_per_second, false),
            ],
        )
    }
}
