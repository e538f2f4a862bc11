//! All that is known of one namespace: a view of its log.
//!
//! Changes only by absorbing a draft's changes; how those come about stands in `decide` and `apply`.

use std::sync::Arc;

use crate::{
    AgentId, AgentState, Changes, Handoff, HandoffId, History, Revision, RuleSet, StateChange, Task,
    TaskEntry, TaskId,
    agents::Agents,
    limits::STATE_HISTORY_MAX,
    requests::{RequestMemory, Requests},
    store::{Handoffs, StoredChange, StoredEntry, TaskHistory, Tasks},
};

/// One namespace as of its head.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) head: Revision,
    pub(crate) time_us: i64,
    pub(crate) tasks: Tasks,
    pub(crate) agents: Agents,
    pub(crate) handoffs: Handoffs,
    pub(crate) rules: RuleSet,
    pub(crate) requests: Requests,
    pub(crate) memory: RequestMemory,
    /// How many tasks were taken out, to be kept elsewhere.
    pub(crate) archived: u64,
}

/// A task with its history.
#[derive(Clone, Debug)]
pub struct TaskRecord {
    /// The task.
    pub task: Arc<Task>,
    /// What happened to it.
    pub history: History<TaskEntry>,
}

/// An agent's state with its history.
#[derive(Clone, Debug)]
pub struct AgentRecord {
    /// The state.
    pub state: Arc<AgentState>,
    /// How it came to be.
    pub history: History<StateChange>,
}

impl State {
    /// An empty namespace that remembers requests within the given bounds.
    pub fn new(memory: RequestMemory) -> Self {
        Self { memory, ..Self::default() }
    }

    /// A copy to write a checkpoint of, and to [forget](Self::forget) tasks in; commands are not for it. It shares what it holds with the
    /// original, so it costs next to nothing, however much that is; what either of them changes from then on is copied first, a few
    /// neighbours with it.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let Self { head, time_us, tasks, agents, handoffs, rules, requests, memory, archived } = self;
        Self {
            head: *head,
            time_us: *time_us,
            tasks: tasks.clone(),
            agents: agents.clone(),
            handoffs: handoffs.clone(),
            rules: rules.clone(),
            requests: requests.snapshot(),
            memory: *memory,
            archived: *archived,
        }
    }

    /// Keeps only those tasks unpacked in memory that the newest `changes_max` events changed, instead of
    /// [`UNPACKED_CHANGES_MAX`](crate::limits::UNPACKED_CHANGES_MAX). Makes no difference but to time and memory.
    pub fn set_unpacked_changes_max(&mut self, changes_max: usize) {
        self.tasks.set_changes_max(changes_max);
    }

    /// The newest revision; 0: nothing has happened yet.
    pub fn head(&self) -> Revision {
        self.head
    }

    /// When the newest event was recorded, in microseconds since the Unix epoch.
    pub fn time_us(&self) -> i64 {
        self.time_us
    }

    /// The task of that id.
    pub fn task(&self, id: &str) -> Option<Arc<Task>> {
        self.tasks.task(id)
    }

    /// The task of that id, with its history.
    pub fn task_record(&self, id: &str) -> Option<TaskRecord> {
        self.tasks.record(id, &self.handoffs)
    }

    /// What happened to the task of that id.
    pub fn task_history(&self, id: &str) -> Option<TaskHistory<'_>> {
        self.tasks.history(id, &self.handoffs)
    }

    /// The tasks in the order of their ids, those after `after` only.
    pub fn tasks_after(&self, after: Option<&str>) -> impl Iterator<Item = Arc<Task>> {
        self.tasks.after(after)
    }

    /// How many tasks there are, without those that are [archived](Self::archived_count).
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// The state of that agent, with its history.
    pub fn agent(&self, id: &str) -> Option<&AgentRecord> {
        self.agents.get(&AgentId::from(id)).map(|record| &**record)
    }

    /// The hand-off of that id.
    pub fn handoff(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        self.handoffs.get(id)
    }

    /// The hand-offs that are not closed, in the order in which they were created.
    pub fn open_handoffs(&self) -> impl Iterator<Item = Arc<Handoff>> {
        self.handoffs.open().filter_map(|id| self.handoffs.get(id))
    }

    /// The hand-offs in the order in which they were created, those after `after` only.
    pub fn handoffs_after(&self, after: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        self.handoffs.after(after)
    }

    /// The hand-offs before `before`, newest first.
    pub fn handoffs_before(&self, before: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        self.handoffs.before(before)
    }

    /// Which rules are in force.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Makes the changes of a draft part of the state, and packs the tasks that were not changed lately, which makes no difference but to
    /// time and memory. Costs a step per change, whatever the state's size.
    pub fn absorb(&mut self, changes: Changes) {
        self.absorb_awake(changes);
        self.tasks.pack_resting(&mut self.handoffs);
    }

    /// As [`State::absorb`], but packs nothing: that takes as long again, and nobody need wait for it. [`State::rest_until`] does it.
    pub fn absorb_awake(&mut self, changes: Changes) {
        self.requests.extend(changes.remembered(), self.memory);
        let Changes {
            head,
            time_us,
            tasks,
            task_entries,
            agents,
            state_changes,
            handoffs,
            rules,
            recalled,
            ..
        } = changes;
        self.head = head;
        self.time_us = time_us;
        // One that was only looked at stays where it is.
        for archived in recalled.into_values().filter(|archived| tasks.contains_key(&archived.id)) {
            self.recall(archived);
        }
        for handoff in handoffs {
            if let Some(before) = self.handoffs.put(handoff) {
                let newer = tasks.get(&before.task_id).cloned();
                self.tasks.keep_past(before, newer);
            }
        }
        for (id, entry) in task_entries {
            let newer = tasks.get(&id).cloned();
            self.change_task(id, newer, entry);
        }
        for (id, change) in state_changes {
            let newer = agents.get(&id).cloned();
            self.change_agent(&id, newer, change);
        }
        if let Some(rules) = rules {
            self.rules = rules;
        }
    }

    /// A closed hand-off leaves together with the last entry of its task's history that tells of it. An open one stays
    /// until it is closed, which is a new entry: its task still names it.
    fn change_task(&mut self, id: TaskId, newer: Option<Arc<Task>>, entry: TaskEntry) {
        let entry = StoredEntry::new(entry, &self.handoffs);
        if let Some(dropped) = self.tasks.change(id, newer, entry)
            && let StoredChange::Kept(handoff) = dropped.what
            && !self.handoffs.is_open(handoff)
        {
            self.handoffs.remove(handoff);
        }
    }

    fn change_agent(&mut self, id: &AgentId, newer: Option<Arc<AgentState>>, change: StateChange) {
        match (self.agents.get_mut(id), newer) {
            (Some(record), newer) => {
                let record = Arc::make_mut(record);
                record.state = newer.unwrap_or_else(|| Arc::clone(&record.state));
                record.history.push(change, STATE_HISTORY_MAX);
            }
            (None, Some(state)) => {
                let mut history = History::default();
                history.push(change, STATE_HISTORY_MAX);
                self.agents.insert(AgentRecord { state, history });
            }
            // A line of a history comes with its state, or after it.
            (None, None) => (),
        }
    }
}
