//! All tasks of a namespace with their histories, by id.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use super::{
    Handoffs,
    packing::{is_finished, pack_record, unpack_record, unpack_task},
    record::{StoredChange, StoredRecord, TaskHistory},
};
use crate::{Handoff, Revision, Task, TaskId, TaskRecord, limits::UNPACKED_CHANGES_MAX};

/// The present version of each task. The tasks that the last events changed are kept as they are, the others packed.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    slots: BTreeMap<TaskId, Slot>,
    /// The tasks that were changed last, and the events that changed them, oldest first.
    changes: VecDeque<(TaskId, Revision)>,
    changes_max: usize,
}

#[derive(Clone, Debug)]
enum Slot {
    // Boxed: it is large, and most slots are packed.
    AsIs(Box<StoredRecord>),
    Packed(Box<[u8]>),
}

impl Default for Tasks {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), changes: VecDeque::new(), changes_max: UNPACKED_CHANGES_MAX }
    }
}

impl Tasks {
    /// Tasks that were packed, in the order of their ids.
    pub(crate) fn restored(packed: Vec<(TaskId, Box<[u8]>)>) -> Self {
        let slots = packed.into_iter().map(|(id, bytes)| (id, Slot::Packed(bytes))).collect();
        Self { slots, ..Self::default() }
    }

    /// Keeps only the tasks unpacked that the last `changes_max` events changed.
    pub(crate) fn set_changes_max(&mut self, changes_max: usize) {
        self.changes_max = changes_max;
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.slots.contains_key(id)
    }

    /// Those that rest and are finished, packed, in the order of their ids after `after`.
    pub(crate) fn resting_finished(&self, after: Option<&str>) -> impl Iterator<Item = (&TaskId, &[u8])> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.slots.range::<str, _>((start, Bound::Unbounded)).filter_map(|(id, slot)| match slot {
            Slot::Packed(bytes) if is_finished(bytes) => Some((id, &**bytes)),
            _ => None,
        })
    }

    pub(crate) fn remove(&mut self, id: &TaskId) {
        self.slots.remove(id);
    }

    /// Puts back one that was packed.
    pub(crate) fn restore(&mut self, id: TaskId, bytes: Box<[u8]>) {
        self.slots.insert(id, Slot::Packed(bytes));
    }

    pub(crate) fn task(&self, id: &str) -> Option<Arc<Task>> {
        self.slots.get_key_value(id).map(|(id, slot)| slot.task(id))
    }

    pub(crate) fn record(&self, id: &str, handoffs: &Handoffs) -> Option<TaskRecord> {
        self.slots.get_key_value(id).map(|(id, slot)| match slot {
            Slot::AsIs(record) => record.with_handoffs(handoffs),
            Slot::Packed(bytes) => unpack_record(id, bytes).with_handoffs(handoffs),
        })
    }

    pub(crate) fn history<'a>(&'a self, id: &str, handoffs: &'a Handoffs) -> Option<TaskHistory<'a>> {
        Some(TaskHistory::new(self.stored(id)?, handoffs))
    }

    /// A task as it is kept.
    pub(crate) fn stored(&self, id: &str) -> Option<Cow<'_, StoredRecord>> {
        let (id, slot) = self.slots.get_key_value(id)?;
        Some(match slot {
            Slot::AsIs(record) => Cow::Borrowed(&**record),
            Slot::Packed(bytes) => Cow::Owned(unpack_record(id, bytes)),
        })
    }

    /// The tasks in the order of their ids, those after `after` only.
    pub(crate) fn after(&self, after: Option<&str>) -> impl Iterator<Item = Arc<Task>> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.slots.range::<str, _>((start, Bound::Unbounded)).map(|(id, slot)| slot.task(id))
    }

    /// Puts a task in place: a new one, or a new version.
    pub(crate) fn put(&mut self, task: Arc<Task>) {
        match self.record_mut(&task.id) {
            Some(record) => record.task = task,
            None => {
                let id = task.id.clone();
                self.slots.insert(id, Slot::AsIs(Box::new(StoredRecord::new(task))));
            }
        }
    }

    /// Keeps a hand-off as it was for the history that tells of it: it is about to change.
    pub(crate) fn keep_past(&mut self, handoff: Arc<Handoff>) {
        if let Some(record) = self.record_mut(&handoff.task_id) {
            record.keep_past(handoff);
        }
    }

    /// A task that is to be changed: no longer packed.
    pub(crate) fn record_mut(&mut self, id: &TaskId) -> Option<&mut StoredRecord> {
        let slot = self.slots.get_mut(id)?;
        if let Slot::Packed(bytes) = slot {
            *slot = Slot::AsIs(Box::new(unpack_record(id, bytes)));
        }
        match slot {
            Slot::AsIs(record) => Some(record),
            Slot::Packed(_) => None,
        }
    }

    /// Notes that the event of that revision, the newest of the task's history, changed it.
    pub(crate) fn note_change(&mut self, id: TaskId, revision: Revision) {
        self.changes.push_back((id, revision));
    }

    /// Packs the tasks that have not been changed lately, with their hand-offs.
    pub(crate) fn pack_resting(&mut self, handoffs: &mut Handoffs) {
        while self.changes.len() > self.changes_max {
            let Some((id, revision)) = self.changes.pop_front() else { break };
            let Some(slot) = self.slots.get_mut(&id) else { continue };
            let Slot::AsIs(record) = slot else { continue };
            // Otherwise it was changed again and comes up once more.
            if record.history.entries().back().is_some_and(|newest| newest.revision == revision) {
                let packed = pack_record(record);
                for entry in record.history.entries() {
                    if let StoredChange::Kept(id) = entry.what {
                        handoffs.pack(id);
                    }
                }
                *slot = Slot::Packed(packed);
            }
        }
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl ExactSizeIterator<Item = (&TaskId, Cow<'_, [u8]>)> {
        self.slots.iter().map(|(id, slot)| match slot {
            Slot::AsIs(record) => (id, Cow::Owned(pack_record(record).into_vec())),
            Slot::Packed(bytes) => (id, Cow::Borrowed(&**bytes)),
        })
    }
}

impl Slot {
    fn task(&self, id: &TaskId) -> Arc<Task> {
        match self {
            Self::AsIs(record) => Arc::clone(&record.task),
            Self::Packed(bytes) => Arc::new(unpack_task(id, bytes)),
        }
    }
}
