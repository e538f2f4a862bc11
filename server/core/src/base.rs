//! What a draft builds on: a state, and, if the batch before is still on its way to the log, what that changes.
//!
//! It looks as the state will once those changes are absorbed. Knows nothing of what the draft itself changes.

use std::sync::Arc;

use crate::{
    AgentId, AgentState, ArchivedTask, Changes, Handoff, HandoffId, Revision, RuleSet, State, Task, TaskId,
    digest::Digest,
    requests::{Found, is_too_old},
};

/// A state with the changes, if any, that it is about to absorb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'a> {
    state: &'a State,
    pending: Option<&'a Changes>,
}

impl<'a> Base<'a> {
    /// `pending` was drafted on that very state.
    pub(crate) fn new(state: &'a State, pending: Option<&'a Changes>) -> Self {
        Self { state, pending }
    }

    pub(crate) fn head(&self) -> Revision {
        self.pending.map_or(self.state.head, |pending| pending.head)
    }

    pub(crate) fn time_us(&self) -> i64 {
        self.pending.map_or(self.state.time_us, |pending| pending.time_us)
    }

    pub(crate) fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        let changed = self.pending.and_then(|pending| pending.tasks.get(id).cloned());
        changed.or_else(|| self.state.task(id))
    }

    pub(crate) fn has_task(&self, id: &TaskId) -> bool {
        self.pending.is_some_and(|pending| pending.tasks.contains_key(id)) || self.state.tasks.contains(id)
    }

    pub(crate) fn agent(&self, id: &AgentId) -> Option<&'a Arc<AgentState>> {
        let changed = self.pending.and_then(|pending| pending.agents.get(id));
        changed.or_else(|| self.state.agents.get(id).map(|record| &record.state))
    }

    pub(crate) fn handoff(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        let changed = self.pending.and_then(|pending| pending.handoffs.get(id).cloned());
        changed
            .or_else(|| self.state.handoff(id))
            .or_else(|| self.coming_back().find_map(|archived| archived.handoff(id)).map(Arc::new))
    }

    pub(crate) fn has_handoff(&self, id: HandoffId) -> bool {
        self.pending.is_some_and(|pending| pending.handoffs.get(id).is_some())
            || self.state.handoffs.contains(id)
            || self.coming_back().any(|archived| archived.has_handoff(id))
    }

    pub(crate) fn rules(&self) -> &'a RuleSet {
        self.pending.and_then(|pending| pending.rules.as_ref()).unwrap_or(&self.state.rules)
    }

    pub(crate) fn remembered(&self, key: Digest, now_us: i64) -> Option<Found<'a>> {
        let memory = self.state.memory;
        let pending = self.pending.and_then(|pending| pending.find_remembered(key));
        let pending = pending.filter(|pending| !is_too_old(pending.time_us, now_us, memory));
        pending.map(Found::Held).or_else(|| self.state.requests.get(key, now_us, memory))
    }

    /// Whether tasks were taken out of the state, to be kept elsewhere.
    pub(crate) fn has_archived(&self) -> bool {
        self.state.archived > 0
    }

    /// The archived tasks that the pending changes bring back into the state: those that they change.
    fn coming_back(&self) -> impl Iterator<Item = &'a ArchivedTask> {
        self.pending.into_iter().flat_map(Changes::coming_back)
    }
}
