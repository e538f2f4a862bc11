//! The server's configuration: every bound with its unit, its default and its limits.
//!
//! All of it is parsed and checked before anything is opened or bound. Knows nothing of what the values do.

use std::{
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// One mebibyte.
const MIB: u64 = 1024 * 1024;

/// Longest age of events that can be set, in seconds: 100 years.
const RETAIN_S_MAX: u64 = 3_153_600_000;

/// Everything that can be set. Each field may be left out of the file; unknown ones are refused.
///
/// Units stand last in the names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The folder of the log, made if it is missing. Default: `./baton-data`.
    pub data: PathBuf,
    /// Where gRPC is served, `HOST:PORT`; port 0 takes a free one. There is neither TLS nor authentication, so the default is
    /// `127.0.0.1:7420`.
    pub listen: String,
    /// Where metrics and probes are served over HTTP, `HOST:PORT`. Default: nowhere.
    pub http: Option<String>,
    /// Threads that serve the connections; with one, the engine works in it too. 1 to 1,024. Default: one less than there are processors, which
    /// is left to the engine, the log and the checkpoints; at least one.
    pub threads: Option<u32>,
    /// Largest log, in bytes; a full one takes no more commands. At least 1 MiB. Default: as large as the disk allows.
    pub log_size_bytes_max: Option<u64>,
    /// How long events are kept, in seconds. 1 to 3,153,600,000 (100 years). Default: for ever.
    pub retain_s: Option<u64>,
    /// How many bytes of events are kept, as the log encodes them, of all namespaces together; the oldest go first. At least 64 KiB.
    /// Default: all.
    pub retain_bytes: Option<u64>,
    /// How often it is looked whether events are to go, in milliseconds. 10 to 3,600,000; default 10,000.
    pub retain_interval_ms: u32,
    /// Events between two checkpoints of the state. 100 to 100,000,000; default 100,000.
    pub checkpoint_events: u64,
    /// Commands that may wait for the engine. 1 to 1,000,000; default 4,096.
    pub queue_commands_max: u32,
    /// Commands in one commit. 1 to 65,536 and no more than may wait; default 1,024.
    pub batch_commands_max: u32,
    /// Largest message of a caller, in bytes. 64 KiB to 64 MiB; default 4 MiB.
    pub message_bytes_max: u32,
    /// Connections at once; more are closed as they come. 1 to 1,000,000; default 10,000.
    pub connections_max: u32,
    /// Calls at once on one connection. 1 to 65,536; default 1,024.
    pub connection_streams_max: u32,
    /// Silence on a connection after which it is probed, in seconds. 1 to 7,200; default 30.
    pub keepalive_interval_s: u32,
    /// How long a probed connection may take to answer, in seconds. 1 to 600; default 20.
    pub keepalive_timeout_s: u32,
    /// How long calls may take to end once the server is stopping, in seconds. 0 to 600; default 10.
    pub stop_grace_s: u32,
    /// Longest deadline of a call with one answer, in seconds; also for calls that have none. 1 to 3,600; default 60.
    pub request_deadline_s_max: u32,
    /// Request ids that a namespace remembers. 1,000 to 100,000,000; default 1,000,000.
    pub request_memory_count_max: u32,
    /// How long a request id is remembered, in seconds. 60 to 31,536,000 (a year); default 86,400.
    pub request_memory_s_max: u32,
    /// Namespaces. 1 to 1,000,000; default 1,000.
    pub namespaces_max: u32,
    /// Watches at once, over all connections. 1 to 1,000,000; default 10,000.
    pub watchers_max: u32,
    /// Watches at once on one connection. 1 to 65,536 and no more than all watches; default 256.
    pub watchers_per_connection_max: u32,
    /// How log lines look: `text` (default) or `json`.
    pub log_format: LogFormat,
    /// The least severe lines that are logged: `error`, `warn`, `info` (default), `debug`, `trace`.
    pub log_level: LogLevel,
    /// Which requests get a line: `all` (default), `refused`, `none`.
    pub log_requests: LogRequests,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How severe a line must be to be logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// And what may soon.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And how.
    Debug,
    /// And every step of it.
    Trace,
}

/// Which requests get a line in the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogRequests {
    /// Every one.
    #[default]
    All,
    /// Those that did not end with OK.
    Refused,
    /// None.
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./baton-data"),
            listen: "127.0.0.1:7420".to_owned(),
            http: None,
            threads: None,
            log_size_bytes_max: None,
            retain_s: None,
            retain_bytes: None,
            retain_interval_ms: 10_000,
            checkpoint_events: 100_000,
            queue_commands_max: 4_096,
            batch_commands_max: 1_024,
            message_bytes_max: 4 * MIB as u32,
            connections_max: 10_000,
            connection_streams_max: 1_024,
            keepalive_interval_s: 30,
            keepalive_timeout_s: 20,
            stop_grace_s: 10,
            request_deadline_s_max: 60,
            request_memory_count_max: 1_000_000,
            request_memory_s_max: 86_400,
            namespaces_max: 1_000,
            watchers_max: 10_000,
            watchers_per_connection_max: 256,
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
            log_requests: LogRequests::default(),
        }
    }
}

/// Why there is no usable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML, has an unknown field or a value of the wrong type.
    #[error("cannot use the configuration {}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        message: String,
    },
    /// Values are out of bounds.
    #[error("the configuration cannot work: {}", reasons.join("; "))]
    Invalid {
        /// One for each rule that is broken.
        reasons: Vec<String>,
    },
}

impl Config {
    /// Reads the TOML file at `path`. Its values are not checked yet: see [`Config::validate`].
    ///
    /// # Errors
    /// [`ConfigError::Read`] and [`ConfigError::Parse`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })
    }

    /// Checks every value and every rule between two of them.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with a reason for each broken rule, all at once; each names the field, its value and the bound.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut reasons = Vec::new();
        self.check_places(&mut reasons);
        self.check_ranges(&mut reasons);
        self.check_pairs(&mut reasons);
        if reasons.is_empty() { Ok(()) } else { Err(ConfigError::Invalid { reasons }) }
    }

    fn check_places(&self, reasons: &mut Vec<String>) {
        if self.data.as_os_str().is_empty() {
            reasons.push("data is empty: it must name a folder".to_owned());
        }
        check_address("listen", &self.listen, reasons);
        if let Some(http) = &self.http {
            check_address("http", http, reasons);
            if *http == self.listen && !http.ends_with(":0") {
                reasons.push(format!(
                    "http is {http:?}, which listen takes already: it must have a port of its own"
                ));
            }
        }
    }

    fn check_ranges(&self, reasons: &mut Vec<String>) {
        let ranges: [(&str, u64, RangeInclusive<u64>); 20] = [
            ("threads", self.threads.unwrap_or(1).into(), 1..=1_024),
            ("log_size_bytes_max", self.log_size_bytes_max.unwrap_or(u64::MAX), MIB..=u64::MAX),
            ("retain_s", self.retain_s.unwrap_or(RETAIN_S_MAX), 1..=RETAIN_S_MAX),
            ("retain_bytes", self.retain_bytes.unwrap_or(u64::MAX), 64 * 1024..=u64::MAX),
            ("retain_interval_ms", self.retain_interval_ms.into(), 10..=3_600_000),
            ("checkpoint_events", self.checkpoint_events, 100..=100_000_000),
            ("queue_commands_max", self.queue_commands_max.into(), 1..=1_000_000),
            ("batch_commands_max", self.batch_commands_max.into(), 1..=65_536),
            ("message_bytes_max", self.message_bytes_max.into(), 64 * 1024..=64 * MIB),
            ("connections_max", self.connections_max.into(), 1..=1_000_000),
            ("connection_streams_max", self.connection_streams_max.into(), 1..=65_536),
            ("keepalive_interval_s", self.keepalive_interval_s.into(), 1..=7_200),
            ("keepalive_timeout_s", self.keepalive_timeout_s.into(), 1..=600),
            ("stop_grace_s", self.stop_grace_s.into(), 0..=600),
            ("request_deadline_s_max", self.request_deadline_s_max.into(), 1..=3_600),
            ("request_memory_count_max", self.request_memory_count_max.into(), 1_000..=100_000_000),
            ("request_memory_s_max", self.request_memory_s_max.into(), 60..=31_536_000),
            ("namespaces_max", self.namespaces_max.into(), 1..=1_000_000),
            ("watchers_max", self.watchers_max.into(), 1..=1_000_000),
            ("watchers_per_connection_max", self.watchers_per_connection_max.into(), 1..=65_536),
        ];
        for (field, value, bounds) in ranges {
            if value < *bounds.start() {
                reasons.push(format!("{field} is {value}: it must be at least {}", bounds.start()));
            } else if value > *bounds.end() {
                reasons.push(format!("{field} is {value}: it must be at most {}", bounds.end()));
            }
        }
    }

    fn check_pairs(&self, reasons: &mut Vec<String>) {
        let pairs = [
            ("batch_commands_max", self.batch_commands_max, "queue_commands_max", self.queue_commands_max),
            (
                "watchers_per_connection_max",
                self.watchers_per_connection_max,
                "watchers_max",
                self.watchers_max,
            ),
        ];
        for (field, value, bound_field, bound) in pairs {
            if value > bound {
                reasons
                    .push(format!("{field} is {value}: it must be at most {bound_field}, which is {bound}"));
            }
        }
    }
}

/// Checks the shape of `HOST:PORT`; whether the host exists shows when it is bound.
fn check_address(field: &str, address: &str, reasons: &mut Vec<String>) {
    let well_formed = address.rsplit_once(':').is_some_and(|(host, port)| {
        let host_fits = !host.is_empty()
            && host.len() <= 253
            && !host.contains(|character: char| character.is_whitespace() || character == '/')
            // An IPv6 address is told from its port by brackets alone.
            && (!host.contains(':') || (host.starts_with('[') && host.ends_with(']')));
        host_fits && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()
    });
    if !well_formed {
        reasons.push(format!(
            "{field} is {address:?}: it must be HOST:PORT with a port of 0 to 65535, like 127.0.0.1:7420 or [::1]:7420"
        ));
    }
}
