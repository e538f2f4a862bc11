//! Who wants what, and up to where that was looked at.

use std::{collections::BTreeSet, sync::Arc};

use baton_core::Revision;

use super::{
    SILENT_REVISIONS_MAX,
    finds::Finds,
    index::{Id, Index},
    round::Called,
};
use crate::engine::{
    recent::Commit,
    wanted::{EventKey, Wanted},
};

/// Those who come one after the other are told how far they are so many revisions apart. The golden section of
/// [`SILENT_REVISIONS_MAX`], nearly, and without a factor in common with it: however many there are, few of them are told at once.
const TOLD_APART: u64 = 6_181;

/// The watchers with filters.
#[derive(Debug, Default)]
pub(super) struct Known {
    watchers: Vec<Option<Watcher>>,
    free: Vec<Id>,
    index: Index,
    /// When each is told how far it is, if it has heard nothing.
    due: BTreeSet<(Revision, Id)>,
    /// How many ever came.
    came: u64,
    /// The newest revision that was looked at for all of them.
    looked_at: Revision,
}

#[derive(Debug)]
struct Watcher {
    wanted: Arc<Wanted>,
    finds: Arc<Finds>,
    due: Revision,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.watchers.len() - self.free.len()
    }

    /// Adds a watcher with a filter. What is after `head` is looked at for it.
    pub(super) fn add(&mut self, wanted: Arc<Wanted>, head: Revision) -> (Id, Arc<Finds>) {
        self.pass_if_nobody_is_here(head);
        let finds = Arc::new(Finds::new(self.looked_at.next()));
        let id = self.free.pop().unwrap_or(self.watchers.len());
        let due = Revision(self.looked_at.0 + 1 + self.came.wrapping_mul(TOLD_APART) % SILENT_REVISIONS_MAX);
        self.came = self.came.wrapping_add(1);
        self.index.add(&wanted, id);
        self.due.insert((due, id));
        let watcher = Some(Watcher { wanted, finds: Arc::clone(&finds), due });
        match self.watchers.get_mut(id) {
            Some(place) => *place = watcher,
            None => self.watchers.push(watcher),
        }
        (id, finds)
    }

    pub(super) fn remove(&mut self, id: Id) {
        let Some(watcher) = self.watchers.get_mut(id).and_then(Option::take) else { return };
        self.free.push(id);
        self.index.remove(&watcher.wanted, id);
        self.due.remove(&(watcher.due, id));
        if self.len() == 0 {
            *self = Self { came: self.came, looked_at: self.looked_at, ..Self::default() };
        }
    }

    /// The first revision up to `newest` that is to be looked at; none: there is none, or nobody to look at it for.
    pub(super) fn next_to_look_at(&mut self, newest: Revision) -> Option<Revision> {
        self.pass_if_nobody_is_here(newest);
        (self.looked_at < newest).then(|| self.looked_at.next())
    }

    /// Looks at the next commit. Says whether anybody wants anything of it.
    pub(super) fn look_at(&mut self, commit: &Commit, keys: &[EventKey], called: &mut Called) -> bool {
        let last = commit.last_revision();
        if last <= self.looked_at {
            return false;
        }
        let mut is_wanted = false;
        for (revision, key) in (commit.first_revision().0..).map(Revision).zip(keys) {
            for watcher in self.index.candidates(key).filter_map(|id| self.watchers[id].as_ref()) {
                if watcher.wanted.wants(key) {
                    is_wanted = true;
                    called.add_if(watcher.finds.add(revision, revision), &watcher.finds);
                }
            }
        }
        self.pass(last, called);
        is_wanted
    }

    /// Lets everybody look for itself at what was not looked at, up to `last`.
    pub(super) fn leave_to_themselves(&mut self, last: Revision, called: &mut Called) {
        if last <= self.looked_at {
            return;
        }
        let first = self.looked_at.next();
        for watcher in self.watchers.iter().flatten() {
            called.add_if(watcher.finds.add(first, last), &watcher.finds);
        }
        self.pass(last, called);
    }

    /// While nobody is here nothing is looked at, and who comes does not need it.
    fn pass_if_nobody_is_here(&mut self, newest: Revision) {
        if self.len() == 0 {
            self.looked_at = self.looked_at.max(newest);
        }
    }

    /// Everything up to `last` was looked at: calls those who are due by then.
    fn pass(&mut self, last: Revision, called: &mut Called) {
        self.looked_at = last;
        while let Some((due, id)) = self.due.first().copied().filter(|(due, _)| *due <= last) {
            self.due.pop_first();
            let watcher = self.watchers[id].as_mut().expect("who leaves is not due any more");
            let rounds = (last.0 - due.0) / SILENT_REVISIONS_MAX + 1;
            watcher.due = Revision(due.0 + rounds * SILENT_REVISIONS_MAX);
            self.due.insert((watcher.due, id));
            called.add_if(watcher.finds.ask_how_far(), &watcher.finds);
        }
    }
}
