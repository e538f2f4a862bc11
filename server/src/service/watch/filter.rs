//! Which events a watcher wants.

use crate::{engine::EventKey, service::from_wire::Wanted};

impl Wanted {
    /// Whether all events are wanted, or all of hand-offs; none: there is a filter.
    pub(super) fn without_filter(&self) -> Option<bool> {
        let Self { all_events, tasks, agents, from, to, types } = self;
        let filtered = types.is_empty()
            && [tasks, agents, from, to].into_iter().all(std::collections::BTreeSet::is_empty);
        filtered.then_some(*all_events)
    }

    /// Whether the event of that key is among those that are wanted.
    pub(super) fn wants(&self, event: &EventKey) -> bool {
        let [first, second] = &event.agents;
        let takes_part = |agent: &str| self.agents.contains(agent);
        (self.all_events || event.of_handoff)
            && (self.types.is_empty() || self.types.contains(&event.kind))
            && (self.tasks.is_empty() || event.task.as_deref().is_some_and(|task| self.tasks.contains(task)))
            && (self.agents.is_empty()
                || [first, second].into_iter().flatten().any(|agent| takes_part(agent)))
            && self.wants_sides(event)
    }

    /// Sender and receiver are wanted: only hand-offs have them.
    fn wants_sides(&self, event: &EventKey) -> bool {
        if self.from.is_empty() && self.to.is_empty() {
            return true;
        }
        let [Some(from), Some(to)] = &event.agents else { return false };
        event.of_handoff
            && (self.from.is_empty() || self.from.contains(&**from))
            && (self.to.is_empty() || self.to.contains(&**to))
    }
}
