//! A server in this process, on a folder that goes with it: for commands that must not touch anyone's data.
//!
//! The real server, spoken to through real gRPC on loopback. Knows nothing of what it is used for.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use baton_server::{Server, ServerError, config::Config, runtime, shutdown::Shutdown};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
};

use crate::{exit::Exit, failure::Failure};

/// A running server. Stop it: a folder that is only dropped goes while the server still writes.
pub(crate) struct LocalServer {
    address: String,
    shutdown: Shutdown,
    served: JoinHandle<Result<(), ServerError>>,
    /// As `baton serve` has it; there until this is dropped.
    runtime: Option<Runtime>,
    // Removed when dropped, with all that is in it.
    _folder: TempDir,
}

impl LocalServer {
    /// Starts a server on a free port, with its log in a new folder in `parent`.
    ///
    /// # Errors
    /// The folder cannot be made, or the server cannot start.
    pub(crate) async fn start(parent: &Path) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix(".baton-").tempdir_in(parent).map_err(|error| {
            Failure::usage(format!("cannot make a folder in {}: {error}", parent.display()))
                .hint("name a folder that can be written with --data")
        })?;
        let config = Config { data: folder.path().to_owned(), ..Config::default() };
        let runtime = runtime(&config)?;
        let listener =
            runtime.spawn(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await.map_err(stopped)??;
        let address = format!("http://{}", listener.local_addr()?);
        let server =
            runtime.spawn_blocking(|| Server::open(config, Arc::default())).await.map_err(stopped)??;
        let shutdown = Shutdown::new();
        let served = runtime.spawn(server.run(listener, None, shutdown.clone()));
        Ok(Self { address, shutdown, served, runtime: Some(runtime), _folder: folder })
    }

    /// Where it listens, as `http://host:port`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Stops it in order, and removes its folder.
    ///
    /// # Errors
    /// Its log had failed.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.shutdown.begin();
        Ok((&mut self.served).await.map_err(stopped)??)
    }
}

impl Drop for LocalServer {
    /// A runtime must not be waited for by a task of another.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Does `work`, which runs on a local server, unless Ctrl-C comes first: then too the server's folder is removed.
///
/// # Errors
/// That of `work`, or that it was interrupted.
pub(crate) async fn unless_interrupted(
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(Failure::new(Exit::Failure, "INTERRUPTED", "interrupted")),
    }
}

fn stopped(error: tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Failure, "INTERNAL", format!("the server in this process stopped: {error}"))
}
