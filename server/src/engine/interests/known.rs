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
        let sooner = self.came.wrapping_mul(TOLD_APART) % SILENT_REVISIONS_MAX;
        let due = Revision(self.looked_at.0 + SILENT_REVISIONS_MAX - sooner);
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

#[cfg(test)]
mod tests {
    use baton_log::{Hash, Record};

    use super::*;

    /// What is wanted by who watches the task of that number alone.
    fn of_task(number: usize) -> Arc<Wanted> {
        Arc::new(Wanted { tasks: [format!("task-{number}")].into(), ..Wanted::default() })
    }

    /// Lets a commit come of one hand-off for each of these tasks.
    fn commit(known: &mut Known, first: u64, tasks: &[usize]) -> (bool, usize) {
        let key = |number: &usize| EventKey {
            kind: 1,
            of_handoff: true,
            task: Some(format!("task-{number}").into()),
            agents: ["a", "b"].map(|agent| Some(agent.into())),
        };
        let keys: Vec<_> = tasks.iter().map(key).collect();
        let count = u32::try_from(keys.len()).expect("they are few");
        let record = Record::seal("n".into(), first, count, 0, 1, Hash::ZERO, vec![].into());
        let mut called = Called::default();
        let is_wanted = known.look_at(&Commit::of(&record), &keys, &mut called);
        let count = called.len();
        called.wake();
        (is_wanted, count)
    }

    fn ahead(finds: &Finds, next: u64, announced: u64) -> Option<(u64, u64)> {
        finds.ahead(Revision(next), Revision(announced)).map(|range| (range.start().0, range.end().0))
    }

    #[test]
    fn an_event_calls_those_who_want_it() {
        let mut known = Known::default();
        let all: Vec<_> = (0..10).map(|task| known.add(of_task(task), Revision(0)).1).collect();
        assert_eq!(commit(&mut known, 1, &[3, 12, 3, 5]), (true, 2));
        assert_eq!(commit(&mut known, 5, &[12, 3]), (true, 1));
        assert!(!commit(&mut known, 7, &[12]).0, "nobody wants it");
        let found = [3, 5, 4].map(|task| ahead(&all[task], 1, 7));
        assert_eq!(found, [Some((1, 6)), Some((4, 4)), None]);
    }

    #[test]
    fn who_comes_between_two_commits_looks_itself_at_what_is_before() {
        let mut known = Known::default();
        known.add(of_task(1), Revision(0));
        commit(&mut known, 1, &[2, 2]);
        let (_, late) = known.add(of_task(2), Revision(5));
        assert_eq!(ahead(&late, 1, 2), Some((1, 2)));
        commit(&mut known, 3, &[1, 2, 1]);
        assert_eq!(ahead(&late, 3, 5), Some((4, 4)));
    }

    #[test]
    fn nothing_is_looked_at_for_nobody() {
        let mut known = Known::default();
        assert_eq!(known.next_to_look_at(Revision(40)), None);
        let (id, finds) = known.add(of_task(1), Revision(41));
        assert_eq!(finds.first_covered, Revision(42));
        assert_eq!(known.next_to_look_at(Revision(42)), Some(Revision(42)));
        known.remove(id);
        assert_eq!((known.len(), known.next_to_look_at(Revision(90))), (0, None));
        assert_eq!(known.add(of_task(2), Revision(80)).1.first_covered, Revision(91));
    }

    #[test]
    fn who_has_left_is_not_called_and_its_number_is_given_to_another() {
        let mut known = Known::default();
        let (first, finds) = known.add(of_task(1), Revision(0));
        known.add(of_task(2), Revision(0));
        known.remove(first);
        let (second, _) = known.add(of_task(3), Revision(0));
        assert_eq!((second, known.len()), (first, 2));
        assert!(!commit(&mut known, 1, &[1]).0, "nobody wants it");
        assert_eq!(ahead(&finds, 1, 1), None);
        assert_eq!(commit(&mut known, 2, &[3]), (true, 1));
        let due = known.due.iter().map(|(_, id)| *id).collect::<BTreeSet<_>>();
        assert_eq!(due, [0, 1].into());
    }

    #[test]
    fn what_cannot_be_looked_at_everybody_looks_at_itself() {
        let mut known = Known::default();
        let all = [1, 2].map(|task| known.add(of_task(task), Revision(0)).1);
        let mut called = Called::default();
        known.leave_to_themselves(Revision(30), &mut called);
        assert_eq!(called.len(), 2);
        commit(&mut known, 31, &[1]);
        assert_eq!(all.map(|finds| ahead(&finds, 1, 31)), [Some((1, 31)), Some((1, 30))]);
    }

    #[test]
    fn a_crowd_that_wants_nothing_is_told_in_turn_how_far_it_is() {
        const WATCHERS: usize = 1_000;
        const EVENTS: u64 = 20;
        let mut known = Known::default();
        let all: Vec<_> = (0..WATCHERS).map(|_| known.add(of_task(1), Revision(0)).1).collect();
        let mut told = vec![0; WATCHERS];
        for first in (1..=SILENT_REVISIONS_MAX * 3).step_by(EVENTS as usize) {
            let (_, called) = commit(&mut known, first, &[2; EVENTS as usize]);
            assert!(called <= 4, "{called} at once, of an average of 2");
            let last = first + EVENTS - 1;
            for (told, finds) in told.iter_mut().zip(&all) {
                assert!(last - *told <= SILENT_REVISIONS_MAX + EVENTS, "told of {told}, now {last}");
                *told = if finds.take_due() { last } else { *told };
            }
        }
    }
}
