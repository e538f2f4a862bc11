//! `baton bench`: measures durable hand-offs per second in a closed loop, beside an echo of the same calls.
//!
//! Knows the arguments and the order of a run: prepare, measure, echo, report.

mod echo;
mod load;
mod report;
mod ring;

use std::{path::PathBuf, time::Duration};

use baton_client::{Client, ServerInfo};
use baton_proto::v1::{
    GetServerInfoRequest, HandOffResponse, handoff_service_client::HandoffServiceClient,
    monitor_service_client::MonitorServiceClient,
};
use baton_server::open_files;
use clap::{Args, value_parser};
use indicatif::{ProgressBar, ProgressStyle};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use self::{
    echo::EchoServer,
    load::{Load, Measured, Window, median},
    report::{Commits, EchoReport, Latency, Report, Round},
    ring::Ring,
};
use crate::{exit::Exit, failure::Failure, local_server::LocalServer, session::Session};

/// The namespace that is loaded unless `-n` names another: not the one where the work is.
const NAMESPACE: &str = "bench";

/// How long the first call of a connection may take, unless a deadline is given.
const ANSWER_WAIT: Duration = Duration::from_secs(10);

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Calls in flight at any time
    #[arg(long, default_value_t = 64, value_name = "CALLS", value_parser = value_parser!(u16).range(1..=4_096))]
    concurrency: u16,
    /// Connections that the calls share
    #[arg(long, default_value_t = 4, value_name = "CONNECTIONS", value_parser = value_parser!(u16).range(1..=1_024))]
    connections: u16,
    /// Rounds; each measures the server, then the echo, so that both see the same machine. Medians are printed
    #[arg(long, default_value_t = 5, value_name = "ROUNDS", value_parser = value_parser!(u16).range(1..=1_000))]
    rounds: u16,
    /// How long is measured in each round, in seconds
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// How long is sent in each round before it is measured, in seconds
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
    open_files::raise_limit();
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

/// Loads the server, and in turn with it an echo if `with_echo`.
async fn measure(
    args: &BenchArgs,
    session: &Session<'_>,
    addr: &str,
    with_echo: bool,
) -> Result<Report, Failure> {
    let namespace = session.globals.namespace.as_deref().unwrap_or(NAMESPACE);
    let client = Client::builder().endpoint(addr).namespace(namespace).connect().await?;
    let channels = connect(addr, args.connections).await?;
    await_answers(addr, &channels, session.globals.deadline.unwrap_or(ANSWER_WAIT)).await?;
    let mut rings = rings(args, namespace);
    let sample = prepare(args, &mut rings, &channels).await.map_err(failed)?;
    let mut load = Load::new(channels, rings);
    let mut echo = if with_echo { Some(EchoLoad::start(args, namespace, sample).await?) } else { None };
    let mut rounds = Vec::new();
    for _ in 0..args.rounds {
        let (server, commits) = load_server(args, &client, &mut load).await?;
        let echo = match &mut echo {
            Some(echo) => Some(echo.round(args).await?),
            None => None,
        };
        rounds.push(Round { server, commits, echo });
    }
    drop(load);
    if let Some(echo) = echo {
        echo.stop().await;
    }
    let info = client.server_info().send().await?;
    Ok(Report::of(args, addr, &info, &rounds))
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

/// One round on the server; with how often its log was made durable in it.
async fn load_server(
    args: &BenchArgs,
    client: &Client,
    load: &mut Load,
) -> Result<(Measured, Commits), Failure> {
    let window = args.window();
    let counters = async {
        tokio::time::sleep_until(window.start).await;
        let before = client.server_info().send().await?;
        tokio::time::sleep_until(window.end).await;
        Ok::<_, Failure>(Commits::between(&before, &client.server_info().send().await?))
    };
    let drive = async { load.drive(window).await.map_err(failed) };
    with_clock("hand-offs", window, async { tokio::try_join!(drive, counters) }).await
}

/// An echo of the same calls, and its callers.
struct EchoLoad {
    server: EchoServer,
    load: Load,
}

impl EchoLoad {
    async fn start(args: &BenchArgs, namespace: &str, sample: HandOffResponse) -> Result<Self, Failure> {
        let server = EchoServer::start(sample).await?;
        let channels = connect(&format!("http://{}", server.addr()), args.connections).await?;
        let mut rings = rings(args, namespace);
        rings.iter_mut().for_each(Ring::imagine);
        Ok(Self { server, load: Load::new(channels, rings) })
    }

    async fn round(&mut self, args: &BenchArgs) -> Result<Measured, Failure> {
        let window = args.window();
        with_clock("echo", window, async { self.load.drive(window).await.map_err(failed) }).await
    }

    async fn stop(self) {
        drop(self.load);
        self.server.stop().await;
    }
}

impl BenchArgs {
    /// The window of a round that begins now.
    fn window(&self) -> Window {
        Window::after(Duration::from_secs(self.warmup), Duration::from_secs(self.seconds))
    }
}

impl Commits {
    fn between(before: &ServerInfo, after: &ServerInfo) -> Self {
        Self {
            commits: after.commits.saturating_sub(before.commits),
            handoffs: after.handoffs_completed.saturating_sub(before.handoffs_completed),
        }
    }
}

impl Report {
    fn of(args: &BenchArgs, addr: &str, info: &ServerInfo, rounds: &[Round]) -> Self {
        let server = Measured::of_rounds(&rounds.iter().map(|round| &round.server).collect::<Vec<_>>());
        let echoes: Vec<&Measured> = rounds.iter().filter_map(|round| round.echo.as_ref()).collect();
        let echo = (!echoes.is_empty()).then(|| Measured::of_rounds(&echoes));
        let commits: u64 = rounds.iter().map(|round| round.commits.commits).sum();
        let handoffs: u64 = rounds.iter().map(|round| round.commits.handoffs).sum();
        let ratios: Vec<f64> = rounds.iter().filter_map(Round::ratio_to_echo).collect();
        Self {
            server: addr.to_owned(),
            version: info.version.clone(),
            log_kind: info.log_kind.clone(),
            concurrency: args.concurrency.into(),
            connections: args.connections.into(),
            rounds: args.rounds,
            seconds: args.seconds,
            handoffs: server.handoffs,
            handoffs_per_second: server.rate,
            latency_ms: Latency::of(&server),
            commits,
            handoffs_per_fsync: (commits > 0).then(|| handoffs as f64 / commits as f64),
            echo: echo.map(|echo| EchoReport { calls_per_second: echo.rate, latency_ms: Latency::of(&echo) }),
            ratio_to_echo: (!ratios.is_empty()).then(|| median(ratios)),
        }
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

/// Waits until all connections were answered once: the system takes more of them than a server that has as many as it can have.
async fn await_answers(addr: &str, channels: &[Channel], deadline: Duration) -> Result<(), Failure> {
    for (index, channel) in channels.iter().enumerate() {
        let mut monitor = MonitorServiceClient::new(channel.clone());
        let asked = monitor.get_server_info(GetServerInfoRequest {});
        tokio::time::timeout(deadline, asked)
            .await
            .map_err(|_| {
                let (number, count) = (index + 1, channels.len());
                let what = format!(
                    "{addr} does not answer connection {number} of {count}: ask for fewer, or see its log"
                );
                Failure::new(Exit::Unreachable, "UNREACHABLE", what)
            })?
            .map_err(failed)?;
    }
    Ok(())
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
