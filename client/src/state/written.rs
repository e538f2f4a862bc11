//! What a change of an agent's state is answered with.
//!
//! Knows nothing of what was sent: a state may have 2 MiB, and whoever changed a key does not need the rest back.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A receipt: an agent's state was changed, and the change is durable.
///
/// The state itself is not in it; [`Client::get_state`](crate::Client::get_state) has it, also [`at`](crate::GetState::at) this revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateWritten {
    /// The agent whose state was changed.
    pub agent_id: String,
    /// The revision of the change: what the next update may name as its [`expected_revision`](crate::UpdateState::expected_revision).
    pub revision: u64,
    /// When it was changed.
    pub updated_at: DateTime<Utc>,
    /// The agent whose state came in, if the change was a transfer.
    pub transferred_from: Option<String>,
}
