//! What the watchers with filters want, so that an event concerns only those who want it: it is looked at once for all of them.
//!
//! A watcher registers its filter, and from then on passes over everything in which nothing was found for it. Knows nothing of messages.

mod finds;
mod index;
mod known;
mod round;

pub(super) use round::look;

use std::{ops::RangeInclusive, sync::Arc};

use baton_core::Revision;
use parking_lot::Mutex;

use super::wanted::Wanted;
use finds::Finds;
use index::Id;
use known::Known;

/// A watcher that wants none of so many revisions is told how far it is.
pub const SILENT_REVISIONS_MAX: u64 = 10_000;

/// The interests of those who watch a namespace with a filter.
#[derive(Debug, Default)]
pub(super) struct Interests(Mutex<Known>);

/// A registered filter; dropping it lets it go.
#[derive(Debug)]
pub struct Interest {
    interests: Arc<Interests>,
    id: Id,
    finds: Arc<Finds>,
}

impl Interests {
    /// Registers a filter, for what comes after `head`, the namespace's newest revision, and perhaps for some before it. None: what is
    /// `wanted` has no filter.
    pub(super) fn register(self: &Arc<Self>, wanted: Arc<Wanted>, head: Revision) -> Option<Interest> {
        if wanted.without_filter().is_some() {
            return None;
        }
        let (id, finds) = self.0.lock().add(wanted, head);
        Some(Interest { interests: Arc::clone(self), id, finds })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.lock().len()
    }
}

impl Interest {
    /// Whether everything from `next` on is looked at for this watcher, and it is called if something is found.
    pub fn covers(&self, next: Revision) -> bool {
        self.finds.first_covered <= next
    }

    /// What the watcher has to look at next of what is from `next` on and up to `announced`, which is not before `next`; none: nothing of it.
    ///
    /// There is nothing for it before the range, and there may be something behind it. The range may end in the midst of a commit.
    pub fn ahead(&self, next: Revision, announced: Revision) -> Option<RangeInclusive<Revision>> {
        self.finds.ahead(next, announced)
    }

    /// Whether the watcher is to say how far it is if it has nothing else to say. Asked once, it is not any more.
    pub fn take_due(&self) -> bool {
        self.finds.take_due()
    }

    /// Waits until something was found for the watcher and is announced, or it is due.
    pub async fn news(&self) {
        self.finds.news().await;
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.interests.0.lock().remove(self.id);
    }
}
