//! A log that fails: nothing that was not durable was answered or seen, and what was answered is there after the restart.

mod altered;
mod durable_first;
mod failing;
mod overlapped;
mod random_runs;
mod reads_go_on;
mod writer;
