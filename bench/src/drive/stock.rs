//! Readies callers for a round, many at once: some servers take their time to create what is handed on.

use tokio::task::JoinSet;

use super::Caller;
use crate::failure::Failure;

/// Callers that create at once: their batches fit into a server's queue together.
const AT_ONCE: usize = 32;

/// Makes sure that each of the first `count` callers can send `calls` calls.
///
/// # Errors
/// The first of them that fails; the callers are gone then.
pub(crate) async fn stock<C: Caller>(
    callers: &mut Vec<C>,
    count: usize,
    calls: usize,
) -> Result<(), Failure> {
    let (mut stocking, mut stocked) = (JoinSet::new(), Vec::with_capacity(count));
    for (place, mut caller) in callers.drain(..count.min(callers.len())).enumerate() {
        if stocking.len() >= AT_ONCE {
            stocked.extend(one_of(&mut stocking).await?);
        }
        stocking.spawn(async move { caller.stock(calls).await.map(|()| (place, caller)) });
    }
    while let Some(one) = one_of(&mut stocking).await? {
        stocked.push(one);
    }
    stocked.sort_unstable_by_key(|(place, _)| *place);
    callers.splice(..0, stocked.into_iter().map(|(_, caller)| caller));
    Ok(())
}

/// Waits for one of those that create; `None` if none does.
async fn one_of<T: 'static>(stocking: &mut JoinSet<Result<T, Failure>>) -> Result<Option<T>, Failure> {
    match stocking.join_next().await {
        Some(ended) => Ok(Some(ended??)),
        None => Ok(None),
    }
}
