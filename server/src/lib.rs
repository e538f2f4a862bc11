//! The server of Baton: what stands between the wire and the log.
//!
//! Knows gRPC, HTTP and configuration, and how commands become durable. Knows nothing of the rules of hand-offs: `baton-core` does.

mod call;
mod call_body;
pub mod clock;
pub mod config;
pub mod connection;
pub mod deadline;
pub mod engine;
mod gathering;
pub mod http;
pub mod listener;
mod log_time;
pub mod log_writer;
pub mod logging;
pub mod metrics;
pub mod open_files;
mod own_body;
pub mod readiness;
mod request_format;
pub mod request_log;
pub mod routes;
pub mod rpc;
mod runtime;
mod server;
pub mod service;
pub mod shutdown;
mod standard_services;
pub mod status;
mod streams;
pub mod transport;
mod wire_refusal;

pub use call::Call;
pub use runtime::runtime;
pub use server::{Ready, Server, ServerError, serve};
