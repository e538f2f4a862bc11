//! Which events a watcher wants.
//!
//! Looks at what events can be found by, never at events. Knows types by their numbers in the contract alone.

use std::collections::BTreeSet;

use baton_core::{AgentId, TaskId};

/// What filters look at.
#[derive(Debug)]
pub struct EventKey {
    /// The number of its type in the contract.
    pub kind: i32,
    /// Whether it is an event of a hand-off; `agents` are then the sender and the receiver.
    pub of_handoff: bool,
    /// The task that it is about.
    pub task: Option<TaskId>,
    /// Who takes part.
    pub agents: [Option<AgentId>; 2],
}

/// Which events a watcher wants. An empty set stands for any.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Not only the events of hand-offs.
    pub all_events: bool,
    /// Events of these tasks.
    pub tasks: BTreeSet<String>,
    /// Events that these agents take part in.
    pub agents: BTreeSet<String>,
    /// Hand-offs from these agents.
    pub from: BTreeSet<String>,
    /// Hand-offs to these agents.
    pub to: BTreeSet<String>,
    /// The numbers of types in the contract.
    pub types: BTreeSet<i32>,
}

impl Wanted {
    /// Whether all events are wanted, or all of hand-offs; none: there is a filter.
    pub fn without_filter(&self) -> Option<bool> {
        let Self { all_events, tasks, agents, from, to, types } = self;
        let is_unfiltered = types.is_empty() && [tasks, agents, from, to].into_iter().all(BTreeSet::is_empty);
        is_unfiltered.then_some(*all_events)
    }

    /// Whether the event of that key is among those that are wanted.
    pub fn wants(&self, event: &EventKey) -> bool {
        (self.all_events || event.of_handoff)
            && (self.types.is_empty() || self.types.contains(&event.kind))
            && (self.tasks.is_empty() || event.task.as_deref().is_some_and(|task| self.tasks.contains(task)))
            && (self.agents.is_empty()
                || event.agents.iter().flatten().any(|agent| self.agents.contains(&**agent)))
            && self.wants_sides(event)
    }

    /// Sender and receiver are wanted: only hand-offs have them.
    fn wants_sides(&self, event: &EventKey) -> bool {
        if self.from.is_empty() && self.to.is_empty() {
            return true;
        }
        let Some((from, to)) = event.sides() else { return false };
        (self.from.is_empty() || self.from.contains(from)) && (self.to.is_empty() || self.to.contains(to))
    }
}

impl EventKey {
    /// Sender and receiver, if it is an event of a hand-off.
    pub fn sides(&self) -> Option<(&str, &str)> {
        let [Some(from), Some(to)] = &self.agents else { return None };
        self.of_handoff.then_some((from, to))
    }
}
