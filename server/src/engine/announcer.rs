//! Tells the watchers of a namespace that there is something new: one task for all of them, so that the engine wakes one and not thousands.
//!
//! At once after a pause, and under load at a pace that grows with the number of those who are woken: they then get fewer and larger messages,
//! and waking them takes no more than a fixed share of a core. Who has a filter that wants nothing of what is new is not woken.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::sleep;

use super::{interests::look, namespaces::Kept, recent::Presentation};

/// What is granted for each watcher that is woken between two announcements: a few times what it takes to wake one and to write to it.
const PACE_PER_WATCHER: Duration = Duration::from_micros(10);
/// For each watcher beyond so many, twice that: then hand-offs keep most of the machine however many watch, and a crowd hears of them some
/// milliseconds later.
const CROWD: u32 = 100;
/// A shorter pause is none: timers are no finer.
const PACE_MIN: Duration = Duration::from_millis(1);
/// However many watchers are woken, they hear of something new within this time.
const PACE_MAX: Duration = Duration::from_millis(50);

/// Starts to announce what happens in `namespace` to those who have subscribed, unless that is being done. Filters look at events as they are
/// presented.
pub(super) fn start(namespace: &Kept, presentation: &'static Presentation) {
    if !namespace.announcing.swap(true, Ordering::SeqCst) {
        tokio::spawn(announce(namespace.clone(), presentation));
    }
}

/// Announces until nobody listens any more.
async fn announce(namespace: Kept, presentation: &'static Presentation) {
    let mut head = namespace.head.subscribe();
    while !is_over(&namespace) {
        let newest = *head.borrow_and_update();
        let unfiltered = namespace.announced.receiver_count().saturating_sub(namespace.interests().len());
        // Before it is announced, so that whoever knows of it passes over what does not concern it; woken after, or it would not find it.
        let called = look(&namespace, presentation, newest, unfiltered > 0).await;
        namespace.announced.send_if_modified(|announced| {
            let is_new = *announced < newest;
            *announced = newest;
            is_new
        });
        let woken = unfiltered + called.len();
        called.wake();
        if let Some(pause) = pace(woken) {
            sleep(pause).await;
        }
        tokio::select! {
            // The sender lives in the namespace, which is kept.
            _ = head.changed() => {}
            () = namespace.announced.closed() => {}
        }
    }
}

/// Whether nobody listens; whoever comes then starts a task anew. Somebody may come in between: then one of the two goes on.
fn is_over(namespace: &Kept) -> bool {
    let nobody = || namespace.announced.receiver_count() == 0;
    if !nobody() {
        return false;
    }
    namespace.frames().clear();
    namespace.announcing.store(false, Ordering::SeqCst);
    nobody() || namespace.announcing.swap(true, Ordering::SeqCst)
}

/// How long nothing is announced after so many watchers were woken.
fn pace(woken: usize) -> Option<Duration> {
    let watchers = u32::try_from(woken).unwrap_or(u32::MAX);
    let granted = watchers.saturating_add(watchers.saturating_sub(CROWD));
    let pause = PACE_PER_WATCHER.saturating_mul(granted).min(PACE_MAX);
    (pause >= PACE_MIN).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_grows_with_those_who_are_woken_within_bounds() {
        let cases = [(1, None), (99, None), (100, Some(1)), (1_000, Some(19)), (10_000, Some(50))];
        for (watchers, milliseconds) in cases {
            assert_eq!(pace(watchers), milliseconds.map(Duration::from_millis), "{watchers}");
        }
    }
}
