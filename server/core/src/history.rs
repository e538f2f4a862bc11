//! What happened to a task or to a state: the newest entries, and how many older ones there were.

use std::{collections::VecDeque, sync::Arc};

use crate::{AgentId, Handoff, Revision, TaskStatus, Text};

/// The newest entries of a history, up to a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct History<T> {
    entries: VecDeque<T>,
    dropped: u64,
}

impl<T> Default for History<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), dropped: 0 }
    }
}

impl<T> History<T> {
    pub(crate) fn restored(entries: VecDeque<T>, dropped: u64) -> Self {
        Self { entries, dropped }
    }

    /// The entries that are kept, oldest first.
    pub fn entries(&self) -> &VecDeque<T> {
        &self.entries
    }

    /// How many older ones are no longer kept.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Adds the newest of those that were kept.
    pub(crate) fn restore(&mut self, entry: T) {
        self.entries.push_back(entry);
    }

    /// Adds the newest and gives back the oldest if there are now more than `count_max`.
    pub(crate) fn push(&mut self, entry: T, count_max: usize) -> Option<T> {
        self.entries.push_back(entry);
        if self.entries.len() <= count_max {
            return None;
        }
        self.dropped += 1;
        self.entries.pop_front()
    }
}

/// One line of a task's history.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskEntry {
    /// The event.
    pub revision: Revision,
    /// When, in microseconds since the Unix epoch.
    pub time_us: i64,
    /// What.
    pub what: TaskChange,
    /// The status after it.
    pub status: TaskStatus,
    /// The owner after it.
    pub owner: AgentId,
    /// The owner epoch after it.
    pub owner_epoch: u64,
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq)]
pub enum TaskChange {
    /// It was created.
    Created,
    /// It was started.
    Started,
    /// Description, metadata or progress changed.
    Updated,
    /// It ended, as its status says, with this outcome.
    Ended(Text),
    /// A hand-off was initiated or closed, as its status says.
    Handoff(Arc<Handoff>),
}
