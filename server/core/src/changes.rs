//! What is to change in a state: made by a draft, and absorbed once it is durable.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;

use crate::{
    AgentId, AgentState, ArchivedTask, Revision, RuleSet, StateChange, Task, TaskEntry, TaskId,
    by_key::ByKey,
    digest::Digest,
    new_handoffs::NewHandoffs,
    record::WrittenBody,
    remembered::{Described, Remembered},
    request_index::RequestIndex,
};

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
    pub(crate) requests: NewRequests,
    /// Empty until the draft is given up.
    pub(crate) body: WrittenBody,
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
pub(crate) struct NewRequest {
    pub(crate) key: Digest,
    pub(crate) revision: Revision,
    pub(crate) time_us: i64,
    /// Where its entry is in the body.
    pub(crate) entry: Range<usize>,
    pub(crate) described: Option<Described>,
}

impl NewRequests {
    fn with_capacity(commands: usize) -> Self {
        Self { in_order: Vec::with_capacity(commands), index: RequestIndex::with_capacity(commands) }
    }

    pub(crate) fn find(&self, key: Digest) -> Option<&NewRequest> {
        let of = |number: u32| &self.in_order[number as usize];
        self.index.find(key, |number| of(number).key == key).map(of)
    }

    pub(crate) fn push(&mut self, request: NewRequest) {
        self.index.insert(request.key, self.in_order.len() as u32);
        self.in_order.push(request);
    }
}

impl NewRequest {
    /// It, with `entry` that stands where it says.
    pub(crate) fn remembered<'a>(&'a self, entry: &'a [u8]) -> Remembered<'a> {
        let Self { key, revision, time_us, entry: _, ref described } = *self;
        Remembered { key, revision, time_us, entry, described: described.as_ref() }
    }
}

impl Changes {
    /// None yet, after `head` of `time_us`; with room for those of so many commands.
    pub(crate) fn none(head: Revision, time_us: i64, commands: usize) -> Self {
        Self {
            head,
            time_us,
            tasks: ByKey::with_capacity(commands),
            task_entries: Vec::with_capacity(commands),
            agents: ByKey::with_capacity(0),
            state_changes: Vec::with_capacity(commands),
            handoffs: NewHandoffs::with_capacity(commands),
            rules: None,
            requests: NewRequests::with_capacity(commands),
            body: WrittenBody::default(),
            recalled: BTreeMap::new(),
        }
    }

    /// The newest revision after the changes.
    pub fn head(&self) -> Revision {
        self.head
    }

    /// The body of the record that tells of the changes: the entries of all commands that were executed, in order.
    pub fn body(&self) -> Bytes {
        self.body.body()
    }

    /// The requests to be remembered, in order.
    pub(crate) fn remembered(&self) -> impl Iterator<Item = Remembered<'_>> + Clone {
        self.requests.in_order.iter().map(|request| self.with_entry(request))
    }

    /// The request of that key, if it is one of these.
    pub(crate) fn find_remembered(&self, key: Digest) -> Option<Remembered<'_>> {
        self.requests.find(key).map(|request| self.with_entry(request))
    }

    /// The archived tasks that go back into the state, because they are changed. Those that were only looked at stay where they are.
    pub(crate) fn coming_back(&self) -> impl Iterator<Item = &ArchivedTask> {
        self.recalled.values().filter(|archived| self.tasks.contains_key(&archived.id))
    }

    fn with_entry<'a>(&'a self, request: &'a NewRequest) -> Remembered<'a> {
        request.remembered(self.body.entry(request.entry.clone()))
    }
}
