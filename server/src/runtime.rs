//! The runtime that a server's connections are served on.

use std::{io, thread};

use tokio::runtime::{Builder, Runtime};

use crate::config::Config;

/// A runtime with as many threads as `config` says.
///
/// # Errors
/// The system has no thread left, or no way to wait for sockets.
pub fn runtime(config: &Config) -> io::Result<Runtime> {
    let threads = config.threads.map_or_else(threads_by_default, |threads| threads as usize);
    Builder::new_multi_thread().worker_threads(threads).enable_all().build()
}

/// One processor is left to the engine, the log and the checkpoints.
fn threads_by_default() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_sub(1).max(1)
}
