//! Sends the process's log lines to standard error, as text or JSON.
//!
//! Knows formats and levels. Knows nothing of what is logged.

use std::io::{self, IsTerminal as _};

use prometheus_client::metrics::counter::Counter;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, Registry, filter::Targets, layer::SubscriberExt as _};

use crate::{
    config::{Config, LogFormat, LogLevel},
    log_writer::{LogWriter, LogWriterGuard},
    request_format::RequestFormat,
};

/// What the targets of Baton's own lines begin with.
const OWN_TARGETS: &str = "baton";

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The thread that writes could not be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(#[from] io::Error),
    /// The process logs somewhere already.
    #[error("cannot set up logging twice: {0}")]
    Twice(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Logs to standard error from now on, as `config` says. Lines that cannot be written in time are counted in `dropped`. Keep the guard until
/// the end of the process: dropping it writes what is left.
///
/// # Errors
/// [`LoggingError`]; nothing is logged then.
pub fn install(config: &Config, dropped: Counter) -> Result<LogWriterGuard, LoggingError> {
    let stderr = io::stderr();
    let colour = config.log_format == LogFormat::Text && stderr.is_terminal();
    let (writer, guard) = LogWriter::spawn(stderr, dropped)?;
    tracing::subscriber::set_global_default(subscriber(config, writer, colour))?;
    Ok(guard)
}

/// What [`install`] installs, writing to `writer`.
pub fn subscriber(
    config: &Config,
    writer: LogWriter,
    colour: bool,
) -> impl tracing::Subscriber + Send + Sync + 'static {
    let lines = tracing_subscriber::fmt::layer().with_writer(move || writer.clone()).with_ansi(colour);
    let format = config.log_format;
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Text => lines.map_event_format(|others| RequestFormat { format, others }).boxed(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .map_event_format(|others| RequestFormat { format, others })
            .boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter(config.log_level)))
}

/// Below warnings, only Baton's own lines count: the libraries' are many and for their authors.
fn filter(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(own.min(LevelFilter::WARN)).with_target(OWN_TARGETS, own)
}
