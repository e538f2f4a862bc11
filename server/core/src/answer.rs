//! What a granted command answers, kept so that a repeated request gets the same.

use std::sync::Arc;

use crate::{AgentId, BuiltInRule, Handoff, Revision, Task, Transfer};

/// The answer to a command that was recorded. Cheap to clone and to keep.
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
    /// About how many bytes of it are texts and values that the state holds too.
    pub(crate) fn shared_bytes(&self) -> usize {
        match self {
            Self::Task(task) => of_task(task),
            Self::Handoff(handoff, task) => {
                let context = handoff.context.as_ref().map_or(0, |context| context.size());
                of_task(task) + context + handoff.reason.len() + handoff.error.len()
            }
            Self::State(_) | Self::Rule { .. } => 0,
        }
    }
}

fn of_task(task: &Task) -> usize {
    let metadata = usize::try_from(task.metadata_bytes).unwrap_or(usize::MAX);
    metadata.saturating_add(task.description.len() + task.outcome.len())
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
