//! What was found for one watcher, between those who look and the watcher.

use std::ops::RangeInclusive;

use baton_core::Revision;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Where there is something for one watcher.
#[derive(Debug)]
pub(super) struct Finds {
    /// The first revision that is looked at for it; what is before it looks at itself.
    pub(super) first_covered: Revision,
    found: Mutex<Found>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Found {
    /// The first and the last revision that it may want, of those that it has not passed.
    range: Option<(Revision, Revision)>,
    /// Whether it is to say how far it is.
    is_due: bool,
    /// Whether it is among those who are woken when this round is announced.
    is_called: bool,
}

impl Finds {
    pub(super) fn new(first_covered: Revision) -> Self {
        Self { first_covered, found: Mutex::default(), news: Notify::new() }
    }

    /// Notes that it may want what is from `first` to `last`, behind all that was noted before. Says whether that is its first news of this
    /// round.
    pub(super) fn add(&self, first: Revision, last: Revision) -> bool {
        let mut found = self.found.lock();
        found.range = Some((found.range.map_or(first, |(first, _)| first), last));
        !std::mem::replace(&mut found.is_called, true)
    }

    /// Notes that it is to say how far it is. Says whether that is its first news of this round.
    pub(super) fn ask_how_far(&self) -> bool {
        let mut found = self.found.lock();
        found.is_due = true;
        !std::mem::replace(&mut found.is_called, true)
    }

    /// Wakes it: what was found for it in this round is announced.
    pub(super) fn wake(&self) {
        self.found.lock().is_called = false;
        // Kept for it if it does not wait now.
        self.news.notify_one();
    }

    /// Waits until it is woken.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// Where there is something that the watcher may want from `next` on, up to `announced`, which is not before it; none: there is nothing.
    pub(super) fn ahead(&self, next: Revision, announced: Revision) -> Option<RangeInclusive<Revision>> {
        if next < self.first_covered {
            return Some(next..=announced.min(Revision(self.first_covered.0 - 1)));
        }
        let mut found = self.found.lock();
        found.range = found.range.filter(|(_, last)| *last >= next);
        let (first, last) = found.range.filter(|(first, _)| *first <= announced)?;
        Some(first.max(next)..=last.min(announced))
    }

    /// Whether the watcher is to say how far it is; asked once, it is not any more.
    pub(super) fn take_due(&self) -> bool {
        std::mem::take(&mut self.found.lock().is_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(finds: &Finds, next: u64, announced: u64) -> Option<(u64, u64)> {
        let range = finds.ahead(Revision(next), Revision(announced))?;
        Some((range.start().0, range.end().0))
    }

    #[test]
    fn what_is_not_covered_the_watcher_looks_at_itself() {
        let finds = Finds::new(Revision(10));
        finds.add(Revision(12), Revision(12));
        assert_eq!(ahead(&finds, 3, 20), Some((3, 9)));
        assert_eq!(ahead(&finds, 3, 5), Some((3, 5)));
        assert_eq!(ahead(&finds, 10, 20), Some((12, 12)));
    }

    #[test]
    fn what_was_found_is_ahead_until_it_is_passed() {
        let finds = Finds::new(Revision(1));
        assert_eq!(ahead(&finds, 1, 20), None);
        finds.add(Revision(5), Revision(5));
        finds.add(Revision(9), Revision(12));
        assert_eq!(ahead(&finds, 1, 4), None, "it is not announced");
        assert_eq!(ahead(&finds, 1, 10), Some((5, 10)));
        assert_eq!(ahead(&finds, 7, 20), Some((7, 12)));
        assert_eq!(ahead(&finds, 13, 20), None);
        finds.add(Revision(15), Revision(15));
        assert_eq!(ahead(&finds, 13, 20), Some((15, 15)), "what was passed is forgotten");
    }

    #[test]
    fn news_wake_once_in_a_round() {
        let finds = Finds::new(Revision(1));
        assert!(finds.add(Revision(5), Revision(5)));
        assert!(!finds.add(Revision(6), Revision(6)));
        assert!(!finds.ask_how_far());
        finds.wake();
        assert!(finds.ask_how_far());
        assert!(finds.take_due());
        assert!(!finds.take_due());
    }
}
