//! Decides a batch of commands, namespace by namespace, and makes the records that are to be appended.
//!
//! The batch before may still be on its way to the log; then this one builds on what that one changes.

use std::{sync::Arc, time::Instant};

use baton_core::{BODY_FORMAT, Changes, Command, Draft, Outcome, State, execute};
use baton_log::{Append, Hash, Record};

use super::{
    EngineError,
    namespace::Namespace,
    past::Past,
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

/// A batch that was decided, and is nobody else's business before its records are durable.
pub(super) struct Decided {
    /// By name, the last one first.
    pub(super) prepared: Vec<Prepared>,
    pub(super) replies: Vec<Reply>,
}

impl Decided {
    /// What it does to that namespace.
    pub(super) fn of(&self, name: &str) -> Option<&Prepared> {
        let found = self.prepared.binary_search_by(|prepared| name.cmp(prepared.namespace.name()));
        found.ok().map(|at| &self.prepared[at])
    }

    /// How many commands are to be recorded.
    pub(super) fn commands(&self) -> usize {
        self.prepared.iter().map(|prepared| prepared.tally.commands).sum()
    }

    /// Whether there will be namespaces that nobody knows yet.
    pub(super) fn opens_namespaces(&self) -> bool {
        self.prepared.iter().any(Prepared::opens_namespace)
    }

    /// What is to be appended.
    pub(super) fn appends(&self) -> Vec<Append> {
        self.prepared.iter().map(|prepared| prepared.append.clone()).collect()
    }
}

impl Prepared {
    /// Whether it is the first that happens in its namespace.
    pub(super) fn opens_namespace(&self) -> bool {
        self.append.expected_revision == 0
    }
}

/// The submissions by namespace, in the order in which they came; the last name first.
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

/// Whether one of the commands names what neither the state has nor what `before` is about to do to it: it may be archived.
pub(super) fn lacks_any(namespace: &Namespace, before: Option<&Changes>, commands: &[Command]) -> bool {
    let state = namespace.read();
    if state.archived_count() == 0 {
        return false;
    }
    let draft = draft(&state, before, 0);
    commands.iter().any(|command| command.action.subject().is_some_and(|subject| draft.lacks(subject)))
}

/// Decides the commands of one namespace, in order, after what `before` is about to do to it. `None`: nothing is to be recorded.
///
/// `previous` is the hash of the record that theirs follows.
pub(super) fn prepare(
    namespace: &Arc<Namespace>,
    past: &mut Past,
    before: Option<&Changes>,
    previous: Hash,
    group: Vec<Submission>,
    clock_us: i64,
    replies: &mut Vec<Reply>,
) -> Option<Prepared> {
    let state = namespace.read();
    let commands = group.iter().map(Submission::count).sum();
    let mut draft = draft(&state, before, commands);
    let expected_revision = draft.head().0;
    // Times never run backwards along the revisions, whatever the clock does.
    let now_us = clock_us.max(draft.time_us());
    let mut tally = Tally::default();
    for Submission { work, deadline, .. } in group {
        let is_too_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
        replies.push(work.answered_by(|command| {
            if is_too_late {
                return Err(EngineError::DeadlinePassed);
            }
            match decide(&mut draft, &command, namespace.name(), past, now_us)? {
                Outcome::Recorded(entry, answer) => {
                    tally.count(&entry.event);
                    Ok(answer)
                }
                Outcome::Repeated(answer) => Ok(answer),
                Outcome::Stored(stored) => Ok(past.repeated(namespace.name(), &stored, &command)??),
            }
        }));
    }
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

fn draft<'a>(state: &'a State, before: Option<&'a Changes>, commands: usize) -> Draft<'a> {
    match before {
        Some(before) => Draft::after(state, before, commands),
        None => Draft::of_batch(state, commands),
    }
}

/// Decides one command, with what is archived of its task.
fn decide(
    draft: &mut Draft<'_>,
    command: &Command,
    namespace: &str,
    past: &Past,
    now_us: i64,
) -> Result<Outcome, EngineError> {
    if let Some(subject) = command.action.subject() {
        past.lend(draft, subject, namespace)?;
    }
    Ok(execute(draft, command, now_us)?)
}
