//! What a granted command answers, and how that is told again when its request is repeated.

use std::sync::Arc;

use crate::{
    AgentId, BuiltInRule, Event, Handoff, LastChange, Revision, Task, TaskAfter, TaskId, Transfer,
    event::{HandoffEvent, RuleSwitched, StateTransferred, TaskEnded, TaskUpdated},
    remembered::Described,
};

/// The answer to a command that was recorded. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A task as it was after the command.
    Task(Arc<Task>),
    /// A hand-off and its task as they were after the command. The hand-off may be rejected or failed: that is a refusal, and recorded.
    Handoff(Arc<Handoff>, Arc<Task>),
    /// A state was written.
    State(Arc<StateWritten>),
    /// A rule was switched.
    Rule {
        /// The rule.
        rule: BuiltInRule,
        /// On or off.
        on: bool,
    },
}

impl Answer {
    /// What the command answered whose event stands at `revision` and was recorded at `time_us`: `described` is what that does not say of
    /// its task.
    pub(crate) fn again(event: Event, described: Described, revision: Revision, time_us: i64) -> Self {
        let now = LastChange { revision, time_us };
        let written = |agent_id| StateWritten {
            agent_id,
            revision,
            updated_us: time_us,
            transferred_from: None,
            transfer: None,
        };
        match event {
            Event::TaskCreated(created) => Self::Task(Arc::new(created.task(now))),
            Event::TaskUpdated(TaskUpdated { task_id, after, .. }) => {
                Self::Task(Arc::new(told(task_id, after, described, now)))
            }
            Event::TaskEnded(TaskEnded { task_id, outcome, after }) => {
                Self::Task(Arc::new(Task { outcome, ..told(task_id, after, described, now) }))
            }
            Event::Handoff(HandoffEvent { handoff, after }) => {
                let task = told(handoff.task_id.clone(), after, described, now);
                Self::Handoff(handoff, Arc::new(task))
            }
            Event::StateUpdated(updated) => Self::State(Arc::new(written(updated.agent_id))),
            Event::StateTransferred(StateTransferred { from, to, transfer }) => {
                let (transferred_from, transfer) = (Some(from), Some(transfer));
                Self::State(Arc::new(StateWritten { transferred_from, transfer, ..written(to) }))
            }
            Event::RuleSwitched(RuleSwitched { rule, on }) => Self::Rule { rule, on },
        }
    }
}

/// The task as `after` leaves it.
fn told(id: TaskId, after: TaskAfter, described: Described, now: LastChange) -> Task {
    let changed = after.untouched_since.unwrap_or(now);
    Task {
        id,
        description: described.description,
        status: after.status,
        owner: after.owner,
        owner_epoch: after.owner_epoch,
        created_us: after.created_us,
        updated_us: changed.time_us,
        metadata: described.metadata,
        revision: changed.revision,
        handoff_count: after.handoff_count,
        open_handoff: after.open_handoff,
        progress: after.progress,
        outcome: after.outcome.unwrap_or_default(),
        recent_pairs: Default::default(),
        metadata_bytes: described.metadata_bytes,
    }
}

/// A receipt for a change of state. The state itself is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct StateWritten {
    /// Whose state.
    #[n(0)]
    pub agent_id: AgentId,
    /// The event.
    #[n(1)]
    pub revision: Revision,
    /// When, in microseconds since the Unix epoch.
    #[n(2)]
    pub updated_us: i64,
    /// For a transfer, the sender.
    #[n(3)]
    pub transferred_from: Option<AgentId>,
    /// For a transfer, what moved.
    #[n(4)]
    pub transfer: Option<Transfer>,
}
