//! Fetches from the archive what a draft lacks, and brings rows into the form in which the core knows them.
//!
//! Knows nothing of who decides or replays.

use baton_core::{ArchivedTask, Draft, HandoffId, Revision, Subject, TaskId};
use baton_log::{ArchiveError, ArchiveReader, ArchivedRow};

/// Lends `draft` the archived task that `subject` names, if it lacks it and there is one that was archived at `as_of_max` or before.
///
/// # Errors
/// [`ArchiveError`] if it is not known whether there is one.
pub(super) fn lend(
    draft: &mut Draft<'_>,
    subject: Subject<'_>,
    namespace: &str,
    archive: &dyn ArchiveReader,
    as_of_max: u64,
) -> Result<(), ArchiveError> {
    if !draft.lacks(subject) {
        return Ok(());
    }
    let row = match subject {
        Subject::Task(id) => archive.task(namespace, id, as_of_max)?,
        Subject::Handoff(id) => match archive.handoff(namespace, id.0.0)? {
            Some(handoff) => archive.task(namespace, &handoff.task_id, as_of_max)?,
            None => None,
        },
    };
    if let Some(row) = row {
        draft.recall(from_row(row));
    }
    Ok(())
}

/// An archived task as the archive keeps it.
pub(super) fn to_row(archived: &ArchivedTask) -> ArchivedRow {
    let handoffs = archived.handoffs.iter().map(|(id, body)| (id.0.0, body.to_vec().into()));
    ArchivedRow {
        task_id: archived.id.as_str().into(),
        newest_revision: archived.revision.0,
        body: archived.body.to_vec().into(),
        handoffs: handoffs.collect(),
    }
}

/// An archived task as the core knows it.
pub(super) fn from_row(row: ArchivedRow) -> ArchivedTask {
    let ArchivedRow { task_id, newest_revision, body, handoffs } = row;
    let handoffs = handoffs.into_iter().map(|(id, body)| (HandoffId(Revision(id)), (*body).into()));
    ArchivedTask {
        id: TaskId::new(task_id),
        revision: Revision(newest_revision),
        body: (*body).into(),
        handoffs: handoffs.collect(),
    }
}
