//! The allocator of the whole program, and what it needs to give back memory that is not used any more.
//!
//! Most allocations of the server are small, and freed by another thread than the one that made them: the system's allocator takes locks for
//! those.

use std::{hint::black_box, io, thread, time::Duration};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is free for a second is given back, but only while something is being freed that had pages of its own.
const INTERVAL: Duration = Duration::from_secs(1);
/// More than mimalloc puts beside others, and nothing that is ever touched.
const OWN_PAGES_BYTES: usize = 8 * 1024 * 1024;

/// Has what is free given back to the system also where the server has become quiet, by a thread of its own, for as long as the process lives.
/// Hundreds of MiB may be left of a busy time, and giving those back takes a while.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn give_back_when_quiet() -> io::Result<()> {
    let give_back = || {
        loop {
            thread::sleep(INTERVAL);
            drop(black_box(Vec::<u8>::with_capacity(OWN_PAGES_BYTES)));
        }
    };
    thread::Builder::new().name("baton-allocator".into()).spawn(give_back).map(drop)
}
