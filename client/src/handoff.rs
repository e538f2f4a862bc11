//! Hand-offs: what they are, and what can be asked about them.
//!
//! Knows nothing of the wire, which `handoff/from_wire.rs` and `handoff/to_wire.rs` know, nor of how a call is made.

mod batch;
mod context;
mod from_wire;
mod get;
mod hand_off;
mod initiated;
mod list;
mod terms;
mod to_wire;
mod transfer;
mod validate;

use chrono::{DateTime, Utc};
use serde::Serialize;

use baton_proto::v1;

pub use self::{
    batch::{BatchHandOff, NewHandoff},
    context::Context,
    get::GetHandoff,
    hand_off::HandOff,
    initiated::{ExecuteHandoff, InitiateHandoff, WithdrawHandoff},
    list::ListHandoffs,
    transfer::{ConflictPolicy, StateTransfer, Transfer, TransferScope},
    validate::ValidateHandoff,
};
pub(crate) use self::{
    from_wire::{handoff_from_wire, state_transfer_from_wire},
    to_wire::transfer_to_wire,
};
use crate::{rule::Verdict, wire_enum::wire_enum};

/// One hand-off of one task from one agent to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handoff {
    /// Given by the server, unique in the namespace.
    pub handoff_id: String,
    /// The task.
    pub task_id: String,
    /// The sender: the owner before.
    pub from_agent: String,
    /// The receiver: the owner after.
    pub to_agent: String,
    /// Why.
    pub reason: String,
    /// Where the hand-off stands in its life.
    pub status: HandoffStatus,
    /// What was done, in order: `validation`, `state_transfer`, `task_transfer`.
    pub steps: Vec<HandoffStep>,
    /// What the rules said when it was last judged.
    pub validation: Verdict,
    /// What of the sender's state moved, or is to move.
    pub transfer: Option<StateTransfer>,
    /// What the next agent must know.
    pub context: Context,
    /// When the request for it arrived.
    pub created_at: DateTime<Utc>,
    /// Until when it may be answered; nothing: no limit.
    pub deadline: Option<DateTime<Utc>>,
    /// When it was closed, whatever the outcome.
    pub completed_at: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
    /// The task's owner epoch after it: of a completed hand-off, the token that its receiver acts with.
    pub owner_epoch: u64,
    /// The revision of the event that last changed it.
    pub revision: u64,
}

/// One step of a hand-off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HandoffStep {
    /// `validation`, `state_transfer` or `task_transfer`.
    pub step: String,
    /// How it ended.
    pub status: StepStatus,
    /// When.
    pub timestamp: Option<DateTime<Utc>>,
    /// Why it failed.
    pub error: Option<String>,
}

wire_enum! {
    /// The life of a hand-off: initiated → one of the others, all of which are final.
    pub enum HandoffStatus ("hand-off status") is v1::HandoffStatus {
        /// Open: judged and recorded, nothing has moved.
        Initiated = "initiated",
        /// State and task have moved.
        Completed = "completed",
        /// It could not be executed; nothing has moved.
        Failed = "failed",
        /// The rules refused it; nothing has moved.
        Rejected = "rejected",
        /// The receiver said no.
        Declined = "declined",
        /// Nobody answered in time.
        Expired = "expired",
        /// The sender took it back; nothing has moved.
        Withdrawn = "withdrawn",
    }
}

wire_enum! {
    /// How a step of a hand-off ended.
    pub enum StepStatus ("step status") is v1::StepStatus {
        /// Done.
        Completed = "completed",
        /// Not done, and neither were the steps after it.
        Failed = "failed",
        /// There was nothing to do: no state to move.
        Skipped = "skipped",
    }
}
