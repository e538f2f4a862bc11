//! A state with changes that are not durable yet.
//!
//! Decisions are made against a draft, so that each command of a batch sees those before it, while everybody else sees only
//! the state. If the batch cannot be recorded, the draft is dropped and nothing has happened.

use std::{cell::RefCell, collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;

use crate::{
    AgentId, AgentState, Answer, ArchivedTask, Handoff, HandoffId, Revision, RuleSet, State, StateChange,
    Subject, Task, TaskEntry, TaskId,
    by_key::ByKey,
    digest::Digest,
    new_handoffs::NewHandoffs,
    record::{BodyWriter, Entry, WrittenBody},
    remembered::{Described, Remembered},
    request_index::RequestIndex,
};

/// A state, and what is to change in it.
#[derive(Debug)]
pub struct Draft<'a> {
    state: &'a State,
    changes: Changes,
    body: BodyWriter,
    /// The task that was looked at last: one command looks several times at the same one, which may have to be found and unpacked.
    last: RefCell<Option<Arc<Task>>>,
}

/// What is to change in a state.
#[derive(Debug)]
pub struct Changes {
    pub(crate) head: Revision,
    pub(crate) time_us: i64,
    pub(crate) tasks: ByKey<TaskId, Arc<Task>>,
    pub(crate) task_entries: Vec<(TaskId, TaskEntry)>,
    pub(crate) agents: ByKey<AgentId, Arc<AgentState>>,
    pub(crate) state_changes: Vec<(AgentId, StateChange)>,
    pub(crate) handoffs: NewHandoffs,
    pub(crate) rules: Option<RuleSet>,
    requests: NewRequests,
    /// Empty until the draft is given up.
    body: WrittenBody,
    /// Archived tasks that the draft was lent.
    pub(crate) recalled: BTreeMap<TaskId, ArchivedTask>,
}

/// The requests of a draft, in the order in which they came: the oldest are forgotten first.
#[derive(Debug)]
pub(crate) struct NewRequests {
    in_order: Vec<NewRequest>,
    /// Where each stands in that order.
    index: RequestIndex,
}

/// One of them, see [`Remembered`].
#[derive(Debug)]
struct NewRequest {
    key: Digest,
    revision: Revision,
    time_us: i64,
    /// Where its entry is in the body.
    entry: Range<usize>,
    described: Option<Described>,
}

impl NewRequests {
    fn with_capacity(commands: usize) -> Self {
        Self { in_order: Vec::with_capacity(commands), index: RequestIndex::with_capacity(commands) }
    }

    fn find(&self, key: Digest) -> Option<&NewRequest> {
        let of = |number: u32| &self.in_order[number as usize];
        self.index.find(key, |number| of(number).key == key).map(of)
    }

    fn push(&mut self, request: NewRequest) {
        self.index.insert(request.key, self.in_order.len() as u32);
        self.in_order.push(request);
    }
}

impl NewRequest {
    fn remembered<'a>(&'a self, entry: &'a [u8]) -> Remembered<'a> {
        let Self { key, revision, time_us, entry: _, ref described } = *self;
        Remembered { key, revision, time_us, entry, described: described.as_ref() }
    }
}

impl Changes {
    /// The newest revision after the changes.
    pub fn head(&self) -> Revision {
        self.head
    }

    /// The body of the record that tells of the changes: the entries of all commands that were executed, in order.
    pub fn body(&self) -> Bytes {
        self.body.body()
    }

    /// The requests to be remembered, in order.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = Remembered<'_>> {
        let entry = |request: &NewRequest| self.body.entry(request.entry.clone());
        self.requests.in_order.iter().map(move |request| request.remembered(entry(request)))
    }
}

impl<'a> Draft<'a> {
    /// A draft that changes nothing yet.
    pub fn new(state: &'a State) -> Self {
        Self::of_batch(state, 0)
    }

    /// A draft that changes nothing yet, with room for the changes of so many commands.
    pub fn of_batch(state: &'a State, commands: usize) -> Self {
        let changes = Changes {
            head: state.head,
            time_us: state.time_us,
            tasks: ByKey::with_capacity(commands),
            task_entries: Vec::with_capacity(commands),
            agents: ByKey::with_capacity(0),
            state_changes: Vec::with_capacity(commands),
            handoffs: NewHandoffs::with_capacity(commands),
            rules: None,
            requests: NewRequests::with_capacity(commands),
            body: WrittenBody::default(),
            recalled: BTreeMap::new(),
        };
        Self { state, changes, body: BodyWriter::with_capacity(commands), last: RefCell::default() }
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
            let found = self.changes.tasks.get(id).cloned().or_else(|| self.state.task(id));
            *last = Some(found.or_else(archived)?);
        }
        last.clone()
    }

    /// The state of that agent.
    pub fn agent(&self, id: &AgentId) -> Option<&Arc<AgentState>> {
        self.changes.agents.get(id).or_else(|| self.state.agent(id).map(|record| &record.state))
    }

    /// The hand-off of that id.
    pub fn handoff(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        let changed = self.changes.handoffs.get(id).cloned();
        changed.or_else(|| self.state.handoff(id)).or_else(|| {
            self.changes.recalled.values().find_map(|archived| archived.handoff(id)).map(Arc::new)
        })
    }

    /// Whether what `subject` names may be archived: it is neither in the draft nor in the state.
    pub fn lacks(&self, subject: Subject<'_>) -> bool {
        self.state.archived > 0
            && match subject {
                Subject::Task(id) => !self.has_task(id),
                Subject::Handoff(id) => {
                    self.changes.handoffs.get(id).is_none()
                        && !self.state.handoffs.contains(id)
                        && !self.changes.recalled.values().any(|archived| archived.has_handoff(id))
                }
            }
    }

    /// Whether it has a task of that id.
    pub fn has_task(&self, id: &TaskId) -> bool {
        self.changes.tasks.contains_key(id)
            || self.state.tasks.contains(id)
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
        self.changes.rules.as_ref().unwrap_or(&self.state.rules)
    }

    pub(crate) fn remembered(&self, key: Digest, now_us: i64) -> Option<Remembered<'_>> {
        let new = self.changes.requests.find(key);
        let new = new.map(|new| new.remembered(self.body.entry(new.entry.clone())));
        new.or_else(|| self.state.requests.get(key, now_us, self.state.memory))
    }

    /// Records `entry`, which was just applied and answers `answer`, and remembers its request.
    pub(crate) fn record(&mut self, entry: &Entry, answer: &Answer) {
        let Changes { head: revision, time_us, ref mut requests, .. } = self.changes;
        let range = self.body.push(entry);
        if let Some(mark) = &entry.request {
            let described = Described::beside(&entry.event, answer);
            requests.push(NewRequest { key: mark.key, revision, time_us, entry: range, described });
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
