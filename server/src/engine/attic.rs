//! Moves finished tasks that rest from a state to the archive, a bounded part at a time.
//!
//! Knows nothing of checkpoints.

use baton_core::{ArchivedTask, Revision, State, TaskId};
use baton_log::{Archive, ArchiveError, ArchivedRow};

use super::recall::to_row;

/// Most tasks that are saved at once.
const TASKS_MAX: usize = 1_024;
/// Most bytes of tasks that are saved at once, if there are more than one.
const BYTES_MAX: usize = 8 * 1024 * 1024;

/// Saves what rests, and removes it from `state` once it is durable; `taken_out` is told of each part then.
///
/// # Errors
/// [`ArchiveError`]; what was not saved is still in the state.
pub(super) fn take_out(
    state: &mut State,
    namespace: &str,
    archive: &mut dyn Archive,
    mut taken_out: impl FnMut(Vec<(TaskId, Revision)>),
) -> Result<(), ArchiveError> {
    let mut after: Option<TaskId> = None;
    loop {
        let part = next_part(state, after.as_deref());
        let Some(last) = part.last() else { return Ok(()) };
        after = Some(last.id.clone());
        let rows: Vec<ArchivedRow> = part.iter().map(to_row).collect();
        archive.save(namespace, state.head().0, &rows)?;
        let tasks: Vec<_> = part.into_iter().map(|archived| (archived.id, archived.revision)).collect();
        for (id, revision) in &tasks {
            state.forget(id, *revision);
        }
        taken_out(tasks);
    }
}

fn next_part(state: &State, after: Option<&str>) -> Vec<ArchivedTask> {
    let mut bytes = 0_usize;
    let has_room = |archived: &ArchivedTask| {
        let before = bytes;
        let handoffs: usize = archived.handoffs.iter().map(|(_, body)| body.len()).sum();
        bytes += archived.body.len() + handoffs;
        before < BYTES_MAX
    };
    state.resting(after).take(TASKS_MAX).take_while(has_room).collect()
}
