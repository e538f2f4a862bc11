//! Decides a batch of commands, namespace by namespace, and makes the records that are to be appended.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use baton_core::{Answer, BODY_FORMAT, Changes, Command, Draft, Entry, Outcome, execute};
use baton_log::{Append, ArchiveReader, Hash, Record};
use tokio::sync::oneshot;

use super::{EngineError, namespace::Namespace, queue::Submission, recall::lend};

/// An answer that waits for the record that it tells of, and whom it is for.
pub(super) struct Reply {
    sender: oneshot::Sender<Result<Answer, EngineError>>,
    answer: Result<Answer, EngineError>,
}

/// What a batch does to one namespace.
pub(super) struct Prepared {
    pub(super) namespace: Arc<Namespace>,
    pub(super) append: Append,
    pub(super) changes: Changes,
    #[expect(clippy::vec_box, reason = "entries come boxed from the core, and moving them would cost more")]
    pub(super) entries: Vec<Box<Entry>>,
}

impl Reply {
    pub(super) fn new(
        sender: oneshot::Sender<Result<Answer, EngineError>>,
        answer: Result<Answer, EngineError>,
    ) -> Self {
        Self { sender, answer }
    }

    /// Sends the answer. Nobody may be waiting any more: the commit stands all the same.
    pub(super) fn send(self) {
        let _ = self.sender.send(self.answer);
    }

    /// Sends that it came to nothing instead.
    pub(super) fn fail(self, error: &EngineError) {
        let _ = self.sender.send(Err(error.clone()));
    }
}

/// The submissions by namespace, in the order in which they came. The order of namespaces does not matter to anyone, but it is fixed.
pub(super) fn by_namespace(batch: Vec<Submission>) -> BTreeMap<Arc<str>, Vec<Submission>> {
    let mut groups: BTreeMap<Arc<str>, Vec<Submission>> = BTreeMap::new();
    for submission in batch {
        match groups.get_mut(&submission.namespace) {
            Some(group) => group.push(submission),
            None => _ = groups.insert(Arc::clone(&submission.namespace), vec![submission]),
        }
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
    let mut entries: Vec<Box<Entry>> = Vec::with_capacity(group.len());
    for submission in group {
        let answer = if submission.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            Err(EngineError::DeadlinePassed)
        } else {
            decide(&mut draft, &submission.command, namespace.name(), archive, now_us).map(|outcome| {
                match outcome {
                    Outcome::Recorded(entry, answer) => {
                        entries.push(entry);
                        answer
                    }
                    Outcome::Repeated(answer) => answer,
                }
            })
        };
        replies.push(Reply::new(submission.reply, answer));
    }
    let expected_revision = state.head().0;
    if entries.is_empty() {
        return None;
    }
    let changes = draft.into_changes();
    let body = changes.body();
    let event_count = u32::try_from(entries.len()).expect("a batch is bounded far below 2^32 commands");
    let record = Record::seal(
        Arc::clone(namespace.name()),
        expected_revision + 1,
        event_count,
        now_us,
        BODY_FORMAT,
        previous,
        body.into(),
    );
    drop(state);
    Some(Prepared {
        namespace: Arc::clone(namespace),
        append: Append { expected_revision, record },
        changes,
        entries,
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
