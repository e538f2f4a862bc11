//! How an agent's state came to be.
//!
//! Knows nothing of how pages become a stream.

use baton_proto::v1;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::from_wire::history_entry_from_wire;
use crate::{
    call::Call,
    client::Client,
    error::Error,
    page::{Page, listing},
    services,
    setters::{deadline_setter, page_setters},
    wire_enum::wire_enum,
};

/// One line of the history of an agent's state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StateHistoryEntry {
    /// The revision at which it happened.
    pub revision: u64,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// How the state was changed.
    #[serde(rename = "type")]
    pub kind: StateChangeType,
    /// For an update, what was sent; for a transfer, the receiver's whole state after it.
    pub state: Value,
    /// The agent whose state came in, for transfers.
    pub transferred_from: Option<String>,
    /// The hand-off that the transfer was part of.
    pub handoff_id: Option<String>,
}

wire_enum! {
    /// How a state was changed.
    pub enum StateChangeType ("kind of state change") is v1::StateChangeType {
        /// The keys that were sent replaced those of the same name; the others stayed.
        Merged = "merged",
        /// What was sent replaced the whole state.
        Replaced = "replaced",
        /// What was sent was a JSON merge patch.
        Patched = "patched",
        /// Another agent's state came in.
        Transferred = "transferred",
    }
}

/// Gets how an agent's state came to be. See [`Client::state_history`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct StateHistory {
    call: Call,
    request: v1::GetStateHistoryRequest,
}

impl StateHistory {
    page_setters!();
    deadline_setter!();

    /// Gets one page.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the agent has no state.
    pub async fn send(self) -> Result<Page<StateHistoryEntry>, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::states(channel).get_state_history(request).await
            })
            .await?;
        let entries = answer.entries.into_iter().map(history_entry_from_wire).collect();
        Ok(Page { dropped_count: answer.dropped_count, ..Page::new(entries, answer.next_page_token) })
    }
}

listing!(StateHistory => StateHistoryEntry);

impl Client {
    /// How an agent's state came to be, oldest first: a page when awaited, all of it with [`stream`](StateHistory::stream).
    ///
    /// The newest 100 changes are kept.
    pub fn state_history(&self, agent: impl Into<String>) -> StateHistory {
        let request = v1::GetStateHistoryRequest {
            namespace: self.namespace().to_owned(),
            agent_id: agent.into(),
            ..Default::default()
        };
        StateHistory { call: Call::new(self), request }
    }
}
