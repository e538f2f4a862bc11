//! What callers ask for, with everything that a decision may need.

use minicbor::Encode;

use crate::{
    AgentId, BuiltInRule, Context, HandoffId, Object, Progress, RequestId, Revision, TaskId, Text,
    TransferSpec, UpdateMode, codec::with_encoded, digest::Digest,
};

/// One request to change a namespace.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The caller's request id, if it gave one.
    pub request: Option<RequestMark>,
    /// When the request arrived, in microseconds since the Unix epoch.
    pub received_us: i64,
    /// What is asked for.
    pub action: Action,
}

/// A request id, and what was asked under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestMark {
    /// As the caller gave it.
    pub id: RequestId,
    /// What it is looked up by.
    pub key: Digest,
    /// Of the action: a repeated id with another action is refused.
    pub fingerprint: Digest,
}

impl Command {
    /// Makes a command; a request id that is empty is none.
    pub fn new(request_id: &str, received_us: i64, action: Action) -> Self {
        let request = (!request_id.is_empty()).then(|| RequestMark {
            id: RequestId::from(request_id),
            key: Digest::of(request_id.as_bytes()),
            fingerprint: action.fingerprint(),
        });
        Self { request, received_us, action }
    }
}

/// What is asked for. Each action that is granted is one event.
#[derive(Clone, Debug, PartialEq, Encode)]
pub enum Action {
    /// Creates a task.
    #[n(0)]
    CreateTask(#[n(0)] CreateTask),
    /// Changes or starts a task.
    #[n(1)]
    UpdateTask(#[n(0)] UpdateTask),
    /// Ends a task.
    #[n(2)]
    EndTask(#[n(0)] EndTask),
    /// Changes an agent's state.
    #[n(3)]
    UpdateState(#[n(0)] UpdateState),
    /// Copies state outside of a hand-off.
    #[n(4)]
    TransferState(#[n(0)] TransferState),
    /// Judges, records and executes a hand-off.
    #[n(5)]
    HandOff(#[n(0)] Proposal),
    /// Judges and records a hand-off.
    #[n(6)]
    InitiateHandoff(#[n(0)] Proposal),
    /// Executes an open hand-off.
    #[n(7)]
    ExecuteHandoff(#[n(0)] CloseHandoff),
    /// Takes an open hand-off back.
    #[n(8)]
    WithdrawHandoff(#[n(0)] CloseHandoff),
    /// Switches a rule.
    #[n(9)]
    SwitchRule(#[n(0)] SwitchRule),
}

/// Room for a hand-off with a context of the usual length, encoded.
const USUAL_ACTION_BYTES: usize = 768;

impl Action {
    /// A digest of the whole action: equal for equal actions, whatever made them.
    pub fn fingerprint(&self) -> Digest {
        with_encoded::<USUAL_ACTION_BYTES, _>(self, Digest::of)
    }
}

/// See [`Action::CreateTask`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct CreateTask {
    /// Its id.
    #[n(0)]
    pub task_id: TaskId,
    /// What is to be done.
    #[n(1)]
    pub description: Text,
    /// Its first owner.
    #[n(2)]
    pub owner: AgentId,
    /// Free-form data.
    #[n(3)]
    pub metadata: Object,
}

/// What an owner says of itself with a write; what is given must be true.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode)]
pub struct Claim {
    /// Who it is.
    #[n(0)]
    pub agent: Option<AgentId>,
    /// The owner epoch it holds.
    #[n(1)]
    pub owner_epoch: Option<u64>,
}

/// See [`Action::UpdateTask`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct UpdateTask {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// Who asks.
    #[n(1)]
    pub claim: Claim,
    /// The task's revision that the caller saw.
    #[n(2)]
    pub expected_revision: Option<Revision>,
    /// The new description.
    #[n(3)]
    pub description: Option<Text>,
    /// The new metadata.
    #[n(4)]
    pub metadata: Option<Object>,
    /// The new progress.
    #[n(5)]
    pub progress: Option<Progress>,
    /// Whether the task is started.
    #[n(6)]
    pub start: bool,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
#[cbor(index_only)]
pub enum End {
    /// It is done.
    #[n(0)]
    Complete,
    /// It cannot be done.
    #[n(1)]
    Fail,
    /// It is called off.
    #[n(2)]
    Cancel,
}

/// See [`Action::EndTask`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct EndTask {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// Who asks.
    #[n(1)]
    pub claim: Claim,
    /// How it ends.
    #[n(2)]
    pub end: End,
    /// What came of it, or why.
    #[n(3)]
    pub outcome: Text,
}

/// See [`Action::UpdateState`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct UpdateState {
    /// The agent.
    #[n(0)]
    pub agent_id: AgentId,
    /// How.
    #[n(1)]
    pub mode: UpdateMode,
    /// What to merge, put or patch.
    #[n(2)]
    pub update: Object,
    /// The state's revision that the caller saw; 0: there must be none.
    #[n(3)]
    pub expected_revision: Option<Revision>,
}

/// See [`Action::TransferState`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct TransferState {
    /// The sender.
    #[n(0)]
    pub from: AgentId,
    /// The receiver.
    #[n(1)]
    pub to: AgentId,
    /// What moves.
    #[n(2)]
    pub spec: TransferSpec,
}

/// A hand-off that is asked for.
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct Proposal {
    /// The task.
    #[n(0)]
    pub task_id: TaskId,
    /// The sender.
    #[n(1)]
    pub from: AgentId,
    /// The receiver.
    #[n(2)]
    pub to: AgentId,
    /// Why.
    #[n(3)]
    pub reason: Text,
    /// The owner epoch that the sender holds.
    #[n(4)]
    pub owner_epoch: Option<u64>,
    /// What of the sender's state moves.
    #[n(5)]
    pub transfer: TransferSpec,
    /// What the next agent must know.
    #[n(6)]
    pub context: Option<Context>,
}

/// See [`Action::ExecuteHandoff`] and [`Action::WithdrawHandoff`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct CloseHandoff {
    /// The hand-off.
    #[n(0)]
    pub handoff_id: HandoffId,
    /// The owner epoch that the caller holds.
    #[n(1)]
    pub owner_epoch: Option<u64>,
    /// Why it is withdrawn.
    #[n(2)]
    pub reason: Text,
}

/// See [`Action::SwitchRule`].
#[derive(Clone, Debug, PartialEq, Encode)]
pub struct SwitchRule {
    /// The rule.
    #[n(0)]
    pub rule: BuiltInRule,
    /// On or off.
    #[n(1)]
    pub on: bool,
}
