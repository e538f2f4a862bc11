//! A state with changes that are not durable yet.
//!
//! Decisions are made against a draft, so that each command of a batch sees those before it, while everybody else sees only
//! the state. If the batch cannot be recorded, the draft is dropped and nothing has happened.

use std::{cell::RefCell, ops::Range, sync::Arc};

use crate::{
    AgentId, AgentState, Answer, ArchivedTask, Changes, Handoff, HandoffId, Revision, RuleSet, State,
    StateChange, Subject, Task, TaskEntry, TaskId,
    base::Base,
    changes::NewRequest,
    digest::Digest,
    record::{BodyWriter, Entry, WrittenEntry},
    remembered::Described,
    requests::Found,
};

/// A state, and what is to change in it.
#[derive(Debug)]
pub struct Draft<'a> {
    base: Base<'a>,
    changes: Changes,
    body: BodyWriter,
    /// The task that was looked at last: one command looks several times at the same one, which may have to be found and unpacked.
    last: RefCell<Option<Arc<Task>>>,
}

impl<'a> Draft<'a> {
    /// A draft that changes nothing yet.
    pub fn new(state: &'a State) -> Self {
        Self::of_batch(state, 0)
    }

    /// A draft that changes nothing yet, with room for the changes of so many commands.
    pub fn of_batch(state: &'a State, commands: usize) -> Self {
        Self::on(Base::new(state, None), commands)
    }

    /// As [`Draft::of_batch`], but on the state as it will be once it has absorbed `pending`. To be absorbed after those, and to be dropped if
    /// they are.
    pub fn after(state: &'a State, pending: &'a Changes, commands: usize) -> Self {
        Self::on(Base::new(state, Some(pending)), commands)
    }

    fn on(base: Base<'a>, commands: usize) -> Self {
        let changes = Changes::none(base.head(), base.time_us(), commands);
        Self { base, changes, body: BodyWriter::with_capacity(commands), last: RefCell::default() }
    }

    /// The newest revision, with the changes.
    pub fn head(&self) -> Revision {
        self.changes.head
    }

    /// When the newest event was recorded, with the changes.
    pub fn time_us(&self) -> i64 {
        self.changes.time_us
    }

    /// Gives the changes up, to be absorbed once they are durable.
    pub fn into_changes(self) -> Changes {
        Changes { body: self.body.finish(), ..self.changes }
    }

    /// The task of that id.
    pub fn task(&self, id: &TaskId) -> Option<Arc<Task>> {
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|last| last.id != *id) {
            let archived = || self.changes.recalled.get(id).map(|archived| Arc::new(archived.task()));
            let found = self.changes.tasks.get(id).cloned().or_else(|| self.base.task(id));
            *last = Some(found.or_else(archived)?);
        }
        last.clone()
    }

    /// The state of that agent.
    pub fn agent(&self, id: &AgentId) -> Option<&Arc<AgentState>> {
        self.changes.agents.get(id).or_else(|| self.base.agent(id))
    }

    /// The hand-off of that id.
    pub fn handoff(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        let changed = self.changes.handoffs.get(id).cloned();
        changed.or_else(|| self.base.handoff(id)).or_else(|| {
            self.changes.recalled.values().find_map(|archived| archived.handoff(id)).map(Arc::new)
        })
    }

    /// Whether what `subject` names may be archived: it is neither in the draft nor in the state.
    pub fn lacks(&self, subject: Subject<'_>) -> bool {
        self.base.has_archived()
            && match subject {
                Subject::Task(id) => !self.has_task(id),
                Subject::Handoff(id) => {
                    self.changes.handoffs.get(id).is_none()
                        && !self.base.has_handoff(id)
                        && !self.changes.recalled.values().any(|archived| archived.has_handoff(id))
                }
            }
    }

    /// Whether it has a task of that id.
    pub fn has_task(&self, id: &TaskId) -> bool {
        self.changes.tasks.contains_key(id)
            || self.base.has_task(id)
            || self.changes.recalled.contains_key(id)
    }

    /// Lends it an archived task as of the newest revision. It goes back into the state if the draft changes it. Does nothing if there is one
    /// of that id.
    pub fn recall(&mut self, archived: ArchivedTask) {
        if !self.has_task(&archived.id) {
            self.changes.recalled.insert(archived.id.clone(), archived);
        }
    }

    /// Which rules are in force.
    pub fn rules(&self) -> &RuleSet {
        self.changes.rules.as_ref().unwrap_or(self.base.rules())
    }

    pub(crate) fn remembered(&self, key: Digest, now_us: i64) -> Option<Found<'_>> {
        let new = self.changes.requests.find(key);
        let new = new.map(|new| Found::Held(new.remembered(self.body.entry(new.entry.clone()))));
        new.or_else(|| self.base.remembered(key, now_us))
    }

    /// Records `entry`, which was just applied and answers `answer`, and remembers its request.
    pub(crate) fn record(&mut self, entry: &Entry, answer: &Answer) {
        let place = self.body.push(entry);
        self.remember(entry, place, answer);
    }

    /// As [`Self::record`], for an entry that the log has.
    pub(crate) fn record_written(&mut self, written: &WrittenEntry, answer: &Answer) {
        let place = self.body.push_written(written);
        self.remember(&written.entry, place, answer);
    }

    fn remember(&mut self, entry: &Entry, place: Range<usize>, answer: &Answer) {
        let Changes { head: revision, time_us, ref mut requests, .. } = self.changes;
        if let Some(mark) = &entry.request {
            let described = Described::beside(&entry.event, answer);
            requests.push(NewRequest { key: mark.key, revision, time_us, entry: place, described });
        }
    }

    pub(crate) fn advance(&mut self, revision: Revision, time_us: i64) {
        self.changes.head = revision;
        self.changes.time_us = time_us;
    }

    pub(crate) fn put_task(&mut self, task: Arc<Task>, entry: TaskEntry) {
        self.changes.task_entries.push((task.id.clone(), entry));
        *self.last.get_mut() = Some(Arc::clone(&task));
        self.changes.tasks.insert(task.id.clone(), task);
    }

    pub(crate) fn put_agent(&mut self, state: AgentState, change: StateChange) {
        self.changes.state_changes.push((state.agent_id.clone(), change));
        self.changes.agents.insert(state.agent_id.clone(), Arc::new(state));
    }

    pub(crate) fn put_handoff(&mut self, handoff: Arc<Handoff>) {
        self.changes.handoffs.put(handoff);
    }

    pub(crate) fn put_rules(&mut self, rules: RuleSet) {
        self.changes.rules = Some(rules);
    }
}
