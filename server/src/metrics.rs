//! Counts what the server does, for Prometheus.
//!
//! Hands out handles that cost an atomic add or a short lock on the hot path. Knows nothing of HTTP and nothing of who counts.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use baton_core::HandoffStatus;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use tonic::Code;

/// The media type of what [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of request durations, in seconds: from a read in memory to the longest deadline.
const REQUEST_SECONDS: [f64; 17] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0, 60.0,
];

/// Bounds of append durations, in seconds: from a fast disk's fsync to a disk that is failing.
const APPEND_SECONDS: [f64; 14] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Bounds of the number of commands in one commit.
const COMMIT_COMMANDS: [f64; 13] =
    [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0, 4_096.0, 65_536.0];

/// How many status codes gRPC has, with OK.
const CODES: usize = 17;

/// How many counters of hand-offs there are.
const HANDOFF_STATUSES: usize = HandoffStatus::ALL.len();

/// Everything that is counted. The fields are handles: a clone counts into the same place.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_duration: Family<RpcLabels, Histogram, fn() -> Histogram>,
    handoffs: [Counter; HANDOFF_STATUSES],
    head_revision: Family<NamespaceLabels, Gauge>,
    log_oldest_revision: Family<NamespaceLabels, Gauge>,
    archived_tasks: Family<NamespaceLabels, Gauge>,
    /// Commands that wait for the engine.
    pub queue_commands: Gauge,
    /// Commands whose record is durable.
    pub commands_committed: Counter,
    /// Times that the log was made durable: one fsync each in the embedded log.
    pub commits: Counter,
    /// Commits that were followed by a pause because checkpoints were behind.
    pub commits_slowed: Counter,
    /// Commands in one commit.
    pub commit_commands: Histogram,
    /// How long one append took with its fsync, in seconds.
    pub append_duration: Histogram,
    /// Watches that are open.
    pub watchers: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were closed as they came because there were too many.
    pub connections_refused: Counter,
    /// Log lines that were dropped because standard error did not take them fast enough.
    pub log_lines_dropped: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    rpc: String,
    code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RpcLabels {
    rpc: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    status: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct NamespaceLabels {
    namespace: String,
}

impl Metrics {
    /// Registers everything at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("baton");
        let requests = Family::default();
        registry.register("requests", "Calls that have ended, by rpc and status code", requests.clone());
        let request_duration: Family<RpcLabels, Histogram, fn() -> Histogram> =
            Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS));
        registry.register_with_unit(
            "request_duration",
            "How long calls took, by rpc; streams are left out",
            Unit::Seconds,
            request_duration.clone(),
        );
        let handoffs = register_handoffs(&mut registry);
        let head_revision = Family::default();
        registry.register(
            "head_revision",
            "The newest durable revision, by namespace",
            head_revision.clone(),
        );
        let log_oldest_revision = Family::default();
        registry.register(
            "log_oldest_revision",
            "The oldest revision that the log has, by namespace; one more than the newest if it has none",
            log_oldest_revision.clone(),
        );
        let archived_tasks = Family::default();
        registry.register(
            "archived_tasks",
            "Finished tasks that are not in memory, by namespace; left out where all are",
            archived_tasks.clone(),
        );
        let append_duration = Histogram::new(APPEND_SECONDS);
        registry.register_with_unit(
            "append_duration",
            "How long an append to the log took, with its fsync",
            Unit::Seconds,
            append_duration.clone(),
        );
        let commit_commands = Histogram::new(COMMIT_COMMANDS);
        registry.register("commit_commands", "Commands in one commit", commit_commands.clone());
        let counter = |registry: &mut Registry, name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let gauge = |registry: &mut Registry, name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Self {
            requests,
            request_duration,
            handoffs,
            head_revision,
            log_oldest_revision,
            archived_tasks,
            queue_commands: gauge(&mut registry, "queue_commands", "Commands that wait for the engine"),
            commands_committed: counter(
                &mut registry,
                "commands_committed",
                "Commands whose record is durable",
            ),
            commits: counter(&mut registry, "commits", "Times that the log was made durable"),
            commits_slowed: counter(
                &mut registry,
                "commits_slowed",
                "Commits that were followed by a pause because checkpoints were behind",
            ),
            commit_commands,
            append_duration,
            watchers: gauge(&mut registry, "watchers", "Watches that are open"),
            connections: gauge(&mut registry, "connections", "Connections that are open"),
            connections_refused: counter(
                &mut registry,
                "connections_refused",
                "Connections that were closed as they came because there were too many",
            ),
            log_lines_dropped: counter(
                &mut registry,
                "log_lines_dropped",
                "Log lines that standard error did not take fast enough",
            ),
            registry,
        }
    }

    /// The handles of one rpc. They live as long as the rpc is served: ask once, not for every request.
    pub fn rpc(self: &Arc<Self>, name: &str) -> RpcMetrics {
        RpcMetrics {
            metrics: Arc::clone(self),
            rpc: name.to_owned(),
            requests: Default::default(),
            duration: OnceLock::new(),
        }
    }

    /// The hand-offs that have come to `status`.
    pub fn handoffs(&self, status: HandoffStatus) -> &Counter {
        &self.handoffs[status as usize]
    }

    /// The newest durable revision of one namespace. Ask once for each namespace, not for every commit.
    pub fn head_revision(&self, namespace: &str) -> Gauge {
        self.head_revision.get_or_create_owned(&NamespaceLabels { namespace: namespace.to_owned() })
    }

    /// The finished tasks of a namespace that are not in memory.
    pub fn archived_tasks(&self, namespace: &str) -> Gauge {
        self.archived_tasks.get_or_create_owned(&NamespaceLabels { namespace: namespace.to_owned() })
    }

    /// The oldest revision that the log of a namespace has.
    pub fn log_oldest_revision(&self, namespace: &str) -> Gauge {
        self.log_oldest_revision.get_or_create_owned(&NamespaceLabels { namespace: namespace.to_owned() })
    }

    /// Writes everything in the OpenMetrics text format, which Prometheus reads.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.registry).expect("a String takes whatever is written to it");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn register_handoffs(registry: &mut Registry) -> [Counter; HANDOFF_STATUSES] {
    let family = Family::<OutcomeLabels, Counter>::default();
    registry.register("handoffs", "Hand-offs that have come to a status", family.clone());
    HandoffStatus::ALL.map(|status| family.get_or_create_owned(&OutcomeLabels { status: status.to_string() }))
}

/// The handles of one rpc. Series appear once there is something to count.
pub struct RpcMetrics {
    metrics: Arc<Metrics>,
    rpc: String,
    requests: [OnceLock<Counter>; CODES],
    duration: OnceLock<Histogram>,
}

impl RpcMetrics {
    /// Counts one call that has ended with `code`. `duration` is left out for streams, whose length says nothing.
    pub fn observe(&self, code: Code, duration: Option<Duration>) {
        let counter = self.requests[code as usize].get_or_init(|| {
            let labels = RequestLabels { rpc: self.rpc.clone(), code: code_name(code) };
            self.metrics.requests.get_or_create_owned(&labels)
        });
        counter.inc();
        if let Some(duration) = duration {
            let histogram = self.duration.get_or_init(|| {
                self.metrics.request_duration.get_or_create_owned(&RpcLabels { rpc: self.rpc.clone() })
            });
            histogram.observe(duration.as_secs_f64());
        }
    }
}

impl fmt::Debug for RpcMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RpcMetrics").field("rpc", &self.rpc).finish_non_exhaustive()
    }
}

/// The name of a status code as the gRPC documents write it: `NOT_FOUND`.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
