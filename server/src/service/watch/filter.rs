//! Which events a watcher wants, evaluated before anything is encoded for it.

use baton_core::Event;

use crate::service::{from_wire::Wanted, to_wire};

impl Wanted {
    /// Whether `event` is among those that are wanted.
    pub(super) fn wants(&self, event: &Event) -> bool {
        (self.all_events || matches!(event, Event::Handoff(_)))
            && (self.types.is_empty() || self.types.contains(&to_wire::event_type(event)))
            && (self.tasks.is_empty() || task(event).is_some_and(|task| self.tasks.contains(task)))
            && (self.agents.is_empty()
                || agents(event).into_iter().flatten().any(|agent| self.agents.contains(agent)))
            && self.wants_sides(event)
    }

    /// Sender and receiver are wanted: only hand-offs have them.
    fn wants_sides(&self, event: &Event) -> bool {
        if self.from.is_empty() && self.to.is_empty() {
            return true;
        }
        let Event::Handoff(event) = event else { return false };
        let handoff = &event.handoff;
        (self.from.is_empty() || self.from.contains(handoff.from.as_str()))
            && (self.to.is_empty() || self.to.contains(handoff.to.as_str()))
    }
}

fn task(event: &Event) -> Option<&str> {
    match event {
        Event::TaskCreated(created) => Some(&created.task_id),
        Event::TaskUpdated(updated) => Some(&updated.task_id),
        Event::TaskEnded(ended) => Some(&ended.task_id),
        Event::Handoff(event) => Some(&event.handoff.task_id),
        Event::StateUpdated(_) | Event::StateTransferred(_) | Event::RuleSwitched(_) => None,
    }
}

/// Who takes part.
fn agents(event: &Event) -> [Option<&str>; 2] {
    match event {
        Event::TaskCreated(created) => [Some(created.owner.as_str()), None],
        Event::TaskUpdated(updated) => [Some(updated.after.owner.as_str()), None],
        Event::TaskEnded(ended) => [Some(ended.after.owner.as_str()), None],
        Event::StateUpdated(updated) => [Some(updated.agent_id.as_str()), None],
        Event::StateTransferred(moved) => [Some(moved.from.as_str()), Some(moved.to.as_str())],
        Event::Handoff(event) => [Some(event.handoff.from.as_str()), Some(event.handoff.to.as_str())],
        Event::RuleSwitched(_) => [None, None],
    }
}
