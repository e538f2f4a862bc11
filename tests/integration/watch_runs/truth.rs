//! What is true of one namespace: what its log says, read without the server, and what its writers were answered.
//!
//! Knows nothing of watches.

use std::collections::BTreeMap;

use baton_core::decode_body;
use baton_log::{LogId, LogReader, ReadLimit, Record};
use baton_proto::v1::{self, EventType};

use super::fact::{Fact, TaskFact};

/// One answer that a writer got.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// A hand-off was recorded, and the task after it if that was told.
    Handoff(Box<v1::Handoff>, Option<Box<v1::Task>>),
    /// A task was created or changed.
    Task(Box<v1::Task>),
    /// An agent's state was written at this revision.
    State { agent: String, revision: u64 },
    /// A hand-off was refused, and recorded under this id.
    Refused { handoff_id: String },
}

/// What is true of one namespace.
pub(super) struct Truth {
    pub(super) log_id: String,
    /// Every event of the namespace by its revision.
    pub(super) facts: BTreeMap<u64, Fact>,
    pub(super) answers: Vec<Answer>,
}

impl Truth {
    /// What `log` has of `namespace`, which nobody writes any more.
    pub(super) fn read(log: &dyn LogReader, namespace: &str, answers: Vec<Answer>) -> Self {
        let records = log.read(namespace, 1, ReadLimit::UNLIMITED).expect("the log can be read");
        Self::of(&records, log.id(), answers)
    }

    /// What these records say, which are all of their namespace.
    pub(super) fn of(records: &[Record], log_id: LogId, answers: Vec<Answer>) -> Self {
        let mut facts = BTreeMap::new();
        for record in records {
            let entries = decode_body(record.format, &record.body).expect("the record can be decoded");
            assert_eq!(entries.len(), record.event_count as usize, "a record holds what it says");
            for (revision, entry) in (record.first_revision..).zip(&entries) {
                facts.insert(revision, Fact::of_entry(revision, record.time_us, entry));
            }
        }
        assert!(facts.keys().copied().eq(1..=facts.len() as u64), "the log itself is not dense");
        Self { log_id: log_id.to_string(), facts, answers }
    }

    /// The task as it was before `revision`.
    pub(super) fn task_before(&self, task_id: &str, revision: u64) -> Option<&TaskFact> {
        let before = self.facts.range(..revision).rev();
        before.filter_map(|(_, fact)| fact.task.as_ref()).find(|task| task.id == task_id)
    }

    /// The ids of the hand-offs that were open right after `revision`, in order of their revisions.
    pub(super) fn open_at(&self, revision: u64) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        for fact in self.facts.range(..=revision).map(|(_, fact)| fact) {
            let Some(handoff) = &fact.handoff else { continue };
            match fact.kind {
                EventType::HandoffInitiated => open.push(handoff.id.clone()),
                _ => open.retain(|id| *id != handoff.id),
            }
        }
        open
    }

    /// What writers were answered and the log does not have.
    pub(super) fn missing_answers(&self) -> Vec<String> {
        self.answers.iter().filter(|answer| !self.has(answer)).map(|answer| format!("{answer:?}")).collect()
    }

    fn has(&self, answer: &Answer) -> bool {
        match answer {
            Answer::Handoff(handoff, _) => self.facts.get(&handoff.revision).is_some_and(|fact| {
                fact.handoff.as_ref().is_some_and(|known| known.id == handoff.handoff_id)
            }),
            Answer::Task(task) => self
                .facts
                .get(&task.revision)
                .is_some_and(|fact| fact.task.as_ref().is_some_and(|known| known.id == task.task_id)),
            Answer::State { agent, revision } => {
                self.facts.get(revision).is_some_and(|fact| fact.agent == *agent)
            }
            Answer::Refused { handoff_id } => self.facts.values().any(|fact| {
                let refused = matches!(fact.kind, EventType::HandoffRejected | EventType::HandoffFailed);
                refused && fact.handoff.as_ref().is_some_and(|known| known.id == *handoff_id)
            }),
        }
    }
}
