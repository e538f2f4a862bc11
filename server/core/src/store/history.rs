//! The history of a task as the store keeps it: its newest lines as they are, the others packed in blocks.

use std::sync::Arc;

use super::{
    packing::{BLOCK_LINES, Block, Blocks},
    record::{StoredChange, StoredEntry},
};
use crate::{Handoff, HandoffId, Revision, TaskId, limits::TASK_HISTORY_MAX};

// The oldest line is always in a block once there are too many.
const _: () = assert!(TASK_HISTORY_MAX > BLOCK_LINES);

/// The newest lines of a task's history, [`TASK_HISTORY_MAX`] at most. What stands in which block follows from how many lines there have been,
/// so that equal histories are equal in memory and in bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StoredHistory {
    /// Of the oldest the first lines may no longer count.
    older: Blocks,
    /// One to [`BLOCK_LINES`], the oldest first; none in a history without lines.
    newest: Vec<StoredEntry>,
    dropped: u64,
}

impl StoredHistory {
    pub(super) fn restored(older: Blocks, newest: Vec<StoredEntry>, dropped: u64) -> Self {
        Self { older, newest, dropped }
    }

    /// How many lines are no longer kept.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn older(&self) -> &Blocks {
        &self.older
    }

    pub(super) fn newest(&self) -> &[StoredEntry] {
        &self.newest
    }

    /// How many lines are kept.
    pub(super) fn kept(&self) -> usize {
        BLOCK_LINES * self.older.count() - self.dropped_of_oldest() + self.newest.len()
    }

    /// How many lines of the oldest block no longer count.
    fn dropped_of_oldest(&self) -> usize {
        (self.dropped % BLOCK_LINES as u64) as usize
    }

    /// All lines, oldest first.
    pub(crate) fn lines(&self, task: &TaskId) -> impl Iterator<Item = StoredEntry> {
        self.after(task, Revision(0))
    }

    /// The lines after that revision, oldest first. Blocks are unpacked as they are reached.
    pub(super) fn after(
        &self,
        task: &TaskId,
        revision: Revision,
    ) -> impl DoubleEndedIterator<Item = StoredEntry> {
        let blocks: Vec<Block<'_>> = self.older.iter().collect();
        let older = blocks.into_iter().enumerate().filter(move |(_, block)| block.newest() > revision);
        let older = older.flat_map(move |(index, block)| {
            let dropped = if index == 0 { self.dropped_of_oldest() } else { 0 };
            block.lines(task).into_iter().skip(dropped)
        });
        older.chain(self.newest.iter().cloned()).filter(move |line| line.revision > revision)
    }

    /// Adds the newest line and gives back the oldest if there are now too many.
    pub(super) fn push(&mut self, task: &TaskId, line: StoredEntry) -> Option<StoredEntry> {
        if self.newest.len() == BLOCK_LINES {
            self.older.push(&self.newest);
            self.newest.clear();
        }
        self.newest.push(line);
        if self.kept() > TASK_HISTORY_MAX { self.drop_oldest(task) } else { None }
    }

    fn drop_oldest(&mut self, task: &TaskId) -> Option<StoredEntry> {
        let mut lines = self.older.iter().next()?.lines(task);
        let oldest = lines.swap_remove(self.dropped_of_oldest());
        self.dropped += 1;
        if self.dropped_of_oldest() == 0 {
            self.older.drop_oldest();
        }
        Some(oldest)
    }

    /// Keeps `handoff` as it was for the line that tells of it: it is about to change.
    pub(super) fn keep_past(&mut self, handoff: Arc<Handoff>) {
        if let Some(line) = line_of(&mut self.newest, handoff.id) {
            line.what = StoredChange::Past(handoff);
        } else {
            let (task, revision) = (handoff.task_id.clone(), handoff.revision);
            self.older.alter(&task, revision, |lines| {
                if let Some(line) = line_of(lines, handoff.id) {
                    line.what = StoredChange::Past(handoff);
                }
            });
        }
    }
}

/// The newest line that tells of that hand-off as it is now.
fn line_of(lines: &mut [StoredEntry], id: HandoffId) -> Option<&mut StoredEntry> {
    lines.iter_mut().rev().find(|line| matches!(line.what, StoredChange::Kept(of) if of == id))
}
