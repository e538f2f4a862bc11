//! `baton bench`: measures durable hand-offs per second in a closed loop, beside an echo of the same calls.
//!
//! Knows the arguments and the order of a run: prepare, measure, echo, report.

mod echo;
mod load;
mod report;
mod ring;

use std::{path::PathBuf, time::Duration};

use baton_client::{Client, ServerInfo};
use baton_proto::v1::{HandOffResponse, handoff_service_client::HandoffServiceClient};
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use self::{
    echo::EchoServer,
    load::{Measured, Window},
    report::{EchoReport, Latency, Report},
    ring::Ring,
};
use crate::{exit::Exit, failure::Failure, local_server::LocalServer, session::Session};

/// The namespace that is loaded unless `-n` names another: not the one where the work is.
const NAMESPACE: &str = "bench";

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Calls in flight at any time
    #[arg(long, default_value_t = 64, value_name = "CALLS", value_parser = value_parser!(u16).range(1..=4_096))]
    concurrency: u16,
    /// Connections that the calls share
    #[arg(long, default_value_t = 4, value_name = "CONNECTIONS", value_parser = value_parser!(u16).range(1..=1_024))]
    connections: u16,
    /// How long is measured, in seconds
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// How long is sent before it is measured, in seconds
    #[arg(long, default_value_t = 1, value_name = "SECONDS", value_parser = value_parser!(u64).range(0..=3_600))]
    warmup: u64,
    /// Tasks that are created before; each is handed on 30 times. More are made when they run out
    #[arg(long, default_value_t = 20_000, value_name = "TASKS", value_parser = value_parser!(u32).range(1..=10_000_000))]
    tasks: u32,
    /// Also measure an echo of the same calls, on this machine [default: unless --addr is given]
    #[arg(long, overrides_with = "no_echo")]
    echo: bool,
    /// Do not measure an echo
    #[arg(long)]
    no_echo: bool,
    /// Where the log of the server lies that is started for this, on the disk to be measured [default: the current folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Print one JSON object, as -o json does
    #[arg(long)]
    json: bool,
}

/// Runs the command: against the server that `--addr` names, otherwise against one that it starts in this process.
///
/// # Errors
/// A server cannot be started or reached; any call fails; stdout cannot be written.
pub(crate) async fn run(args: BenchArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let report = if session.addr_is_given {
        let (addr, echo) = (with_scheme(&session.globals.addr), args.echo);
        measure(&args, session, &addr, echo).await?
    } else {
        let parent = args.data.clone().unwrap_or_else(|| PathBuf::from("."));
        let server = LocalServer::start(&parent).await?;
        let measured = measure(&args, session, server.address(), !args.no_echo).await;
        server.stop().await?;
        measured?
    };
    if args.json || !session.output.is_table() {
        session.output.json(&report)
    } else {
        report.write(session.output)
    }
}

/// Loads the server, and an echo after it if `with_echo`.
async fn measure(
    args: &BenchArgs,
    session: &Session<'_>,
    addr: &str,
    with_echo: bool,
) -> Result<Report, Failure> {
    let namespace = session.globals.namespace.as_deref().unwrap_or(NAMESPACE);
    let client = Client::builder().endpoint(addr).namespace(namespace).connect().await?;
    let channels = connect(addr, args.connections).await?;
    let mut rings = rings(args, namespace);
    let sample = prepare(args, &mut rings, &channels).await.map_err(failed)?;
    let (measured, before, after) = load_server(args, &client, &channels, rings).await?;
    drop(channels);
    let echo = if with_echo { Some(load_echo(args, namespace, sample).await?) } else { None };
    Ok(report(args, addr, &measured, &before, &after, echo.as_ref()))
}

/// One ring for each caller, under names that no run before has used.
fn rings(args: &BenchArgs, namespace: &str) -> Vec<Ring> {
    let run = baton_client::new_request_id();
    (0..args.concurrency)
        .map(|caller| Ring::new(format!("bench-{}-{caller}", &run[..8]), namespace))
        .collect()
}

/// Creates tasks and states, and hands one task off for a sample of the answer.
async fn prepare(
    args: &BenchArgs,
    rings: &mut [Ring],
    channels: &[Channel],
) -> Result<HandOffResponse, Status> {
    let bar = bar("creating tasks", u64::from(args.tasks));
    let each = (args.tasks as usize).div_ceil(rings.len());
    for (ring, channel) in rings.iter_mut().zip(channels.iter().cycle()) {
        ring.create(each, channel).await?;
        ring.seed_state(channel).await?;
        bar.inc(each as u64);
    }
    bar.finish_and_clear();
    let (ring, channel) = (&mut rings[0], &channels[0]);
    let request = ring.next_or_refill(channel).await?;
    Ok(HandoffServiceClient::new(channel.clone()).hand_off(request).await?.into_inner())
}

async fn load_server(
    args: &BenchArgs,
    client: &Client,
    channels: &[Channel],
    rings: Vec<Ring>,
) -> Result<(Measured, ServerInfo, ServerInfo), Failure> {
    let window = Window::after(Duration::from_secs(args.warmup), Duration::from_secs(args.seconds));
    let counters = async {
        tokio::time::sleep_until(window.start).await;
        let before = client.server_info().send().await?;
        tokio::time::sleep_until(window.end).await;
        Ok::<_, Failure>((before, client.server_info().send().await?))
    };
    let load = async { load::drive(window, channels, rings).await.map_err(failed) };
    let (measured, (before, after)) =
        with_clock("hand-offs", window, async { tokio::try_join!(load, counters) }).await?;
    Ok((measured, before, after))
}

async fn load_echo(args: &BenchArgs, namespace: &str, sample: HandOffResponse) -> Result<Measured, Failure> {
    let echo = EchoServer::start(sample).await?;
    let channels = connect(&format!("http://{}", echo.addr()), args.connections).await?;
    let mut rings = rings(args, namespace);
    rings.iter_mut().for_each(Ring::imagine);
    let window = Window::after(Duration::from_secs(args.warmup), Duration::from_secs(args.seconds));
    let load = async { load::drive(window, &channels, rings).await.map_err(failed) };
    let measured = with_clock("echo", window, load).await?;
    drop(channels);
    echo.stop().await;
    Ok(measured)
}

fn report(
    args: &BenchArgs,
    addr: &str,
    measured: &Measured,
    before: &ServerInfo,
    after: &ServerInfo,
    echo: Option<&Measured>,
) -> Report {
    let commits = after.commits.saturating_sub(before.commits);
    let handoffs = after.handoffs_completed.saturating_sub(before.handoffs_completed);
    Report {
        server: addr.to_owned(),
        version: after.version.clone(),
        log_kind: after.log_kind.clone(),
        concurrency: args.concurrency.into(),
        connections: args.connections.into(),
        seconds: args.seconds,
        handoffs: measured.handoffs,
        handoffs_per_second: measured.rate,
        latency_ms: Latency::of(measured),
        commits,
        handoffs_per_fsync: (commits > 0).then(|| handoffs as f64 / commits as f64),
        echo: echo.map(|echo| EchoReport { calls_per_second: echo.rate, latency_ms: Latency::of(echo) }),
        ratio_to_echo: echo.filter(|echo| echo.rate > 0.0).map(|echo| measured.rate / echo.rate),
    }
}

/// Opens the connections that the callers share.
async fn connect(addr: &str, count: u16) -> Result<Vec<Channel>, Failure> {
    let endpoint = Endpoint::from_shared(addr.to_owned())
        .map_err(|error| {
            Failure::usage(format!("`{addr}` is not an address such as http://127.0.0.1:7420: {error}"))
        })?
        .tcp_nodelay(true);
    let mut channels = Vec::with_capacity(count.into());
    for _ in 0..count {
        let unreachable = |error| {
            Failure::new(Exit::Unreachable, "UNREACHABLE", format!("{addr} cannot be reached: {error}"))
        };
        channels.push(endpoint.connect().await.map_err(unreachable)?);
    }
    Ok(channels)
}

/// A call that fails ends the run.
fn failed(status: Status) -> Failure {
    let message =
        format!("a call failed, so there are no figures: {} ({:?})", status.message(), status.code());
    Failure::new(Exit::Failure, "BENCH_FAILED", message)
}

fn with_scheme(addr: &str) -> String {
    if addr.contains("://") { addr.to_owned() } else { format!("http://{addr}") }
}

/// Shows how much of the window has passed while `work` goes on.
async fn with_clock<T>(what: &'static str, window: Window, work: impl Future<Output = T>) -> T {
    let begun = tokio::time::Instant::now();
    let bar = bar(what, u64::try_from((window.end - begun).as_millis()).unwrap_or(u64::MAX));
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                bar.finish_and_clear();
                return done;
            }
            _ = ticks.tick() => bar.set_position(u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

/// A bar on stderr; nothing is drawn where that is no terminal.
fn bar(what: &'static str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:14} {wide_bar}")
        .expect("the template is constant and well-formed");
    ProgressBar::new(length).with_style(style).with_message(what)
}
