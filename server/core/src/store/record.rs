//! A task as the store keeps it: its history names the hand-offs that are kept beside it instead of holding them.
//!
//! So a task can be unpacked, changed and packed again without a look at the hand-offs that it went through.

use std::{borrow::Cow, sync::Arc};

use super::{Handoffs, history::StoredHistory};
use crate::{
    AgentId, Handoff, HandoffId, History, Revision, Task, TaskChange, TaskEntry, TaskRecord, TaskStatus, Text,
};

/// A task with its history.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRecord {
    pub(crate) task: Arc<Task>,
    pub(crate) history: StoredHistory,
}

/// One line of its history, as [`TaskEntry`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredEntry {
    pub(super) revision: Revision,
    pub(super) time_us: i64,
    pub(crate) what: StoredChange,
    pub(super) status: TaskStatus,
    pub(super) owner: AgentId,
    pub(super) owner_epoch: u64,
}

/// What happened, as [`TaskChange`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StoredChange {
    Created,
    Started,
    Updated,
    Ended(Text),
    /// A hand-off, as it is now.
    Kept(HandoffId),
    /// A hand-off, as it was then.
    Past(Arc<Handoff>),
}

impl StoredRecord {
    /// A task to which nothing has happened yet.
    pub(super) fn new(task: Arc<Task>) -> Self {
        Self { task, history: StoredHistory::default() }
    }

    /// The newest line of its history.
    pub(crate) fn newest(&self) -> Option<Revision> {
        self.history.newest().last().map(|entry| entry.revision)
    }

    /// The hand-offs that its history names, each once: all that are kept beside it, if none is open.
    pub(crate) fn kept_handoffs(&self) -> impl Iterator<Item = HandoffId> {
        self.history.lines(&self.task.id).filter_map(|entry| match entry.what {
            StoredChange::Kept(id) => Some(id),
            _ => None,
        })
    }

    /// With the hand-offs in place.
    pub(super) fn with_handoffs(&self, handoffs: &Handoffs) -> TaskRecord {
        let entries = self.history.lines(&self.task.id).map(|entry| entry.with_handoff(handoffs));
        let history = History::restored(entries.collect(), self.history.dropped());
        TaskRecord { task: Arc::clone(&self.task), history }
    }

    /// Adds a line to its history and gives back the oldest if there are now too many.
    pub(super) fn push(&mut self, entry: StoredEntry) -> Option<StoredEntry> {
        self.history.push(&self.task.id, entry)
    }
}

/// A task's history, whose hand-offs are fetched line by line as they are looked at.
#[derive(Debug)]
pub struct TaskHistory<'a> {
    record: Cow<'a, StoredRecord>,
    handoffs: &'a Handoffs,
}

impl<'a> TaskHistory<'a> {
    pub(super) fn new(record: Cow<'a, StoredRecord>, handoffs: &'a Handoffs) -> Self {
        Self { record, handoffs }
    }

    /// How many lines are kept.
    pub fn kept(&self) -> usize {
        self.record.history.kept()
    }

    /// How many older lines are no longer kept.
    pub fn dropped(&self) -> u64 {
        self.record.history.dropped()
    }

    /// The lines after that revision, oldest first.
    pub fn after(&self, revision: Revision) -> impl DoubleEndedIterator<Item = TaskEntry> {
        let entries = self.record.history.after(&self.record.task.id, revision);
        entries.map(|entry| entry.with_handoff(self.handoffs))
    }
}

impl StoredEntry {
    /// The line, after `handoffs` was told what it tells.
    pub(crate) fn new(entry: TaskEntry, handoffs: &Handoffs) -> Self {
        let TaskEntry { revision, time_us, what, status, owner, owner_epoch } = entry;
        let what = match what {
            TaskChange::Created => StoredChange::Created,
            TaskChange::Started => StoredChange::Started,
            TaskChange::Updated => StoredChange::Updated,
            TaskChange::Ended(outcome) => StoredChange::Ended(outcome),
            TaskChange::Handoff(handoff) if handoffs.holds(&handoff) => StoredChange::Kept(handoff.id),
            TaskChange::Handoff(handoff) => StoredChange::Past(handoff),
        };
        Self { revision, time_us, what, status, owner, owner_epoch }
    }

    fn with_handoff(self, handoffs: &Handoffs) -> TaskEntry {
        let Self { revision, time_us, what, status, owner, owner_epoch } = self;
        let what = match what {
            StoredChange::Created => TaskChange::Created,
            StoredChange::Started => TaskChange::Started,
            StoredChange::Updated => TaskChange::Updated,
            StoredChange::Ended(outcome) => TaskChange::Ended(outcome),
            StoredChange::Kept(id) => TaskChange::Handoff(
                handoffs.get(id).expect("a hand-off is kept as long as a history tells of it"),
            ),
            StoredChange::Past(handoff) => TaskChange::Handoff(handoff),
        };
        TaskEntry { revision, time_us, what, status, owner, owner_epoch }
    }
}
