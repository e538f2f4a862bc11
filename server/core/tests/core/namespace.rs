//! One namespace to try commands on: one second and one batch for each.

use std::sync::Arc;

use baton_core::{
    Action, AgentRecord, Answer, Command, Draft, Entry, Handoff, Object, Outcome, Rejection, RequestMemory,
    State, Task, TaskRecord, execute, replay,
};

pub(crate) const SECOND_US: i64 = 1_000_000;

#[derive(Clone, Default)]
pub(crate) struct Namespace {
    pub(crate) state: State,
    pub(crate) now_us: i64,
}

impl Namespace {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn remembering(memory: RequestMemory) -> Self {
        Self { state: State::new(memory), now_us: 0 }
    }

    /// Executes `action` as the request `request_id`; what it changes is recorded.
    pub(crate) fn send(&mut self, request_id: &str, action: Action) -> Result<Outcome, Rejection> {
        self.now_us += SECOND_US;
        let mut draft = Draft::new(&self.state);
        let outcome = execute(&mut draft, &Command::new(request_id, self.now_us, action), self.now_us)?;
        let changes = draft.into_changes();
        self.state.absorb(changes);
        Ok(outcome)
    }

    /// What a granted `action` answers.
    #[track_caller]
    pub(crate) fn grant(&mut self, action: Action) -> Answer {
        match self.send("", action).unwrap() {
            Outcome::Recorded(_, answer) => answer,
            other => panic!("done before: {other:?}"),
        }
    }

    /// Why `action` is refused; nothing may have changed then.
    #[track_caller]
    pub(crate) fn refuse(&mut self, action: Action) -> Rejection {
        let before = self.state.to_checkpoint();
        let rejection = self.send("", action).unwrap_err();
        assert!(self.state.to_checkpoint() == before, "refused, but something changed: {rejection}");
        rejection
    }

    /// The hand-off that `action` makes, and the task after it.
    #[track_caller]
    pub(crate) fn handoff(&mut self, action: Action) -> (Arc<Handoff>, Arc<Task>) {
        match self.grant(action) {
            Answer::Handoff(handoff, task) => (handoff, task),
            other => panic!("not a hand-off: {other:?}"),
        }
    }

    /// Replays `entry` as a record of its own, without deciding anything.
    pub(crate) fn replay(&mut self, entry: &Entry) {
        let mut draft = Draft::new(&self.state);
        replay(&mut draft, &entry.clone().into(), self.now_us).unwrap();
        let changes = draft.into_changes();
        self.state.absorb(changes);
    }

    #[track_caller]
    pub(crate) fn task(&self, id: &str) -> TaskRecord {
        self.state.task_record(id).unwrap()
    }

    #[track_caller]
    pub(crate) fn agent(&self, id: &str) -> &AgentRecord {
        self.state.agent(id).unwrap()
    }

    /// What `id` knows; nothing, if it has no state.
    pub(crate) fn known_by(&self, id: &str) -> Object {
        let entries = self.state.agent(id).map(|record| record.state.knowledge.entries().iter());
        Object::new(
            entries.into_iter().flatten().map(|(key, known)| (key.clone(), known.value.clone())).collect(),
        )
    }
}

/// What anyone is shown of an answer: the rule `ping_pong` alone looks at the task's path.
pub(crate) fn shown(answer: &Answer) -> Answer {
    let task = |task: &Arc<Task>| Arc::new(Task { recent_pairs: Default::default(), ..Task::clone(task) });
    match answer {
        Answer::Task(shown) => Answer::Task(task(shown)),
        Answer::Handoff(handoff, shown) => Answer::Handoff(Arc::clone(handoff), task(shown)),
        Answer::State(_) | Answer::Rule { .. } => answer.clone(),
    }
}
