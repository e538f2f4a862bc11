//! The tests of the log, as one binary: through its public door only.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archive;
mod checkpoints;
mod contract;
mod faults;
mod folders;
mod segments;
mod sqlite_answered;
mod sqlite_damage;
mod sqlite_folder;
mod sqlite_journal;
mod sqlite_running;
