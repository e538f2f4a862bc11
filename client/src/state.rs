//! What agents know: their state, and what can be asked about it.
//!
//! Knows nothing of tasks or hand-offs.

mod from_wire;
mod get;
mod history;
mod transfer;
mod update;
mod written;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use baton_proto::v1;

pub use self::{
    get::GetState,
    history::{StateChangeType, StateHistory, StateHistoryEntry},
    transfer::{TransferState, TransferredState},
    update::UpdateState,
    written::StateWritten,
};
use crate::wire_enum::wire_enum;

/// What an agent knows: a JSON object, kept by the server.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentState {
    /// The agent.
    pub agent_id: String,
    /// Its state, a JSON object.
    pub state: Value,
    /// The revision of the event that last changed it.
    pub revision: u64,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// The agent whose state came in with the last change, if that was a transfer.
    pub transferred_from: Option<String>,
}

impl AgentState {
    /// Reads the state as a type of the program's own.
    ///
    /// # Errors
    /// That of [`serde_json::from_value`] if the state is of another shape.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.state)
    }
}

wire_enum! {
    /// How an update applies what it is given.
    pub enum UpdateMode ("mode of update") is v1::UpdateMode {
        /// Replaces the keys that are given, at the top level; the others stay.
        Merge = "merge",
        /// Replaces the whole state.
        Replace = "replace",
        /// Applies a JSON merge patch (RFC 7396): objects merge at every level, null removes.
        Patch = "patch",
    }
}
