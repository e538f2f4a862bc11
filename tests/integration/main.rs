//! What Baton promises to those who call it, kept through real gRPC, real folders and real crashes.
//!
//! One binary, so that everything is linked once. Each file is one subject; `harness` starts and ends servers.

mod archive;
mod bad_input;
mod batches;
mod checkpoints;
mod crash;
mod end_to_end;
mod error_reasons;
mod full_log;
mod harness;
mod log_faults;
mod namespaces;
mod one_thread;
mod paging;
mod races;
mod refused_starts;
mod request_ids;
mod restart;
mod retention;
mod segments;
mod states_over_time;
mod stopping;
mod summaries;
mod watch_runs;
mod watching;
