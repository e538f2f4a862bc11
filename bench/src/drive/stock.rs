//! Readies callers for a round, all at once: some servers take their time to create what is handed on.

use tokio::task::JoinSet;

use super::Caller;
use crate::failure::Failure;

/// Makes sure that each of the first `count` callers can send `calls` calls.
///
/// # Errors
/// The first of them that fails; the callers are gone then.
pub(crate) async fn stock<C: Caller>(
    callers: &mut Vec<C>,
    count: usize,
    calls: usize,
) -> Result<(), Failure> {
    let mut stocking = JoinSet::new();
    for (place, mut caller) in callers.drain(..count.min(callers.len())).enumerate() {
        stocking.spawn(async move { caller.stock(calls).await.map(|()| (place, caller)) });
    }
    let mut stocked = Vec::with_capacity(count);
    while let Some(ended) = stocking.join_next().await {
        stocked.push(ended??);
    }
    stocked.sort_unstable_by_key(|(place, _)| *place);
    callers.splice(..0, stocked.into_iter().map(|(_, caller)| caller));
    Ok(())
}
