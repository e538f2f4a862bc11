//! Keeps the addresses of the servers, and which of them is asked now.
//!
//! Knows nothing of calls or of why an endpoint is left. Channels are made on first use: making one needs a running Tokio.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tonic::{
    codegen::http::uri::Authority,
    transport::{Channel, Endpoint, Uri},
};

/// Longest time that connecting to one endpoint may take, so that a dead address leaves time for the others.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How often a connection with calls or watches on it is asked whether it is alive.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// How long a connection may take to say that it is alive.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// One server: how it is reached, and the channel once there is one.
#[derive(Debug)]
struct Server {
    endpoint: Option<Endpoint>,
    address: Arc<str>,
    channel: OnceLock<Channel>,
}

/// The servers of one client, at least one.
#[derive(Debug)]
pub(crate) struct Endpoints {
    servers: Vec<Server>,
    // Only a hint which server to ask first, so relaxed ordering is enough.
    current: AtomicUsize,
}

/// The server that an attempt goes to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) index: usize,
    pub(crate) channel: Channel,
    pub(crate) address: Arc<str>,
}

/// Endpoints that are still being named.
#[derive(Debug, Default)]
pub(crate) struct EndpointsBuilder {
    servers: Vec<Server>,
}

impl EndpointsBuilder {
    /// Adds an address such as `http://127.0.0.1:7420`; says what is wrong with it if it is none.
    pub(crate) fn address(&mut self, address: &str) -> Result<(), String> {
        let endpoint = parse(address)?;
        let address = Arc::from(address);
        self.servers.push(Server { endpoint: Some(endpoint), address, channel: OnceLock::new() });
        Ok(())
    }

    /// Adds a channel that was made elsewhere.
    pub(crate) fn channel(&mut self, channel: Channel) {
        let address = Arc::from(format!("channel {}", self.servers.len() + 1));
        self.servers.push(Server { endpoint: None, address, channel: OnceLock::from(channel) });
    }

    /// Returns the endpoints; if none was added, only the one at `fallback`, a valid address.
    pub(crate) fn build_or(mut self, fallback: &str) -> Endpoints {
        if self.servers.is_empty() {
            self.address(fallback).expect("the default address is valid");
        }
        Endpoints { servers: self.servers, current: AtomicUsize::new(0) }
    }
}

/// Checks an address. A bare `host:port` is taken as `http://host:port`.
fn parse(address: &str) -> Result<Endpoint, String> {
    let uri = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    if uri.starts_with("https://") {
        return Err(format!("`{address}` asks for TLS, which this client does not speak: use http://"));
    }
    let not_an_address = || format!("`{address}` is not an address such as http://127.0.0.1:7420");
    let endpoint = Endpoint::from_shared(uri).map_err(|error| format!("{}: {error}", not_an_address()))?;
    let has_host = endpoint.uri().host().is_some_and(|host| !host.is_empty());
    if endpoint.uri().scheme_str() != Some("http") || !has_host || !port_fits(endpoint.uri()) {
        return Err(not_an_address());
    }
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .tcp_nodelay(true))
}

/// Whether the port is a number that a port can have, if there is one: a malformed one would be taken for none.
fn port_fits(uri: &Uri) -> bool {
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    !after_host.contains(':') || uri.port_u16().is_some()
}

impl Server {
    fn channel(&self) -> Channel {
        let endpoint = self.endpoint.as_ref();
        self.channel
            .get_or_init(|| {
                endpoint.expect("a server without endpoint was made with its channel").connect_lazy()
            })
            .clone()
    }
}

impl Endpoints {
    /// The endpoint to ask now.
    pub(crate) fn current(&self) -> Target {
        let index = self.current.load(Ordering::Relaxed);
        let server = &self.servers[index];
        Target { index, channel: server.channel(), address: Arc::clone(&server.address) }
    }

    /// Leaves the endpoint `failed` for the next one, unless another call has done so already.
    pub(crate) fn leave(&self, failed: usize) {
        let next = (failed + 1) % self.servers.len();
        // Losing the race means that someone else moved on from the same endpoint: nothing is left to do.
        let _ = self.current.compare_exchange(failed, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// How many endpoints there are.
    pub(crate) fn len(&self) -> usize {
        self.servers.len()
    }
}
