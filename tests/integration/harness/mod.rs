//! Starts, stops and restarts real servers, and speaks to them through generated clients.
//!
//! Knows nothing of what is tested.

mod asks;
mod clients;
mod disk;
mod gate;
mod process;
mod refused;
mod seeds;
mod server;
mod shown;

use std::{future::Future, time::Duration};

pub(crate) use self::{
    asks::{context, create, hand_off, object, start, state},
    clients::{Clients, events_until},
    disk::Disk,
    gate::Gate,
    process::ServerProcess,
    refused::Refused,
    seeds::seed,
    server::{TestServer, config},
    shown::show,
};

/// Longest wait for something that should happen soon; the tests fail rather than hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits for `future`, but not for ever.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("it takes far too long")
}
