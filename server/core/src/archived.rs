//! Takes finished tasks that rest out of a state, to be kept elsewhere, and puts them back.
//!
//! Pure: knows nothing of where they are kept. They leave in the bytes in which they are kept in memory, and come back in the same.

use std::sync::Arc;

use crate::{
    Handoff, HandoffId, Revision, State, Task, TaskId, TaskRecord,
    limits::REQUEST_SEGMENT_COUNT,
    store::{Handoffs, StoredRecord, TaskHistory, Tasks, unpack_handoff, unpack_task},
};

/// A finished task that rests, with its history and its hand-offs: all that a state knows of it.
///
/// The bytes are as [`State::resting`] gave them, in the format of [`CHECKPOINT_FORMAT`](crate::CHECKPOINT_FORMAT): whoever keeps them makes
/// sure that they come back unaltered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedTask {
    /// Its id.
    pub id: TaskId,
    /// The newest entry of its history.
    pub revision: Revision,
    /// The task and its history, packed.
    pub body: Arc<[u8]>,
    /// Its hand-offs, packed, in the order of their ids.
    pub handoffs: Vec<(HandoffId, Arc<[u8]>)>,
}

/// The task of that id, from its bytes.
pub fn archived_task(id: &TaskId, body: &[u8]) -> Task {
    unpack_task(id, body)
}

/// The hand-off of that id, from its bytes.
pub fn archived_handoff(id: HandoffId, body: &[u8]) -> Handoff {
    unpack_handoff(id, body)
}

impl ArchivedTask {
    /// The task alone.
    pub fn task(&self) -> Task {
        unpack_task(&self.id, &self.body)
    }

    /// The task with its history.
    pub fn record(self) -> TaskRecord {
        let id = self.id.clone();
        self.alone().task_record(&id).expect("it is there")
    }

    /// What `read` says of its history.
    pub fn read_history<T>(self, read: impl FnOnce(TaskHistory<'_>) -> T) -> T {
        let id = self.id.clone();
        let state = self.alone();
        read(state.task_history(&id).expect("it is there"))
    }

    /// A state that has nothing else.
    fn alone(self) -> State {
        let mut state = State::default();
        state.recall(self);
        state
    }

    /// One of its hand-offs.
    pub fn handoff(&self, id: HandoffId) -> Option<Handoff> {
        let found = self.handoffs.iter().find(|(present, _)| *present == id);
        found.map(|(id, bytes)| unpack_handoff(*id, bytes))
    }

    /// Whether it has that hand-off.
    pub fn has_handoff(&self, id: HandoffId) -> bool {
        self.handoffs.iter().any(|(present, _)| *present == id)
    }
}

impl State {
    /// How many tasks were taken out and not put back.
    pub fn archived_count(&self) -> u64 {
        self.archived
    }

    /// How many tasks, hand-offs and remembered requests a checkpoint of it has to copy, about: most requests are in segments.
    pub fn copied_count(&self) -> usize {
        let in_no_segment = self.requests.len().min(REQUEST_SEGMENT_COUNT);
        self.tasks.len() + self.handoffs.count_about() + in_no_segment
    }

    /// Whether it has a task of that id.
    pub fn has_task(&self, id: &str) -> bool {
        self.tasks.contains(id)
    }

    /// Lets those tasks rest that no event after `until` has changed, though they be among those that the newest events changed.
    pub fn rest_until(&mut self, until: Revision) {
        self.tasks.pack_until(until, &mut self.handoffs);
    }

    /// The finished tasks that have no open hand-off and were not changed by the newest events, in the order of their ids after `after`.
    pub fn resting(&self, after: Option<&str>) -> impl Iterator<Item = ArchivedTask> {
        let found = self.tasks.resting_finished(after);
        found.filter_map(|(id, body)| taken_out(id, body, &self.tasks, &self.handoffs))
    }

    /// Removes a task with its hand-offs if `revision` is the newest of its history. Whoever calls this keeps it, and lends it to
    /// [drafts](crate::Draft::recall). Tells whether it was removed.
    pub fn forget(&mut self, id: &TaskId, revision: Revision) -> bool {
        let Some(record) = self.tasks.stored(id).filter(|record| record.newest() == Some(revision)) else {
            return false;
        };
        for handoff in record.kept_handoffs() {
            self.handoffs.remove(handoff);
        }
        self.tasks.remove(id);
        self.archived += 1;
        true
    }

    /// Puts a task back that was taken out. Does nothing if there is one of its id.
    pub fn recall(&mut self, archived: ArchivedTask) {
        let ArchivedTask { id, revision: _, body, handoffs } = archived;
        if self.tasks.contains(&id) {
            return;
        }
        for (handoff, bytes) in handoffs {
            self.handoffs.restore(handoff, &bytes);
        }
        self.tasks.restore(&id, &body);
        self.archived = self.archived.saturating_sub(1);
    }
}

fn taken_out(id: TaskId, body: &[u8], tasks: &Tasks, handoffs: &Handoffs) -> Option<ArchivedTask> {
    let record = tasks.stored(&id)?;
    let revision = record.newest()?;
    if has_open_handoff(&record, handoffs) {
        return None;
    }
    let kept = record.kept_handoffs().filter_map(|id| Some((id, handoffs.packed_one(id)?.into())));
    let mut kept: Vec<(HandoffId, Arc<[u8]>)> = kept.collect();
    kept.sort_unstable_by_key(|(id, _)| *id);
    Some(ArchivedTask { id, revision, body: body.into(), handoffs: kept })
}

fn has_open_handoff(record: &StoredRecord, handoffs: &Handoffs) -> bool {
    if record.task.open_handoff.is_some() || record.kept_handoffs().any(|id| handoffs.is_open(id)) {
        return true;
    }
    // The entry that tells of an open one may have been dropped; that is rare enough to look at all that are open.
    let of_task = |id: HandoffId| handoffs.get(id).is_some_and(|handoff| handoff.task_id == record.task.id);
    record.history.dropped() > 0 && handoffs.open().any(of_task)
}
