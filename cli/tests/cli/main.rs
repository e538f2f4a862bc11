//! What the binary promises to the shell: exit codes, stdout and stderr, as a script meets them.
//!
//! Starts the real process, and where a server is needed, that too is the real one.

#[cfg(target_os = "linux")]
mod affinity;
mod demo_and_bench;
mod main_job;
mod open_files;
mod process;
mod proxy;
mod server;
mod serving;
mod states;
mod unreachable;
mod usage;
mod verify_folder;
mod watch_exec;
mod watch_gap;
mod watch_losses;
mod watching;
