//! `watch fanout`: events delivered per second when hand-offs come as fast as they can, beside a server that has nothing to do but stream.

use std::time::Instant;

use baton_proto::v1::{BatchHandOffRequest, handoff_service_client::HandoffServiceClient};
use bytes::Bytes;
use clap::{Args, value_parser};
use serde::Serialize;
use tonic::transport::Channel;

use super::{Crowd, Reader, WatcherArgs, batches, count_events, from_now, settings};
use crate::{
    baton::{BatonProgram, connect, data_folder},
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

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call or a watch fails; the figures cannot be written.
pub(crate) async fn run(args: FanoutArgs) -> Result<(), Failure> {
    let options = &args.options;
    let WatcherArgs { watchers, watch_connections } = args.watchers;
    let program = BatonProgram::find(options)?;
    let server = program.start(&settings(watchers, watch_connections)).await?;
    let drive = server.connect(options.connections).await?;
    let watch = server.connect(watch_connections).await?;
    let mut callers = batches(&drive, args.batches_in_flight.into(), args.batch.into());
    let calls = (args.handoffs as usize).div_ceil(callers.len() * usize::from(args.batch));
    let wanted = (calls * callers.len() * usize::from(args.batch)) as u64;
    let (mut baton, mut peer, mut driven) = (Series::default(), Series::default(), Series::default());
    let mut streamer: Option<(Echo, Vec<Channel>)> = None;
    let mut recorded = Vec::new();
    for round in 1..=options.rounds {
        progress(&format!(
            "round {round}: {wanted} hand-offs to {watchers} watchers, then the same bytes again"
        ));
        let (measured, handoffs, kept) = on_baton(&mut callers, calls, &watch, watchers, wanted).await?;
        baton.push(measured);
        driven.push(handoffs);
        if streamer.is_none() {
            let echo = Echo::start_streaming(&data_folder(options), 1, &kept).await?;
            let channels = connect(echo.address(), watch_connections).await?;
            streamer = Some((echo, channels));
            recorded = kept;
        }
        let (echo, channels) = streamer.as_ref().expect("it was just started");
        peer.push(on_peer(echo, channels, watchers, wanted).await?);
    }
    if let Some((echo, channels)) = streamer {
        drop(channels);
        echo.stop().await?;
    }
    drop((callers, drive, watch));
    server.stop().await?;
    let bytes: usize = recorded.iter().map(Bytes::len).sum();
    let report = Report {
        command: "watch fanout",
        machine: Machine::describe(&data_folder(options)),
        rounds: options.rounds,
        watchers,
        watch_connections,
        handoffs_per_round: wanted,
        events_per_message: wanted as f64 / recorded.len().max(1) as f64,
        bytes_per_event: bytes as f64 / wanted as f64,
        baton_events_per_second: baton.rate(),
        baton_rounds: baton.rates(),
        baton_handoffs_per_second: driven.rate(),
        peer_events_per_second: peer.rate(),
        peer_rounds: peer.rates(),
        ratio_to_peer: baton.ratio(&peer, Measured::rate),
    };
    if let Some(folder) = &options.plots {
        save(folder, "watch-fanout", &report.plot())?;
    }
    show(options.json, &report, || report.text())
}

fn readers(watchers: u32, wanted: u64, keep: bool) -> Vec<Counter> {
    let reader = |index| Counter { wanted, got: 0, kept: (keep && index == 0).then(Vec::new) };
    (0..watchers).map(reader).collect()
}

/// One round on Baton: events per second, hand-offs per second meanwhile, and the messages that one watcher got.
async fn on_baton(
    callers: &mut Vec<Batches>,
    calls: usize,
    watch: &[Channel],
    watchers: u32,
    wanted: u64,
) -> Result<(Measured, Measured, Vec<Bytes>), Failure> {
    let count = callers.len();
    stock(callers, count, calls).await?;
    let crowd = Crowd::open(watch, &from_now(), readers(watchers, wanted, true)).await?;
    let begun = Instant::now();
    let drive_took = fixed(callers, calls).await?;
    let readers = crowd.finish().await.during("baton")?;
    let took = begun.elapsed();
    let kept = readers.into_iter().find_map(|reader| reader.kept).unwrap_or_default();
    Ok((Measured::once(wanted * u64::from(watchers), took), Measured::once(wanted, drive_took), kept))
}

/// One round on the server that plays the messages again.
async fn on_peer(echo: &Echo, channels: &[Channel], watchers: u32, wanted: u64) -> Result<Measured, Failure> {
    let crowd = Crowd::open(channels, &from_now(), readers(watchers, wanted, false)).await?;
    let begun = Instant::now();
    let mut client = HandoffServiceClient::new(echo.channels()[0].clone());
    client.batch_hand_off(BatchHandOffRequest::default()).await?;
    crowd.finish().await.during("the server that plays messages")?;
    Ok(Measured::once(wanted * u64::from(watchers), begun.elapsed()))
}

impl Report {
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
