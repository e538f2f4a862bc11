//! `baton serve`: runs the server until it is told to stop.
//!
//! Puts flags, environment and file together and hands them over. Knows nothing of what the server does with them.

use std::{path::PathBuf, sync::Arc};

use baton_server::{
    Ready, ServerError,
    config::{Config, LogFormat, LogLevel, LogRequests},
    logging,
    metrics::Metrics,
    open_files, runtime, serve,
    shutdown::{Shutdown, StopSignals},
};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    allocator,
    exit::Exit,
    failure::Failure,
    output::Output,
    retain::{self, Retain},
    session::Session,
};

/// Arguments of `serve`. Each goes before its environment variable, that before the file, that before the default.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The folder of the log, made if it is missing [default: ./baton-data]
    #[arg(long, env = "BATON_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where gRPC is served; port 0 takes a free one [default: 127.0.0.1:7420]
    #[arg(long, env = "BATON_LISTEN", value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Where metrics and probes are served over HTTP [default: nowhere]
    #[arg(long, env = "BATON_HTTP", value_name = "HOST:PORT")]
    http: Option<String>,
    /// Threads that serve the connections; with one, the engine works in it too [default: one less than there are processors, at least one]
    #[arg(long, env = "BATON_THREADS", value_name = "COUNT")]
    threads: Option<u32>,
    /// How long events are kept (30d), or how many bytes of them (10GiB); may be given once for each [default: all]
    #[arg(long, env = "BATON_RETAIN", value_name = "AGE|SIZE", value_delimiter = ',', value_parser = retain::parse)]
    retain: Vec<Retain>,
    /// A TOML file with any of the server's settings
    #[arg(long, env = "BATON_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// How log lines look [default: text]
    #[arg(long, env = "BATON_LOG_FORMAT", value_name = "FORMAT", value_parser = one_of::<LogFormat>(&["text", "json"]))]
    log_format: Option<LogFormat>,
    /// The least severe lines that are logged; a level in RUST_LOG does it too [default: info]
    #[arg(long, env = "BATON_LOG_LEVEL", value_name = "LEVEL", value_parser = one_of::<LogLevel>(&LEVELS))]
    log_level: Option<LogLevel>,
    /// Which requests get a line [default: all]
    #[arg(long, env = "BATON_LOG_REQUESTS", value_name = "WHICH", value_parser = one_of::<LogRequests>(&["all", "refused", "none"]))]
    log_requests: Option<LogRequests>,
}

/// The names of the levels of the log.
const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// Runs the command. Returns after SIGTERM or SIGINT, when everything that was answered is durable.
///
/// # Errors
/// The settings cannot work; a port or the folder cannot be used; the log is damaged, or failed.
pub(crate) fn run(args: ServeArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let config = args.config()?;
    config.validate().map_err(ServerError::from)?;
    runtime(&config)?.block_on(serve_until_stopped(config, session))
}

async fn serve_until_stopped(config: Config, session: &mut Session<'_>) -> Result<(), Failure> {
    let metrics = Arc::new(Metrics::new());
    let _writes_what_is_left = logging::install(&config, metrics.log_lines_dropped.clone())
        .map_err(|error| Failure::new(Exit::Failure, "LOGGING", error.to_string()))?;
    allocator::give_back_when_quiet()?;
    open_files::raise_limit();
    let shutdown = Shutdown::new();
    let signals = StopSignals::install()?;
    let stop = shutdown.clone();
    tokio::spawn(async move { signals.forward_to(&stop).await });
    let output = &mut *session.output;
    Ok(serve(config, metrics, shutdown, |ready| tell(ready, output)).await?)
}

/// Tells that the server is ready: in its log, and to programs on stdout.
fn tell(ready: &Ready<'_>, output: &mut Output) {
    let address = |address: Option<std::net::SocketAddr>| address.map(|address| address.to_string());
    let (listen, http) = (address(ready.listen), address(ready.http));
    let (data, log_id) = (ready.config.data.display().to_string(), ready.log_id.to_string());
    let version = env!("CARGO_PKG_VERSION");
    for namespace in ready.recovered {
        tracing::info!(
            namespace = &*namespace.namespace,
            revision = namespace.revision.0,
            oldest_revision = namespace.oldest_revision.0,
            checkpoint = namespace.checkpoint_revision.0,
            duration_us = namespace.took_us,
            "recovered"
        );
    }
    tracing::info!(version, http, data, log_id, "listening on {}", listen.as_deref().unwrap_or_default());
    if !output.is_table() {
        let told =
            json!({ "version": version, "listen": listen, "http": http, "data": data, "log_id": log_id });
        // Whoever started the server may not read this: it serves all the same.
        let _unread = output.json_line(&told);
    }
}

impl ServeArgs {
    fn config(self) -> Result<Config, Failure> {
        let mut config = match &self.config {
            Some(file) => Config::load(file).map_err(ServerError::from)?,
            None => Config::default(),
        };
        replace(&mut config.data, self.data);
        replace(&mut config.listen, self.listen);
        replace(&mut config.log_format, self.log_format);
        replace(&mut config.log_level, self.log_level.or_else(level_of_rust_log));
        replace(&mut config.log_requests, self.log_requests);
        config.http = self.http.or(config.http);
        config.threads = self.threads.or(config.threads);
        let retained = retain::bounds(&self.retain).map_err(Failure::usage)?;
        config.retain_s = retained.age_s.or(config.retain_s);
        config.retain_bytes = retained.bytes.or(config.retain_bytes);
        Ok(config)
    }
}

fn replace<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

/// The level that RUST_LOG sets for everything, if it does: what it says of single targets is for programs that know theirs.
fn level_of_rust_log() -> Option<LogLevel> {
    let directives = std::env::var("RUST_LOG").ok()?;
    directives.split(',').find_map(|directive| word(&directive.trim().to_ascii_lowercase()).ok())
}

/// Parses one of the words that a setting has in the file.
fn one_of<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|text| word(&text))
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::String(text.to_owned()))
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        use baton_log::{OpenError, ReadError};
        use baton_server::engine::OpenEngineError;
        let (exit, reason) = match &error {
            ServerError::Config(_) => (Exit::Usage, "CONFIG"),
            ServerError::Log(
                OpenError::Damaged { .. }
                | OpenError::AnsweredMissing { .. }
                | OpenError::AnsweredUnusable { .. },
            )
            | ServerError::Read(ReadError::Damaged(_))
            | ServerError::Engine(OpenEngineError::PastMissing { .. }) => (Exit::Damaged, "LOG_DAMAGED"),
            ServerError::Bind(_) => (Exit::Failure, "CANNOT_LISTEN"),
            ServerError::LogFailed(_) => (Exit::Failure, "LOG_FAILED"),
            _ => (Exit::Failure, "CANNOT_OPEN_LOG"),
        };
        Self::new(exit, reason, error.to_string())
    }
}
