//! The services of `baton.v1`: they translate, and leave the work to the engine.

mod api;
mod batch;
mod direct;
mod from_wire;
mod handoff;
mod monitor;
mod page;
mod refusal;
mod state;
mod summary;
mod task;
mod to_wire;
mod validation;
mod verification;
mod watch;

pub use api::Api;
