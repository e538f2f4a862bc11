//! All tasks of a namespace with their histories, by id.

use std::{borrow::Cow, collections::VecDeque, ops::Bound, sync::Arc};

use super::{
    Handoffs,
    kept::{Kept, merged},
    key::Key,
    packing::{Buffer, is_finished, pack_record, unpack_history, unpack_record, unpack_task},
    pages::{Pages, Run},
    record::{StoredEntry, StoredRecord, TaskHistory},
    sorted::Sorted,
};
use crate::{Handoff, Revision, Task, TaskId, TaskRecord, limits::UNPACKED_CHANGES_MAX};

/// Room for so many changes is not given back.
const CHANGES_ROOM: usize = 64;

/// The present version of each task. Tasks that are changed again and again are kept as they are, others packed, also those that are changed
/// once after a long time. A clone shares all of them with the original until one of the two is changed.
#[derive(Clone, Debug)]
pub(crate) struct Tasks {
    as_is: Sorted<Key, Arc<StoredRecord>>,
    /// Those that rest; and older versions of some that are kept as they are.
    packed: Pages,
    len: usize,
    /// Those that are kept as they are, and the events that changed them, oldest first.
    changes: VecDeque<(TaskId, Revision)>,
    changes_max: usize,
    buffer: Buffer,
}

impl Default for Tasks {
    fn default() -> Self {
        Self {
            as_is: Sorted::default(),
            packed: Pages::default(),
            len: 0,
            changes: VecDeque::new(),
            changes_max: UNPACKED_CHANGES_MAX,
            buffer: Buffer::default(),
        }
    }
}

impl Tasks {
    /// Keeps only the tasks unpacked that the last `changes_max` events changed.
    pub(crate) fn set_changes_max(&mut self, changes_max: usize) {
        self.changes_max = changes_max;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.kept(id).is_some()
    }

    /// Those that rest and are finished, packed, in the order of their ids after `after`.
    pub(crate) fn resting_finished(&self, after: Option<&str>) -> impl Iterator<Item = (TaskId, &[u8])> {
        let resting = self.packed.ascending(after.map(str::as_bytes));
        let finished =
            resting.filter(|(key, bytes)| is_finished(bytes) && !self.as_is.contains(&Key::new(key)));
        finished.map(|(key, bytes)| (id(key), bytes))
    }

    pub(crate) fn remove(&mut self, id: &TaskId) {
        if self.contains(id) {
            self.as_is.remove(&Key::new(id.as_bytes()));
            self.packed.remove(id.as_bytes());
            self.len -= 1;
        }
    }

    /// Puts back one that was packed.
    pub(crate) fn restore(&mut self, id: &str, bytes: &[u8]) {
        self.len += usize::from(!self.contains(id));
        self.packed.set(id.as_bytes(), bytes);
    }

    /// Puts back many that were packed, all of them behind those that are there. Tells whether they are; if not, nothing is changed.
    pub(crate) fn restore_run(&mut self, run: Run) -> bool {
        let count = run.count();
        let fits = self.packed.append(run);
        self.len += if fits { count } else { 0 };
        fits
    }

    pub(crate) fn task(&self, id: &str) -> Option<Arc<Task>> {
        self.kept(id).map(|kept| kept.task(id.as_bytes()))
    }

    pub(crate) fn record(&self, id: &str, handoffs: &Handoffs) -> Option<TaskRecord> {
        self.stored(id).map(|record| record.with_handoffs(handoffs))
    }

    pub(crate) fn history<'a>(&'a self, id: &str, handoffs: &'a Handoffs) -> Option<TaskHistory<'a>> {
        Some(TaskHistory::new(self.stored(id)?, handoffs))
    }

    /// A task as it is kept.
    pub(crate) fn stored(&self, id: &str) -> Option<Cow<'_, StoredRecord>> {
        Some(match self.kept(id)? {
            Kept::AsIs(record) => Cow::Borrowed(&**record),
            Kept::Packed(bytes) => Cow::Owned(unpack_record(&TaskId::from(id), bytes)),
        })
    }

    /// The tasks in the order of their ids, those after `after` only.
    pub(crate) fn after(&self, after: Option<&str>) -> impl Iterator<Item = Arc<Task>> {
        self.ascending(after).map(|(key, kept)| kept.task(key))
    }

    /// Adds a line to a task's history, and puts the task's newest version in place, if there is a `newer` one. Gives back the line that
    /// the history no longer has room for.
    pub(crate) fn change(
        &mut self,
        id: TaskId,
        newer: Option<Arc<Task>>,
        entry: StoredEntry,
    ) -> Option<StoredEntry> {
        let key = Key::new(id.as_bytes());
        let revision = entry.revision;
        let dropped = if let Some(record) = self.as_is.get_mut(&key) {
            renewed(record, newer).push(entry)
        } else {
            let mut record = self.unpacked(&id, newer)?;
            let rests = self.rests_on(&record, revision);
            let dropped = record.push(entry);
            if rests {
                self.pack(&id, &record);
                return dropped;
            }
            self.as_is.insert(key, Arc::new(record));
            dropped
        };
        self.changes.push_back((id, revision));
        dropped
    }

    /// Keeps a hand-off as it was for the history that tells of it, since there is a newer version, and puts the task's newest version in
    /// place, if there is a `newer` one. A [change](Self::change) of the task follows.
    pub(crate) fn keep_past(&mut self, handoff: Arc<Handoff>, newer: Option<Arc<Task>>) {
        let id = handoff.task_id.clone();
        let key = Key::new(id.as_bytes());
        if let Some(record) = self.as_is.get_mut(&key) {
            renewed(record, newer).history.keep_past(handoff);
        } else if let Some(mut record) = self.unpacked(&id, newer) {
            record.history.keep_past(handoff);
            self.as_is.insert(key, Arc::new(record));
        }
    }

    /// The record of a task that is not kept as it is, with its `newer` version in place, if there is one. A new task is counted. `None`: there is
    /// no such task.
    fn unpacked(&mut self, id: &TaskId, newer: Option<Arc<Task>>) -> Option<StoredRecord> {
        Some(match (self.packed.get(id.as_bytes()), newer) {
            (Some(bytes), Some(task)) => StoredRecord { task, history: unpack_history(id, bytes) },
            (Some(bytes), None) => unpack_record(id, bytes),
            (None, newer) => {
                // A line of a history comes with its task, or after it.
                let record = StoredRecord::new(newer?);
                self.len += 1;
                record
            }
        })
    }

    /// Whether a task that rested is packed again at once, with the change of `revision`: it was not changed lately, so it need not be soon
    /// again, and to keep it as it is until it rests would take twice as long.
    fn rests_on(&self, record: &StoredRecord, revision: Revision) -> bool {
        let is_old = |newest: Revision| revision.0 - newest.0 > self.changes_max as u64;
        is_settled(&record.task) && record.newest().is_some_and(is_old)
    }

    /// Packs the tasks that have not been changed lately, with their open hand-offs.
    pub(crate) fn pack_resting(&mut self, handoffs: &mut Handoffs) {
        while self.changes.len() > self.changes_max {
            self.pack_oldest(handoffs);
        }
    }

    /// Packs the tasks that no event after `until` has changed, with their open hand-offs.
    pub(crate) fn pack_until(&mut self, until: Revision, handoffs: &mut Handoffs) {
        while self.changes.front().is_some_and(|(_, revision)| *revision <= until) {
            self.pack_oldest(handoffs);
        }
        self.give_room_back();
    }

    /// Whoever goes quiet does not keep the room of its busiest time.
    fn give_room_back(&mut self) {
        let (len, room) = (self.changes.len(), self.changes.capacity());
        if room > CHANGES_ROOM && len < room / 4 {
            self.changes.shrink_to((2 * len).max(CHANGES_ROOM));
        }
    }

    /// Packs the task that the oldest change concerns, unless it was changed again: then it comes up once more.
    fn pack_oldest(&mut self, handoffs: &mut Handoffs) {
        let Some((id, revision)) = self.changes.pop_front() else { return };
        let key = Key::new(id.as_bytes());
        if self.as_is.get(&key).is_none_or(|record| record.newest() != Some(revision)) {
            return;
        }
        if let Some(record) = self.as_is.take(&key) {
            self.pack(&id, &record);
            if let Some(open) = record.task.open_handoff {
                handoffs.pack(open);
            }
        }
    }

    fn pack(&mut self, id: &TaskId, record: &StoredRecord) {
        self.buffer.record(record, |bytes| self.packed.set(id.as_bytes(), bytes));
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (&str, Cow<'_, [u8]>)> {
        self.ascending(None).map(|(key, kept)| match kept {
            Kept::AsIs(record) => (text(key), Cow::Owned(pack_record(record))),
            Kept::Packed(bytes) => (text(key), Cow::Borrowed(bytes)),
        })
    }

    fn ascending(&self, after: Option<&str>) -> impl Iterator<Item = (&[u8], Kept<'_, StoredRecord>)> {
        let after = after.map(str::as_bytes);
        let bound = after.map(Key::new);
        let as_is = self.as_is.ascending(bound.as_ref().map_or(Bound::Unbounded, Bound::Excluded));
        let packed = self.packed.ascending(after);
        merged(as_is.map(|(key, record)| (key.bytes(), record)), packed, |key, other| key.cmp(other))
    }

    fn kept(&self, id: &str) -> Option<Kept<'_, StoredRecord>> {
        let as_is = self.as_is.get(&Key::new(id.as_bytes())).map(Kept::AsIs);
        as_is.or_else(|| self.packed.get(id.as_bytes()).map(Kept::Packed))
    }
}

/// A record to be changed, with the `newer` version of its task in place, if there is one.
fn renewed(record: &mut Arc<StoredRecord>, newer: Option<Arc<Task>>) -> &mut StoredRecord {
    let record = Arc::make_mut(record);
    if let Some(task) = newer {
        record.task = task;
    }
    record
}

/// Whether nothing has begun that another change would end. (What is finished is archived some time after, not at once.)
fn is_settled(task: &Task) -> bool {
    task.open_handoff.is_none() && !task.status.is_finished()
}

fn text(key: &[u8]) -> &str {
    str::from_utf8(key).expect("all keys are ids")
}

fn id(key: &[u8]) -> TaskId {
    TaskId::from(text(key))
}

impl Kept<'_, StoredRecord> {
    fn task(self, key: &[u8]) -> Arc<Task> {
        match self {
            Self::AsIs(record) => Arc::clone(&record.task),
            Self::Packed(bytes) => Arc::new(unpack_task(&id(key), bytes)),
        }
    }
}
