//! All tasks of a namespace with their histories, by id.

use std::{borrow::Cow, collections::VecDeque, ops::Bound, sync::Arc};

use super::{
    Handoffs,
    key::TaskKey,
    packing::{is_finished, pack_record, unpack_history, unpack_record, unpack_task},
    record::{StoredChange, StoredEntry, StoredRecord, TaskHistory},
    sorted::Sorted,
};
use crate::{
    Handoff, Revision, Task, TaskId, TaskRecord,
    limits::{TASK_HISTORY_MAX, UNPACKED_CHANGES_MAX},
};

/// The present version of each task. The tasks that the last events changed are kept as they are, the others packed. A clone shares all of
/// them with the original until one of the two is changed.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    slots: Sorted<TaskKey, Slot>,
    /// The tasks that were changed last, and the events that changed them, oldest first.
    changes: VecDeque<(TaskId, Revision)>,
    changes_max: usize,
}

// Cheap to clone: those that lie near one that changes are copied with it while a clone of the map is held.
#[derive(Clone, Debug)]
enum Slot {
    AsIs(Arc<StoredRecord>),
    Packed(Arc<[u8]>),
}

impl Default for Tasks {
    fn default() -> Self {
        Self { slots: Sorted::default(), changes: VecDeque::new(), changes_max: UNPACKED_CHANGES_MAX }
    }
}

impl Tasks {
    /// Keeps only the tasks unpacked that the last `changes_max` events changed.
    pub(crate) fn set_changes_max(&mut self, changes_max: usize) {
        self.changes_max = changes_max;
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.slots.contains(&TaskKey::new(id))
    }

    /// Those that rest and are finished, packed, in the order of their ids after `after`.
    pub(crate) fn resting_finished(&self, after: Option<&str>) -> impl Iterator<Item = (TaskId, &Arc<[u8]>)> {
        let after = after.map(TaskKey::new);
        self.slots.ascending(after.as_ref().map_or(Bound::Unbounded, Bound::Excluded)).filter_map(
            |(key, slot)| match slot {
                Slot::Packed(bytes) if is_finished(bytes) => Some((key.id(), bytes)),
                _ => None,
            },
        )
    }

    pub(crate) fn remove(&mut self, id: &TaskId) {
        self.slots.remove(&TaskKey::new(id));
    }

    /// Puts back one that was packed.
    pub(crate) fn restore(&mut self, id: TaskId, bytes: Arc<[u8]>) {
        self.slots.insert(TaskKey::new(&id), Slot::Packed(bytes));
    }

    pub(crate) fn task(&self, id: &str) -> Option<Arc<Task>> {
        self.slots.entry(&TaskKey::new(id)).map(|(key, slot)| slot.task(key))
    }

    pub(crate) fn record(&self, id: &str, handoffs: &Handoffs) -> Option<TaskRecord> {
        self.slots.entry(&TaskKey::new(id)).map(|(key, slot)| match slot {
            Slot::AsIs(record) => record.with_handoffs(handoffs),
            Slot::Packed(bytes) => unpack_record(&key.id(), bytes).with_handoffs(handoffs),
        })
    }

    pub(crate) fn history<'a>(&'a self, id: &str, handoffs: &'a Handoffs) -> Option<TaskHistory<'a>> {
        Some(TaskHistory::new(self.stored(id)?, handoffs))
    }

    /// A task as it is kept.
    pub(crate) fn stored(&self, id: &str) -> Option<Cow<'_, StoredRecord>> {
        let (key, slot) = self.slots.entry(&TaskKey::new(id))?;
        Some(match slot {
            Slot::AsIs(record) => Cow::Borrowed(&**record),
            Slot::Packed(bytes) => Cow::Owned(unpack_record(&key.id(), bytes)),
        })
    }

    /// The tasks in the order of their ids, those after `after` only.
    pub(crate) fn after(&self, after: Option<&str>) -> impl Iterator<Item = Arc<Task>> {
        let after = after.map(TaskKey::new);
        self.slots
            .ascending(after.as_ref().map_or(Bound::Unbounded, Bound::Excluded))
            .map(|(key, slot)| slot.task(key))
    }

    /// Adds a line to a task's history, and puts the task's newest version in place, if there is a `newer` one. Gives back the line that
    /// the history no longer has room for.
    pub(crate) fn change(
        &mut self,
        id: TaskId,
        newer: Option<Arc<Task>>,
        entry: StoredEntry,
    ) -> Option<StoredEntry> {
        self.changes.push_back((id.clone(), entry.revision));
        match (self.slots.get_mut(&TaskKey::new(&id)), newer) {
            (Some(slot), newer) => slot.record_mut(&id, newer).history.push(entry, TASK_HISTORY_MAX),
            (None, Some(task)) => {
                let mut record = StoredRecord::new(task);
                record.history.push(entry, TASK_HISTORY_MAX);
                self.slots.insert(TaskKey::new(&id), Slot::AsIs(Arc::new(record)));
                None
            }
            // A line of a history comes with its task, or after it.
            (None, None) => None,
        }
    }

    /// Keeps a hand-off as it was for the history that tells of it, since there is a newer version, and puts the task's newest version in
    /// place, if there is a `newer` one.
    pub(crate) fn keep_past(&mut self, handoff: Arc<Handoff>, newer: Option<Arc<Task>>) {
        if let Some(slot) = self.slots.get_mut(&TaskKey::new(&handoff.task_id)) {
            slot.record_mut(&handoff.task_id, newer).keep_past(handoff);
        }
    }

    /// Packs the tasks that have not been changed lately, with their hand-offs.
    pub(crate) fn pack_resting(&mut self, handoffs: &mut Handoffs) {
        while self.changes.len() > self.changes_max {
            self.pack_oldest(handoffs);
        }
    }

    /// Packs the tasks that no event after `until` has changed, with their hand-offs.
    pub(crate) fn pack_until(&mut self, until: Revision, handoffs: &mut Handoffs) {
        while self.changes.front().is_some_and(|(_, revision)| *revision <= until) {
            self.pack_oldest(handoffs);
        }
    }

    /// Packs the task that the oldest change concerns, unless it was changed again: then it comes up once more.
    fn pack_oldest(&mut self, handoffs: &mut Handoffs) {
        let Some((id, revision)) = self.changes.pop_front() else { return };
        let Some(slot) = self.slots.get_mut(&TaskKey::new(&id)) else { return };
        let Slot::AsIs(record) = slot else { return };
        if record.newest() != Some(revision) {
            return;
        }
        let packed = pack_record(record);
        let newest_first = record.history.entries().iter().rev();
        let mut kept = newest_first.filter_map(|entry| match entry.what {
            StoredChange::Kept(id) => Some(id),
            _ => None,
        });
        // Those that are older than one that is packed already were packed with it.
        while kept.next().is_some_and(|id| handoffs.pack(id)) {}
        *slot = Slot::Packed(packed);
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (&str, Arc<[u8]>)> {
        self.slots.iter().map(|(key, slot)| match slot {
            Slot::AsIs(record) => (key.as_str(), pack_record(record)),
            Slot::Packed(bytes) => (key.as_str(), Arc::clone(bytes)),
        })
    }
}

impl Slot {
    fn task(&self, key: &TaskKey) -> Arc<Task> {
        match self {
            Self::AsIs(record) => Arc::clone(&record.task),
            Self::Packed(bytes) => Arc::new(unpack_task(&key.id(), bytes)),
        }
    }

    /// The record of a task that changes, no longer packed, with the task as `newer` has it.
    fn record_mut(&mut self, id: &TaskId, newer: Option<Arc<Task>>) -> &mut StoredRecord {
        if let Self::Packed(bytes) = self {
            let record = match &newer {
                Some(task) => StoredRecord { task: Arc::clone(task), history: unpack_history(bytes) },
                None => unpack_record(id, bytes),
            };
            *self = Self::AsIs(Arc::new(record));
        }
        let Self::AsIs(record) = self else { unreachable!("it was unpacked") };
        let record = Arc::make_mut(record);
        if let Some(task) = newer {
            record.task = task;
        }
        record
    }
}
