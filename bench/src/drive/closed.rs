//! The closed loop: each caller sends its next call when it has the answer to the last.

use std::time::Instant;

use tokio::task::JoinSet;

use super::{Caller, Measured, Window};
use crate::failure::Failure;

/// Sends calls from the first `in_flight` of `callers` at once until the window ends.
///
/// # Errors
/// The first call that fails; the callers are gone then.
pub(crate) async fn closed<C: Caller>(
    callers: &mut Vec<C>,
    in_flight: usize,
    window: Window,
) -> Result<Measured, Failure> {
    let mut tasks = JoinSet::new();
    for caller in callers.drain(..in_flight.min(callers.len())) {
        tasks.spawn(call(window, caller));
    }
    let mut total = Measured::new(window.length());
    let mut returned = Vec::with_capacity(in_flight);
    while let Some(ended) = tasks.join_next().await {
        let (of_one, caller) = ended??;
        total.add(&of_one);
        returned.push(caller);
    }
    // Those that have called go on to call: with fewer in flight the next time, they are the ones that are warm.
    returned.append(callers);
    *callers = returned;
    Ok(total)
}

async fn call<C: Caller>(window: Window, mut caller: C) -> Result<(Measured, C), Failure> {
    let mut measured = Measured::new(window.length());
    while Instant::now() < window.end {
        caller.ready().await?;
        let sent = Instant::now();
        let units = caller.send().await?;
        let answered = Instant::now();
        if window.counts(answered) {
            measured.record(units, answered - sent);
        }
    }
    Ok((measured, caller))
}
