//! The tests of the core, as one binary: through its public door only.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod namespace;
mod plain;
mod promises;
mod random;
mod words;
