//! Hears when a watch is to end: Ctrl-C, or SIGTERM as service managers send it.
//!
//! Knows nothing of what has to be finished first.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Takes the signals over for as long as the process lives.
pub(super) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// From now on, signals are heard here instead of ending the process.
    ///
    /// # Errors
    /// The system lets nobody listen for signals.
    pub(super) fn install() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns when one of the signals has come; once for each. May be dropped while it waits.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}
