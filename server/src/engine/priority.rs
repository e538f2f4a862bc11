//! Lets the calling thread have what processor time the others leave.
//!
//! Knows nothing of what it does with it.

/// Lowers the priority of the calling thread, where one thread's own can be set.
///
/// A checkpoint takes seconds of a processor and nobody waits for it, while the threads beside it answer within a fraction of a millisecond.
/// It still gets a tenth of what one of them gets when all are busy, so that snapshots and the log do not grow for ever.
#[cfg(target_os = "linux")]
pub(super) fn lower() {
    // A tenth of the weight of a thread of the usual priority, 0 (sched(7): each step is a factor of 1.25).
    const NICE: i32 = 10;
    // On Linux this concerns the calling thread alone (setpriority(2), "C library/kernel differences").
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "the thread that writes checkpoints keeps the usual priority");
    }
}

/// Elsewhere a priority is a whole process's.
#[cfg(not(target_os = "linux"))]
pub(super) fn lower() {}
