//! Puts a server together: opens the log, recovers, serves, and stops in order.
//!
//! Takes its listeners and its stop as arguments, so that a test needs no special mode.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use baton_core::{CHECKPOINT_FORMAT, RequestMemory};
use baton_log::{
    ArchiveError, CheckpointError, FileCheckpoints, LogId, LogReader, OpenError, ReadError, SqliteArchive,
    SqliteLog, SqliteOptions,
};
use tokio::net::TcpListener;
use tracing::info;

use crate::{
    clock::SystemClock,
    config::{Config, ConfigError},
    engine::{
        Engine, EngineLimits, EngineParts, OpenEngineError, Recovered, Retention, RunningEngine, StopReason,
    },
    http::HttpPages,
    listener::{self, BindError},
    metrics::Metrics,
    readiness::Readiness,
    service::Api,
    shutdown::Shutdown,
    transport::Transport,
};

/// Most bytes of commands that wait for the engine.
const QUEUE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Most bytes of commands in one commit: a record must be readable at once.
const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Fewer commands are appended sooner by the thread that decided them: with 64 calls at once, waking another one for each commit costs
/// as much as it gains.
const OVERLAPPED_COMMANDS_MIN: usize = 128;
/// Most events of a namespace that are kept in memory for watchers.
const RECENT_EVENTS_MAX: usize = 16_384;
/// Most bytes of such events of a namespace.
const RECENT_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Most bytes of such events of all namespaces together.
const RECENT_BYTES_TOTAL_MAX: usize = 256 * 1024 * 1024;

/// Why a server cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log cannot be opened.
    #[error(transparent)]
    Log(#[from] OpenError),
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoints cannot be opened.
    #[error(transparent)]
    Checkpoints(#[from] CheckpointError),
    /// The archive cannot be opened.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The log cannot be turned into state.
    #[error(transparent)]
    Engine(#[from] OpenEngineError),
    /// An address cannot be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The log failed while the server was running.
    #[error(
        "the log failed: {0}; everything that was answered is in it: mend the cause and start the server again"
    )]
    LogFailed(String),
}

/// A server that has read its log and is ready to listen.
pub struct Server {
    config: Config,
    engine: Engine,
    running: RunningEngine,
    verifier: Box<dyn LogReader>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    recovered: Vec<Recovered>,
}

impl Server {
    /// Opens the data folder of `config` and recovers what is in it. Blocks while it reads.
    ///
    /// # Errors
    /// [`ServerError`] if the configuration, the folder or the log cannot be used. Nothing is changed then.
    pub fn open(config: Config, metrics: Arc<Metrics>) -> Result<Self, ServerError> {
        config.validate()?;
        let (log, checkpoints, archive) = open_data(&config.data, config.log_size_bytes_max)?;
        let parts = EngineParts {
            log: Box::new(log),
            checkpoints: Box::new(checkpoints),
            archive: Box::new(archive),
            clock: Arc::new(SystemClock),
            metrics,
        };
        Self::on(parts, config)
    }

    /// A server on the given log, clock and metrics instead of those of `config`.
    ///
    /// # Errors
    /// As [`Server::open`].
    pub fn on(parts: EngineParts, config: Config) -> Result<Self, ServerError> {
        let metrics = Arc::clone(&parts.metrics);
        let verifier = parts.log.reader()?;
        let (engine, running, recovered) = Engine::start(parts, limits(&config))?;
        let readiness = Readiness::starting();
        Ok(Self { config, engine, running, verifier, metrics, readiness, recovered })
    }

    /// How each namespace came back.
    pub fn recovered(&self) -> &[Recovered] {
        &self.recovered
    }

    /// Where the server counts.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The engine, for those who need no network.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Serves on `listener`, and metrics and probes on `http`, until `shutdown` begins or the log fails. Everything that was answered is
    /// durable when it returns.
    ///
    /// # Errors
    /// [`ServerError::LogFailed`] if that is why it ended.
    pub async fn run(
        self,
        listener: TcpListener,
        http: Option<TcpListener>,
        shutdown: Shutdown,
    ) -> Result<(), ServerError> {
        let Self { config, engine, running, verifier, metrics, readiness, recovered: _ } = self;
        let api = Api::new(engine.clone(), verifier, shutdown.signal(), &config, Arc::clone(&metrics));
        let transport = Transport {
            routes: api.routes(&config),
            metrics: Arc::clone(&metrics),
            readiness: readiness.clone(),
        };
        let pages_end = Shutdown::new();
        let pages = http.map(|listener| {
            let pages = HttpPages { metrics: Arc::clone(&metrics), readiness: readiness.clone() };
            let mut signal = pages_end.signal();
            tokio::spawn(async move { pages.serve(listener, signal.stopping()).await })
        });
        let failed =
            tokio::spawn(stop_when_engine_stops(engine.clone(), readiness.clone(), shutdown.clone()));
        readiness.serve();
        drop(api);
        let stopped = transport.serve(listener, &config, shutdown.signal()).await;
        info!(connections_cut = stopped.connections_cut, "no calls are open any more");
        engine.stop();
        // The engine may have a last batch and checkpoints to write.
        let _ = tokio::task::spawn_blocking(move || running.join()).await;
        let reason = engine.stopped().await;
        failed.abort();
        pages_end.begin();
        if let Some(pages) = pages {
            let _ = tokio::time::timeout(Duration::from_secs(1), pages).await;
        }
        match reason {
            StopReason::Asked => Ok(()),
            StopReason::Failed(why) => Err(ServerError::LogFailed(why)),
        }
    }
}

/// Opens what `config` names, binds what it names, and serves until SIGTERM or SIGINT. `ready` is called once the addresses are bound.
///
/// # Errors
/// [`ServerError`].
pub async fn serve(
    config: Config,
    metrics: Arc<Metrics>,
    shutdown: Shutdown,
    ready: impl FnOnce(&Ready<'_>),
) -> Result<(), ServerError> {
    config.validate()?;
    // Bound first: a second server on the same port fails before it touches the data.
    let listener = listener::bind("listen", &config.listen).await?;
    let http = match &config.http {
        Some(address) => Some(listener::bind("http", address).await?),
        None => None,
    };
    let opened = tokio::task::spawn_blocking(move || Server::open(config, metrics)).await;
    let server = opened.map_err(|panic| ServerError::LogFailed(panic.to_string()))??;
    ready(&Ready {
        listen: listener.local_addr().ok(),
        http: http.as_ref().and_then(|http| http.local_addr().ok()),
        config: &server.config,
        log_id: server.engine.log_id(),
        recovered: &server.recovered,
    });
    server.run(listener, http, shutdown).await
}

/// What a server says of itself once it is ready.
#[derive(Debug)]
pub struct Ready<'a> {
    /// Where gRPC is served.
    pub listen: Option<SocketAddr>,
    /// Where metrics and probes are served.
    pub http: Option<SocketAddr>,
    /// What it was configured with.
    pub config: &'a Config,
    /// The log it serves.
    pub log_id: LogId,
    /// How each namespace came back.
    pub recovered: &'a [Recovered],
}

async fn stop_when_engine_stops(engine: Engine, readiness: Readiness, shutdown: Shutdown) {
    if let StopReason::Failed(_) = engine.stopped().await {
        readiness.refuse("the log failed");
        shutdown.begin();
    }
}

fn open_data(
    data: &Path,
    size_bytes_max: Option<u64>,
) -> Result<(SqliteLog, FileCheckpoints, SqliteArchive), ServerError> {
    let log = SqliteLog::open(data, &SqliteOptions { size_bytes_max })?;
    let checkpoints = FileCheckpoints::open(data)?;
    let archive = SqliteArchive::open(data, log.id(), CHECKPOINT_FORMAT)?;
    Ok((log, checkpoints, archive))
}

fn limits(config: &Config) -> EngineLimits {
    EngineLimits {
        queue_commands_max: config.queue_commands_max as usize,
        queue_bytes_max: QUEUE_BYTES_MAX,
        batch_commands_max: config.batch_commands_max as usize,
        batch_bytes_max: BATCH_BYTES_MAX,
        overlapped_commands_min: OVERLAPPED_COMMANDS_MIN,
        namespaces_max: config.namespaces_max as usize,
        request_memory: RequestMemory {
            age_us_max: i64::from(config.request_memory_s_max) * 1_000_000,
            count_max: config.request_memory_count_max as usize,
        },
        checkpoint_events: config.checkpoint_events,
        retention: retention(config),
        recent_events_max: RECENT_EVENTS_MAX,
        recent_bytes_max: RECENT_BYTES_MAX,
        recent_bytes_total_max: RECENT_BYTES_TOTAL_MAX,
    }
}

fn retention(config: &Config) -> Retention {
    let age_us_max = config.retain_s.map(|s| i64::try_from(s).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let interval = Duration::from_millis(config.retain_interval_ms.into());
    Retention { age_us_max, bytes_max: config.retain_bytes, interval }
}
