//! Replays a log into a state; tasks that are not in it are fetched from the archive.
//!
//! Knows nothing of checkpoints.

use std::sync::Arc;

use baton_core::{Draft, Revision, State, Subject, decode_body, replay};
use baton_log::{ArchiveReader, Hash, LogReader, ReadLimit, Record};

use super::{OpenEngineError, recall::lend};

/// Replays what the log has after `state`, up to and with the record that holds `until`, and gives the hash of the last record that it replayed.
pub(super) fn catch_up(
    log: &(impl LogReader + ?Sized),
    archive: &dyn ArchiveReader,
    namespace: &Arc<str>,
    state: &mut State,
    until: Revision,
) -> Result<Option<Hash>, OpenEngineError> {
    let mut hash = None;
    while state.head() < until {
        let limit = ReadLimit { records: 256, bytes: 16 * 1024 * 1024 };
        let records = log.read(namespace, state.head().next().0, limit)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            replay_record(archive, namespace, state, record)?;
            hash = Some(record.checksum);
            if state.head() >= until {
                break;
            }
        }
    }
    Ok(hash)
}

fn replay_record(
    archive: &dyn ArchiveReader,
    namespace: &Arc<str>,
    state: &mut State,
    record: &Record,
) -> Result<(), OpenEngineError> {
    let entries = decode_body(record.format, &record.body).map_err(|source| OpenEngineError::Body {
        namespace: Arc::clone(namespace),
        revision: record.first_revision,
        source,
    })?;
    // Rows may be there that were archived for a later checkpoint.
    let as_of_max = state.head().0;
    let mut draft = Draft::new(state);
    // A record may begin before what is still to be replayed.
    let known = draft.head().0.saturating_sub(record.first_revision - 1);
    for entry in entries.iter().skip(usize::try_from(known).unwrap_or(usize::MAX)) {
        if let Some(task) = entry.event.changed_task() {
            lend(&mut draft, Subject::Task(task), namespace, archive, as_of_max)?;
        }
        replay(&mut draft, entry, record.time_us)
            .map_err(|source| OpenEngineError::Misfit { namespace: Arc::clone(namespace), source })?;
    }
    let changes = draft.into_changes();
    state.absorb(changes);
    Ok(())
}
