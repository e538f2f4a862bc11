//! Finds the watchers that may want an event, without asking the others.
//!
//! Each is found by one list of its filter alone, the one that most likely says no; what else the filter says is looked at by who asks.

use std::collections::{BTreeSet, HashMap};

use crate::engine::wanted::{EventKey, Wanted};

/// The number of a watcher.
pub(super) type Id = usize;

/// The watchers by what their filters name.
#[derive(Debug, Default)]
pub(super) struct Index {
    by_task: ByName,
    by_from: ByName,
    by_to: ByName,
    by_agent: ByName,
    by_kind: HashMap<i32, Vec<Id>>,
}

type ByName = HashMap<Box<str>, Vec<Id>>;

impl Index {
    /// Adds a watcher with a filter.
    pub(super) fn add(&mut self, wanted: &Wanted, id: Id) {
        let Some((by_name, names)) = self.by_name(wanted) else {
            wanted.types.iter().for_each(|kind| self.by_kind.entry(*kind).or_default().push(id));
            return;
        };
        for name in names {
            match by_name.get_mut(&**name) {
                Some(ids) => ids.push(id),
                None => _ = by_name.insert(name.as_str().into(), vec![id]),
            }
        }
    }

    /// Lets the watcher of that filter go.
    pub(super) fn remove(&mut self, wanted: &Wanted, id: Id) {
        let without = |ids: &mut Vec<Id>| {
            if let Some(place) = ids.iter().position(|other| *other == id) {
                ids.swap_remove(place);
            }
            ids.is_empty()
        };
        let Some((by_name, names)) = self.by_name(wanted) else {
            for kind in &wanted.types {
                if self.by_kind.get_mut(kind).is_some_and(without) {
                    self.by_kind.remove(kind);
                }
            }
            return;
        };
        for name in names {
            if by_name.get_mut(&**name).is_some_and(without) {
                by_name.remove(&**name);
            }
        }
    }

    /// Who may want the event of that key; some of them twice.
    pub(super) fn candidates<'a>(&'a self, key: &'a EventKey) -> impl Iterator<Item = Id> + 'a {
        let (from, to) = key.sides().unzip();
        let [first, second] = [0, 1].map(|agent| key.agents[agent].as_deref());
        let found = [
            find(&self.by_task, key.task.as_deref()),
            find(&self.by_from, from),
            find(&self.by_to, to),
            find(&self.by_agent, first),
            find(&self.by_agent, second),
            self.by_kind.get(&key.kind),
        ];
        found.into_iter().flatten().flatten().copied()
    }

    /// The names that a watcher of that filter is found by, and where; none: it is found by types.
    fn by_name<'a>(&mut self, wanted: &'a Wanted) -> Option<(&mut ByName, &'a BTreeSet<String>)> {
        let Self { by_task, by_from, by_to, by_agent, .. } = self;
        let Wanted { tasks, from, to, agents, .. } = wanted;
        [(by_task, tasks), (by_from, from), (by_to, to), (by_agent, agents)]
            .into_iter()
            .find(|(_, names)| !names.is_empty())
    }
}

fn find<'a>(by_name: &'a ByName, name: Option<&str>) -> Option<&'a Vec<Id>> {
    // Mostly there is none, and then nothing is hashed.
    name.filter(|_| !by_name.is_empty()).and_then(|name| by_name.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of a filter: none, one and both of the names that are looked for.
    const LISTS: [&[&str]; 3] = [&[], &["a"], &["a", "b"]];
    const NAMES: [Option<&str>; 4] = [None, Some("a"), Some("b"), Some("c")];

    fn names(list: usize) -> BTreeSet<String> {
        LISTS[list].iter().map(|name| (*name).to_owned()).collect()
    }

    /// All filters that can be made of these lists, but the one that is none.
    fn filters() -> Vec<Wanted> {
        let filters = (0..3_usize.pow(5) * 2).map(|number| {
            let list = |place: u32| number / 3_usize.pow(place) % 3;
            Wanted {
                all_events: number >= 3_usize.pow(5),
                tasks: names(list(0)),
                agents: names(list(1)),
                from: names(list(2)),
                to: names(list(3)),
                types: (1..).take(list(4)).collect(),
            }
        });
        filters.filter(|wanted| wanted.without_filter().is_none()).collect()
    }

    /// The keys of all events that can be made of these names.
    fn keys() -> Vec<EventKey> {
        let keys = (0..4_usize.pow(3) * 6).map(|number| {
            let name = |place: u32| NAMES[number / 4_usize.pow(place) % 4];
            let rest = number / 4_usize.pow(3);
            EventKey {
                kind: i32::try_from(rest % 3).expect("it is small") + 1,
                of_handoff: rest >= 3,
                task: name(0).map(Into::into),
                agents: [name(1).map(Into::into), name(2).map(Into::into)],
            }
        });
        keys.collect()
    }

    #[test]
    fn those_who_want_an_event_are_found_and_those_who_left_are_not() {
        let (filters, keys, mut index) = (filters(), keys(), Index::default());
        filters.iter().enumerate().for_each(|(id, wanted)| index.add(wanted, id));
        let mut matches = 0;
        for left in 0..=3 {
            let is_there = |id: &Id| id % 4 >= left;
            for key in &keys {
                let candidates: BTreeSet<_> = index.candidates(key).collect();
                assert!(candidates.iter().all(is_there), "{key:?}: {candidates:?} without {left} in 4");
                for id in (0..filters.len()).filter(is_there) {
                    let is_wanted = filters[id].wants(key);
                    matches += u32::from(is_wanted);
                    assert!(!is_wanted || candidates.contains(&id), "{key:?}: {:?}", filters[id]);
                }
            }
            let leaving = filters.iter().enumerate().filter(|(id, _)| id % 4 == left);
            leaving.for_each(|(id, wanted)| index.remove(wanted, id));
        }
        assert!(matches > 10_000, "only {matches} matches");
        let Index { by_task, by_from, by_to, by_agent, by_kind } = index;
        assert!([by_task, by_from, by_to, by_agent].iter().all(HashMap::is_empty) && by_kind.is_empty());
    }

    #[test]
    fn a_watcher_of_one_task_is_not_asked_about_others() {
        let mut index = Index::default();
        let types = BTreeSet::from([1, 2, 3]);
        index.add(&Wanted { tasks: names(1), agents: names(2), types, ..Wanted::default() }, 7);
        for key in keys() {
            let expected = if key.task.as_deref() == Some("a") { vec![7] } else { vec![] };
            assert_eq!(index.candidates(&key).collect::<Vec<_>>(), expected, "{key:?}");
        }
    }
}
