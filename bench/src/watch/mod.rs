//! `watch`: how fast events reach those who watch, and what watchers cost.
//!
//! Each question is a file. Knows what they share: their servers' limits and those who hand off.

mod crowd;
mod fanout;
mod latency;
mod many;
mod replay;
mod scan;

pub(crate) use crowd::{Crowd, Reader};
pub(crate) use scan::count_events;

use baton_proto::v1::WatchHandoffsRequest;
use clap::{Args, Subcommand, value_parser};
use tonic::transport::Channel;

use crate::{failure::Failure, peers::NAMESPACE, tour::Batches};

/// The questions about watching.
#[derive(Debug, Subcommand)]
pub(crate) enum WatchCommand {
    /// Events delivered per second to many watchers, beside a server that streams the same bytes
    Fanout(fanout::FanoutArgs),
    /// How long events take from their record to their watchers, at a fixed rate of hand-offs
    Latency(latency::LatencyArgs),
    /// Ten thousand watchers: whether each gets everything, and what it costs
    Many(many::ManyArgs),
    /// A watch of a long log from its first revision on
    Replay(replay::ReplayArgs),
}

/// Who watches, and how they are reached.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WatcherArgs {
    /// Watchers
    #[arg(long, default_value_t = 100, value_name = "WATCHERS", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub watchers: u32,
    /// Connections that the watchers share
    #[arg(long, default_value_t = 10, value_name = "CONNECTIONS", value_parser = value_parser!(u16).range(1..=10_000))]
    pub watch_connections: u16,
}

/// Runs the command.
///
/// # Errors
/// A server cannot be started; a call or a watch fails; the figures cannot be written.
pub(crate) async fn run(command: WatchCommand) -> Result<(), Failure> {
    match command {
        WatchCommand::Fanout(args) => fanout::run(args).await,
        WatchCommand::Latency(args) => latency::run(args).await,
        WatchCommand::Many(args) => many::run(args).await,
        WatchCommand::Replay(args) => replay::run(args).await,
    }
}

/// Lines of the server's settings that let so many watchers in, where its defaults would not.
pub(crate) fn settings(watchers: u32, connections: u16) -> String {
    /// Watches that are let in besides: of those who look on.
    const SPARE: u32 = 16;
    let each = watchers.div_ceil(connections.into()) + SPARE;
    format!(
        "watchers_max = {}\nwatchers_per_connection_max = {}\nconnection_streams_max = {}\n",
        (watchers + SPARE).max(10_000),
        each.max(256),
        each.max(1_024)
    )
}

/// A watch of all events of hand-offs, from now on.
pub(crate) fn from_now() -> WatchHandoffsRequest {
    WatchHandoffsRequest { namespace: NAMESPACE.into(), ..Default::default() }
}

/// Those who hand off in batches, on the connections in turn.
fn batches(channels: &[Channel], count: usize, size: usize) -> Vec<Batches> {
    let caller = |index: usize| {
        let channel = channels[index % channels.len()].clone();
        Batches::new(format!("caller-{index}"), NAMESPACE, size, channel)
    };
    (0..count).map(caller).collect()
}
