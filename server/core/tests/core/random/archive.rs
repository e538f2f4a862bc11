//! Keeps some of the finished tasks of a run outside of its state, as a server does, and lends them to drafts.

use std::collections::BTreeMap;

use baton_core::{ArchivedTask, Draft, State, Subject, TaskId};
use fastrand::Rng;

/// Finished tasks, wherever the state has them now: one that the state has again counts for nothing here.
#[derive(Default)]
pub(crate) struct Archive(BTreeMap<TaskId, ArchivedTask>);

impl Archive {
    /// Takes about half of what may be taken out of `state`, in some batches nothing, and those that were out before with the rest.
    pub(crate) fn take_out(&mut self, state: &mut State, rng: &mut Rng) {
        if rng.bool() {
            return;
        }
        let resting: Vec<ArchivedTask> = state.resting(None).collect();
        for archived in resting {
            if rng.bool() {
                assert!(state.forget(&archived.id, archived.revision), "what rests is as it was given");
                assert!(!state.forget(&archived.id, archived.revision), "it has left");
                self.0.insert(archived.id.clone(), archived);
            }
        }
    }

    /// Lends `draft` what it lacks of `subject`.
    pub(crate) fn lend(&self, draft: &mut Draft<'_>, subject: Option<Subject<'_>>) {
        let Some(subject) = subject.filter(|subject| draft.lacks(*subject)) else { return };
        let found = match subject {
            Subject::Task(id) => self.0.get(id),
            Subject::Handoff(id) => self.0.values().find(|archived| archived.has_handoff(id)),
        };
        if let Some(archived) = found {
            draft.recall(archived.clone());
        }
    }

    /// Puts back all that is not in `state`.
    pub(crate) fn recall_all(&mut self, state: &mut State) {
        for (_, archived) in std::mem::take(&mut self.0) {
            state.recall(archived);
        }
        assert_eq!(state.archived_count(), 0, "nothing is out that was not lent");
    }
}
