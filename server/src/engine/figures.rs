//! What the engine counts. Counters only grow; they start at 0 with the process.

use std::sync::atomic::AtomicU64;

/// The engine's counters.
#[derive(Debug, Default)]
pub struct EngineFigures {
    /// Commands that were recorded.
    pub commands: AtomicU64,
    /// Appends to the log: one fsync each in the embedded log.
    pub commits: AtomicU64,
    /// Hand-offs that were completed.
    pub handoffs_completed: AtomicU64,
    /// Hand-offs that failed.
    pub handoffs_failed: AtomicU64,
    /// Hand-offs that the rules refused.
    pub handoffs_rejected: AtomicU64,
    /// Time spent in appends, in microseconds.
    pub append_us: AtomicU64,
    /// Bytes of record bodies.
    pub bytes: AtomicU64,
}
