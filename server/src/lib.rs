//! The server of Baton.

pub mod clock;
pub mod engine;
