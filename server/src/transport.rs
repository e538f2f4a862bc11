//! Serves gRPC on a listener until it is told to stop, and then ends in bounded time.
//!
//! Owns the connections: limits, probes, drains and cuts them. Drives hyper itself: tonic's own server answers expired calls with CANCELLED,
//! waits for ever for open streams when it stops, and spins when no more files can be opened. Knows nothing of what the services do.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use http::Request;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::metrics::gauge::Gauge;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tonic::body::Body;

use crate::{
    call::Calls,
    config::Config,
    connection::Connection,
    gathering::Gathering,
    listener,
    metrics::Metrics,
    readiness::Readiness,
    request_log::RequestLog,
    routes::Routes,
    rpc::Rpcs,
    shutdown::ShutdownSignal,
    standard_services,
    streams::{self, Begun},
};

/// What one stream may send before it is read, in bytes: a state of 1 MiB and what surrounds it never wait for an update. Fixed, because
/// the library's adaptive window shrinks it.
const STREAM_WINDOW_BYTES: u32 = 2 * 1024 * 1024;

/// What all streams of one connection may send before it is read, in bytes.
const CONNECTION_WINDOW_BYTES: u32 = 8 * 1024 * 1024;

/// Largest headers of one request, in bytes.
const HEADERS_BYTES_MAX: u32 = 16 * 1024;

/// How long a new connection may stay silent.
const FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(10);

/// What gRPC is served with.
#[derive(Debug)]
pub struct Transport {
    /// The services of the contract; health and reflection are added to them.
    pub routes: Routes,
    /// Where calls and connections are counted.
    pub metrics: Arc<Metrics>,
    /// What health reports. Refused by the transport when it stops.
    pub readiness: Readiness,
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were still open at the end of the grace period and were cut.
    pub connections_cut: usize,
    /// How long the stop took.
    pub duration: Duration,
}

impl Transport {
    /// Serves on `listener` until `signal` says that the server is stopping. Then health says NOT_SERVING, no connection is accepted any
    /// more, callers are told to go elsewhere, calls may finish within `stop_grace_s`, and what is left is cut.
    ///
    /// Services end their own streams on the same signal; those of health and reflection are ended here.
    pub async fn serve(self, listener: TcpListener, config: &Config, mut signal: ShutdownSignal) -> Stopped {
        let (routes, health) = standard_services::add_to(self.routes);
        let (draining, drain) = watch::channel(false);
        let calls = Calls {
            routes,
            rpcs: Rpcs::of_contract(&self.metrics),
            log: RequestLog::new(config.log_requests),
            deadline_max: Duration::from_secs(config.request_deadline_s_max.into()),
            draining: drain.clone(),
        };
        let door = Door { calls: Arc::new(calls), config: Arc::new(config.clone()), drain };
        let mut readiness_changes = self.readiness.subscribe();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = signal.stopping() => break,
                Ok(()) = readiness_changes.changed() => health.report(&self.readiness).await,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                (stream, peer) = listener::accept(&listener) => {
                    if connections.len() < config.connections_max as usize {
                        let counted = CountedConnection::new(&self.metrics.connections);
                        connections.spawn(door.clone().serve(stream, peer, counted));
                    } else {
                        self.metrics.connections_refused.inc();
                        tracing::warn!(%peer, max = config.connections_max, "too many connections, closing a new one");
                    }
                }
            }
        }
        let begun = Instant::now();
        drop(listener);
        self.readiness.refuse("the server is stopping");
        health.report(&self.readiness).await;
        draining.send_replace(true);
        let connections_cut = finish(connections, config, signal).await;
        Stopped { connections_cut, duration: begun.elapsed() }
    }
}

/// Waits for the connections to end, cuts what is left when the grace period or the caller's patience is over, and counts that.
async fn finish(mut connections: JoinSet<()>, config: &Config, mut signal: ShutdownSignal) -> usize {
    let grace = Duration::from_secs(config.stop_grace_s.into());
    let all_ended = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        biased;
        () = all_ended => return 0,
        () = tokio::time::sleep(grace) => {}
        () = signal.cutting() => {}
    }
    let cut = connections.len();
    connections.shutdown().await;
    cut
}

fn http2_settings(config: &Config, begun: Begun) -> http2::Builder<Begun> {
    let mut settings = http2::Builder::new(begun);
    settings
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .adaptive_window(false)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .max_concurrent_streams(config.connection_streams_max)
        // A caller whose calls all expire at once cancels as many as it may have open. The library's own 20 would close its connection.
        .max_pending_accept_reset_streams(config.connection_streams_max as usize)
        .keep_alive_interval(Duration::from_secs(config.keepalive_interval_s.into()))
        .keep_alive_timeout(Duration::from_secs(config.keepalive_timeout_s.into()));
    settings
}

/// What every connection is served with.
#[derive(Clone, Debug)]
struct Door {
    calls: Arc<Calls>,
    config: Arc<Config>,
    drain: watch::Receiver<bool>,
}

impl Door {
    /// Serves one connection to its end. After `drain` it takes no more calls and ends with the last.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, _counted: CountedConnection) {
        let Self { calls, config, mut drain } = self;
        let mut draining = pin!(async move {
            // An error means that the server is gone.
            let _ = drain.wait_for(|draining| *draining).await;
        });
        let mut first_byte = [0];
        let spoken = tokio::time::timeout(FIRST_BYTE_TIMEOUT, stream.peek(&mut first_byte));
        tokio::select! {
            biased;
            () = &mut draining => return,
            spoken = spoken => if !matches!(spoken, Ok(Ok(1))) {
                tracing::debug!(%peer, "closing a connection that says nothing");
                return;
            },
        }
        let connection = Connection::new(peer);
        let stream = Gathering::new(stream);
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = calls.answer(Arc::clone(&connection), request.map(Body::new));
            async { Ok::<_, Infallible>(answer.await) }
        });
        let begun = Begun::default();
        let http2 = http2_settings(&config, begun.clone());
        let mut serving = pin!(http2.serve_connection(TokioIo::new(stream), service));
        let mut is_draining = false;
        let serving = poll_fn(|context| {
            if !is_draining && draining.as_mut().poll(context).is_ready() {
                is_draining = true;
                serving.as_mut().graceful_shutdown();
            }
            serving.as_mut().poll(context)
        });
        let ended = streams::drive(serving, begun).await;
        if let Err(error) = ended {
            tracing::debug!(%peer, %error, "a connection broke");
        }
    }
}

/// One in the gauge of connections for as long as it lives.
struct CountedConnection {
    connections: Gauge,
}

impl CountedConnection {
    fn new(connections: &Gauge) -> Self {
        connections.inc();
        Self { connections: connections.clone() }
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.connections.dec();
    }
}
