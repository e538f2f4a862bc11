//! Decides a batch of commands, namespace by namespace, and makes the records that are to be appended.

use std::{sync::Arc, time::Instant};

use baton_core::{BODY_FORMAT, Changes, Command, Draft, Outcome, execute};
use baton_log::{Append, ArchiveReader, Hash, Record};

use super::{
    EngineError,
    namespace::Namespace,
    recall::lend,
    submission::{Reply, Submission},
    tally::Tally,
};

/// What a batch does to one namespace.
pub(super) struct Prepared {
    pub(super) namespace: Arc<Namespace>,
    pub(super) append: Append,
    pub(super) changes: Changes,
    pub(super) tally: Tally,
}

/// The submissions by namespace, in the order in which they came. The order of namespaces does not matter to anyone, but it is fixed.
pub(super) fn by_namespace(mut batch: Vec<Submission>) -> Vec<(Arc<str>, Vec<Submission>)> {
    // Mostly there is one namespace, and then nothing moves.
    batch.sort_by(|a, b| a.namespace.cmp(&b.namespace));
    let mut groups = Vec::new();
    while let Some(last) = batch.last() {
        let name = Arc::clone(&last.namespace);
        let start = batch.partition_point(|submission| submission.namespace < name);
        groups.push((name, batch.split_off(start)));
    }
    groups
}

/// Decides the commands of one namespace, in order. `None`: nothing is to be recorded.
pub(super) fn prepare(
    namespace: &Arc<Namespace>,
    archive: &dyn ArchiveReader,
    previous: Hash,
    group: Vec<Submission>,
    clock_us: i64,
    replies: &mut Vec<Reply>,
) -> Option<Prepared> {
    let state = namespace.read();
    let mut draft = Draft::of_batch(&state, group.len());
    // Times never run backwards along the revisions, whatever the clock does.
    let now_us = clock_us.max(draft.time_us());
    let mut tally = Tally::default();
    for Submission { work, deadline, .. } in group {
        let is_too_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
        replies.push(work.answered_by(|command| {
            if is_too_late {
                return Err(EngineError::DeadlinePassed);
            }
            match decide(&mut draft, &command, namespace.name(), archive, now_us)? {
                Outcome::Recorded(entry, answer) => {
                    tally.count(&entry.event);
                    Ok(answer)
                }
                Outcome::Repeated(answer) => Ok(answer),
            }
        }));
    }
    let expected_revision = state.head().0;
    if tally.commands == 0 {
        return None;
    }
    let changes = draft.into_changes();
    let body = changes.body();
    let event_count = u32::try_from(tally.commands).expect("a batch is bounded far below 2^32 commands");
    let record = Record::seal(
        Arc::clone(namespace.name()),
        expected_revision + 1,
        event_count,
        now_us,
        BODY_FORMAT,
        previous,
        body,
    );
    drop(state);
    Some(Prepared {
        namespace: Arc::clone(namespace),
        append: Append { expected_revision, record },
        changes,
        tally,
    })
}

/// Decides one command, with what is archived of its task.
fn decide(
    draft: &mut Draft<'_>,
    command: &Command,
    namespace: &str,
    archive: &dyn ArchiveReader,
    now_us: i64,
) -> Result<Outcome, EngineError> {
    if let Some(subject) = command.action.subject() {
        lend(draft, subject, namespace, archive, u64::MAX)
            .map_err(|error| EngineError::ArchiveUnreadable(error.to_string()))?;
    }
    Ok(execute(draft, command, now_us)?)
}
