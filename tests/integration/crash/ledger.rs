//! What the server has answered, as its callers noted it.
//!
//! Knows nothing of how it was asked.

use std::collections::BTreeMap;

use baton_proto::v1;

/// A namespace, and a task or an agent in it.
pub(super) type Key = (&'static str, String);

/// One answer that its caller has had.
#[derive(Debug)]
pub(super) enum Answer {
    /// A task was created or changed.
    Task { namespace: &'static str, task: Box<v1::Task> },
    /// A hand-off was completed.
    Completed { namespace: &'static str, handoff: Box<v1::Handoff>, task: Box<v1::Task> },
    /// A hand-off was refused, and recorded under this id.
    Rejected { namespace: &'static str, handoff_id: String, task_id: String },
    /// An agent's state is `count` at `revision`.
    State { namespace: &'static str, agent_id: String, count: u64, revision: u64 },
}

/// All answers.
#[derive(Default)]
pub(super) struct Ledger {
    /// Hand-offs of each task that were completed, by the owner epoch they gave.
    pub(super) completed: BTreeMap<Key, BTreeMap<u64, v1::Handoff>>,
    /// The newest answer about each task.
    pub(super) tasks: BTreeMap<Key, v1::Task>,
    /// Refused hand-offs of each task, by id.
    pub(super) rejected: BTreeMap<Key, Vec<String>>,
    /// The newest answer about each agent's state: count and revision.
    pub(super) states: BTreeMap<Key, (u64, u64)>,
    /// Completed hand-offs that have not been proved yet.
    pub(super) unproved: Vec<(&'static str, v1::Handoff)>,
    /// How many answers there were.
    pub(super) answers: u64,
    /// How many of them came only when asked again after a kill.
    pub(super) retried: u64,
}

impl Ledger {
    pub(super) fn enter(&mut self, answer: Answer) {
        self.answers += 1;
        match answer {
            Answer::Task { namespace, task } => self.enter_task(namespace, *task),
            Answer::Completed { namespace, handoff, task } => {
                let of_task = self.completed.entry((namespace, handoff.task_id.clone())).or_default();
                let before = of_task.insert(handoff.owner_epoch, (*handoff).clone());
                assert_eq!(before, None, "two hand-offs gave the same epoch");
                self.unproved.push((namespace, *handoff));
                self.enter_task(namespace, *task);
            }
            Answer::Rejected { namespace, handoff_id, task_id } => {
                self.rejected.entry((namespace, task_id)).or_default().push(handoff_id);
            }
            Answer::State { namespace, agent_id, count, revision } => {
                let newest = self.states.entry((namespace, agent_id)).or_default();
                *newest = (*newest).max((count, revision));
            }
        }
    }

    fn enter_task(&mut self, namespace: &'static str, task: v1::Task) {
        let newest = self.tasks.entry((namespace, task.task_id.clone())).or_insert_with(|| task.clone());
        // Answers of several callers come in any order; revisions say which is newer.
        if task.revision > newest.revision {
            *newest = task;
        }
    }

    /// All completed hand-offs of a namespace, by revision.
    pub(super) fn completed_in(&self, namespace: &str) -> BTreeMap<u64, &v1::Handoff> {
        let of_namespace = self.completed.iter().filter(|((name, _), _)| *name == namespace);
        let handoffs = of_namespace.flat_map(|(_, of_task)| of_task.values());
        handoffs.map(|handoff| (handoff.revision, handoff)).collect()
    }
}
