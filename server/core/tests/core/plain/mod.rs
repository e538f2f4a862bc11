//! A second, plain telling of the rules of hand-offs, to hold against the core.
//!
//! Knows nothing of the core: shares no type and no code with it, copies where the core shares, and remembers all.

pub(crate) mod handoffs;
pub(crate) mod mistake;
pub(crate) mod op;
pub(crate) mod reply;
pub(crate) mod rules;
pub(crate) mod states;
pub(crate) mod tasks;
pub(crate) mod value;
pub(crate) mod world;
