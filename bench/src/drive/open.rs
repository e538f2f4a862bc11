//! The open loop: calls are sent at a rate, and the latency of each is counted from when it should have been sent.
//!
//! So a server that stalls is charged for all the calls that waited, not only for those that were on their way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use tokio::{sync::Semaphore, task::JoinSet};

use super::{Caller, Measured, Window, schedule::Schedule};
use crate::failure::Failure;

/// Calls of one open loop, released when they are due.
struct Tickets {
    schedule: Schedule,
    window: Window,
    count: u64,
    // One permit for each call that is due and not yet sent. The timer of the runtime is too coarse to wait for each: a thread releases them.
    released: Semaphore,
    taken: AtomicU64,
}

/// Sends `per_second` calls in each second of the window, warm-up included, from as many callers as there are.
///
/// When all callers wait for answers, calls wait for callers: their latency grows, and the rate that comes out falls behind the one that was
/// asked for, because it counts the time until the last of them was answered.
///
/// # Errors
/// The first call that fails; the callers are gone then.
pub(crate) async fn open<C: Caller>(
    callers: &mut Vec<C>,
    per_second: f64,
    window: Window,
) -> Result<Measured, Failure> {
    let (schedule, count) = (Schedule::new(per_second), calls(per_second, window));
    let tickets =
        Arc::new(Tickets { schedule, window, count, released: Semaphore::new(0), taken: AtomicU64::new(0) });
    let mut tasks = JoinSet::new();
    let crew = callers.len();
    for caller in callers.drain(..) {
        tasks.spawn(call(Arc::clone(&tickets), caller));
    }
    let releasing = tokio::task::spawn_blocking(move || tickets.release(crew));
    let (mut total, mut end) = (Measured::new(window.length()), window.end);
    while let Some(ended) = tasks.join_next().await {
        let (of_one, answered, caller) = ended??;
        total.add(&of_one);
        end = end.max(answered);
        callers.push(caller);
    }
    releasing.await?;
    total.seconds = (end - window.start).as_secs_f64();
    Ok(total)
}

/// Calls that are sent at this rate from the begin of the window, warm-up included, to its end.
pub(crate) fn calls(per_second: f64, window: Window) -> u64 {
    Schedule::new(per_second).count_before(window.end - window.begin)
}

impl Tickets {
    /// Releases each call when it is due, then one more for each caller so that it sees the end.
    fn release(&self, callers: usize) {
        let mut released = 0;
        while released < self.count {
            let due = self.schedule.count_before(self.window.begin.elapsed()).min(self.count);
            self.released.add_permits((due - released) as usize);
            released = due;
            let next = self.window.begin + self.schedule.due(released);
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        self.released.add_permits(callers);
    }

    /// Waits for the next call that is due and returns when that was; `None` at the end.
    async fn take(&self) -> Option<Instant> {
        self.released.acquire().await.ok()?.forget();
        // Never ahead of what was released: there were as many permits as numbers that are taken.
        let index = self.taken.fetch_add(1, Ordering::Relaxed);
        (index < self.count).then(|| self.window.begin + self.schedule.due(index))
    }
}

/// Sends calls as they become due; returns also when the last one that counts was answered.
async fn call<C: Caller>(tickets: Arc<Tickets>, mut caller: C) -> Result<(Measured, Instant, C), Failure> {
    let window = tickets.window;
    let (mut measured, mut last) = (Measured::new(window.length()), window.start);
    loop {
        caller.ready().await?;
        let Some(due) = tickets.take().await else { return Ok((measured, last, caller)) };
        let units = caller.send().await?;
        if window.counts(due) {
            last = Instant::now();
            measured.record(units, last - due);
        }
    }
}
