//! A fixed number of calls, as fast as answers come.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Caller, stock};
use crate::failure::Failure;

/// Sends `calls` calls from each of `callers`, all of them at once, and returns how long that took.
///
/// # Errors
/// The first call that fails; the callers are gone then.
pub(crate) async fn fixed<C: Caller>(callers: &mut Vec<C>, calls: usize) -> Result<Duration, Failure> {
    let count = callers.len();
    stock(callers, count, calls).await?;
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for mut caller in callers.drain(..) {
        tasks.spawn(async move {
            for _ in 0..calls {
                caller.ready().await?;
                caller.send().await?;
            }
            Ok::<_, Failure>(caller)
        });
    }
    while let Some(ended) = tasks.join_next().await {
        callers.push(ended??);
    }
    Ok(begun.elapsed())
}
