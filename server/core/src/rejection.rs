//! Why a command changes nothing.
//!
//! Texts for callers, people and models: what, where, what to do. Knows nothing of gRPC codes.

use crate::{
    AgentId, HandoffId, HandoffStatus, RequestId, Revision, TaskId, TaskStatus, Verdict, knowledge::Obstacle,
    rule::BuiltInRule,
};

/// A command that is refused without a trace in the log. Hand-offs that the rules refuse are not among them: they are recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such task.
    #[error("task {task_id} does not exist")]
    TaskNotFound {
        /// The task.
        task_id: TaskId,
    },
    /// A hand-off of a task that does not exist; all that is wrong with it is in the verdict.
    #[error("task {task_id} does not exist, so it cannot be handed on")]
    HandoffOfUnknownTask {
        /// The task.
        task_id: TaskId,
        /// All that is wrong.
        verdict: Verdict,
    },
    /// There is no such hand-off.
    #[error("hand-off {handoff_id} does not exist")]
    HandoffNotFound {
        /// The hand-off.
        handoff_id: HandoffId,
    },
    /// The agent has no state.
    #[error("agent {agent_id} has no state; give it one by UpdateAgentState")]
    AgentNotFound {
        /// The agent.
        agent_id: AgentId,
    },
    /// The task id is taken.
    #[error("task {task_id} exists already, created at revision {revision} or before")]
    TaskExists {
        /// The task.
        task_id: TaskId,
        /// Its present revision.
        revision: Revision,
    },
    /// The request id was used for something else.
    #[error("request id {request_id:?} was used with another request; use a new id for each new request")]
    RequestIdReused {
        /// The request id.
        request_id: RequestId,
    },
    /// The caller is not the owner.
    #[error("task {task_id} is owned by {owner} (epoch {owner_epoch}), not by {agent_id}")]
    NotOwner {
        /// The task.
        task_id: TaskId,
        /// The owner.
        owner: AgentId,
        /// The owner epoch.
        owner_epoch: u64,
        /// Who asked.
        agent_id: AgentId,
    },
    /// The owner epoch is stale.
    #[error(
        "task {task_id} is at owner epoch {owner_epoch} ({owner}), not {given_epoch}; read the task again before acting on it"
    )]
    StaleOwner {
        /// The task.
        task_id: TaskId,
        /// The owner.
        owner: AgentId,
        /// The owner epoch.
        owner_epoch: u64,
        /// The epoch that was given.
        given_epoch: u64,
    },
    /// The task cannot go there from where it is.
    #[error("task {task_id} is {status} and cannot become {wanted}{}", way(*.status, *.wanted))]
    WrongTaskStatus {
        /// The task.
        task_id: TaskId,
        /// Where it is.
        status: TaskStatus,
        /// Where it should go.
        wanted: TaskStatus,
    },
    /// The hand-off is closed.
    #[error("hand-off {handoff_id} is {status} and cannot become {wanted}; only an initiated one can")]
    WrongHandoffStatus {
        /// The hand-off.
        handoff_id: HandoffId,
        /// Where it is.
        status: HandoffStatus,
        /// Where it should go.
        wanted: HandoffStatus,
    },
    /// Something has changed since the caller looked.
    #[error(
        "{what} is at revision {revision}, not {expected}; read it again and retry with what you then know"
    )]
    RevisionMismatch {
        /// Task or state, with its id.
        what: String,
        /// Where it is.
        revision: Revision,
        /// Where the caller saw it.
        expected: Revision,
    },
    /// State cannot be moved or changed as asked.
    #[error("state cannot move from {from} to {to}: {obstacle}")]
    Transfer {
        /// The sender.
        from: AgentId,
        /// The receiver.
        to: AgentId,
        /// Why not.
        obstacle: Obstacle,
    },
    /// A state cannot be changed as asked.
    #[error("the state of {agent_id} cannot change: {obstacle}")]
    State {
        /// The agent.
        agent_id: AgentId,
        /// Why not.
        obstacle: Obstacle,
    },
    /// The rule cannot be switched off.
    #[error("rule {} guards what the log says and cannot be switched off", .rule.name())]
    RuleNotSwitchable {
        /// The rule.
        rule: BuiltInRule,
    },
}

/// What to do instead, where there is something.
fn way(status: TaskStatus, wanted: TaskStatus) -> &'static str {
    match (status, wanted) {
        (TaskStatus::Pending | TaskStatus::HandedOff, TaskStatus::Completed | TaskStatus::Failed) => {
            "; start it first"
        }
        (TaskStatus::InProgress, TaskStatus::InProgress) => "; it has been started already",
        _ => "",
    }
}
