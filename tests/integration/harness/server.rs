//! A server in this process: started on a disk, stopped in order, or seen to end by itself.
//!
//! Knows nothing of what is asked of it.

use std::{net::SocketAddr, sync::Arc};

use baton_log::Plan;
use baton_server::{
    Server, ServerError,
    clock::{Clock, SystemClock},
    config::{Config, LogRequests},
    metrics::Metrics,
    shutdown::Shutdown,
};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{Clients, Disk, in_time};

/// A configuration for tests: the defaults, but nothing is logged and a stop takes little.
pub(crate) fn config() -> Config {
    Config { log_requests: LogRequests::None, stop_grace_s: 5, ..Config::default() }
}

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) metrics: Arc<Metrics>,
    running: JoinHandle<Result<(), ServerError>>,
}

impl TestServer {
    /// On `disk`, as its folder or memory is.
    pub(crate) async fn start(disk: &Disk) -> Self {
        Self::start_with(disk, config()).await
    }

    pub(crate) async fn start_with(disk: &Disk, config: Config) -> Self {
        Self::serve(disk.open(config).expect("the server can be opened")).await
    }

    /// With a log that fails by `plan`.
    pub(crate) async fn start_faulty(disk: &Disk, plan: Plan) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Self::serve(disk.open_with(config(), plan, clock).expect("the server can be opened")).await
    }

    /// Serves what was opened, on a free port.
    pub(crate) async fn serve(server: Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let shutdown = Shutdown::new();
        let metrics = Arc::clone(server.metrics());
        let running = tokio::spawn(server.run(listener, None, shutdown.clone()));
        Self { address, shutdown, metrics, running }
    }

    /// A caller with a connection of its own.
    pub(crate) async fn clients(&self) -> Clients {
        Clients::connect(self.address).await
    }

    /// Stops in order, and expects that it does.
    pub(crate) async fn stop(self) {
        self.shutdown.begin();
        self.ended().await.expect("the server stops in order");
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(self) -> Result<(), ServerError> {
        in_time(self.running).await.expect("the server does not panic")
    }
}
