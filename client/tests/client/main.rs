//! What the client promises about its calls, against a real gRPC server on scripted answers.
//!
//! Knows nothing of what Baton decides: the promises that need both sides are tested with the server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod calls;
mod failover;
mod owner;
mod scripted;
mod watch;
mod watch_gaps;
mod watch_lost;
mod wire;
