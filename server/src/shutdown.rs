//! Tells everyone that the server is stopping, and whether there is still time.
//!
//! Knows the two steps of a stop and the signals that ask for them. Knows nothing of who listens.

use std::io;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How far a stop has come. Goes one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    Stopping,
    Cutting,
}

/// Starts a stop. Its clones act on the same server.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: watch::Sender<Phase>,
}

/// Shows whether the server is stopping. Streams hold one and end themselves when it says so.
#[derive(Clone, Debug)]
pub struct ShutdownSignal {
    phase: watch::Receiver<Phase>,
}

impl Shutdown {
    /// For a server that is running.
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Running) }
    }

    /// Asks for an orderly stop: no new connections, streams end, calls may finish within the grace period.
    pub fn begin(&self) {
        self.advance(Phase::Stopping);
    }

    /// Ends the grace period: what is still open is cut.
    pub fn cut(&self) {
        self.advance(Phase::Cutting);
    }

    /// A view for those who must know.
    pub fn signal(&self) -> ShutdownSignal {
        ShutdownSignal { phase: self.phase.subscribe() }
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let advances = to > *phase;
            *phase = to.max(*phase);
            advances
        });
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl ShutdownSignal {
    /// Whether a stop has begun.
    pub fn is_stopping(&self) -> bool {
        *self.phase.borrow() >= Phase::Stopping
    }

    /// Waits for a stop to begin; returns at once if it has. Also returns if every [`Shutdown`] is gone: nobody is left to run for.
    pub async fn stopping(&mut self) {
        self.reached(Phase::Stopping).await;
    }

    /// Waits for the end of the grace period, as [`ShutdownSignal::stopping`] does for its beginning.
    pub async fn cutting(&mut self) {
        self.reached(Phase::Cutting).await;
    }

    async fn reached(&mut self, wanted: Phase) {
        // An error means that the sender is gone, which ends the wait too.
        let _ = self.phase.wait_for(|phase| *phase >= wanted).await;
    }
}

/// The signals that stop the server. From here on they no longer end the process by themselves.
#[derive(Debug)]
pub struct StopSignals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignals {
    /// Takes SIGTERM and SIGINT over.
    ///
    /// # Errors
    /// What the system says if it does not let them be taken.
    pub fn install() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Turns the first signal into an orderly stop and the second into the end of its grace period. Returns after the second.
    pub async fn forward_to(mut self, shutdown: &Shutdown) {
        let name = self.next().await;
        tracing::info!("{name} received, stopping; a second one cuts open calls");
        shutdown.begin();
        let name = self.next().await;
        tracing::warn!("{name} received again, cutting open calls");
        shutdown.cut();
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
