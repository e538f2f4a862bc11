//! The shell of the server, tested from outside: over sockets, through files, by what callers get to see.
//!
//! Knows nothing of hand-offs; a small service stands where the real ones are mounted.

#![allow(clippy::unwrap_used)]

mod clock;
mod config;
mod deadline;
mod harness;
mod http;
mod listener;
mod log_writer;
mod request_format;
mod request_log;
mod shutdown;
mod standard_services;
mod status;
mod wire;
