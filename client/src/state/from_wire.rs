//! Reads states and their history from the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1;

use super::{AgentState, StateChangeType, StateHistoryEntry, StateWritten};
use crate::{
    from_wire::{promised_time, some_text},
    value::from_struct,
};

pub(super) fn state_from_wire(state: v1::AgentState) -> AgentState {
    AgentState {
        agent_id: state.agent_id,
        state: from_struct(state.state),
        revision: state.revision,
        updated_at: promised_time(state.updated_at),
        transferred_from: some_text(state.transferred_from),
    }
}

pub(super) fn written_from_wire(receipt: v1::AgentState) -> StateWritten {
    StateWritten {
        agent_id: receipt.agent_id,
        revision: receipt.revision,
        updated_at: promised_time(receipt.updated_at),
        transferred_from: some_text(receipt.transferred_from),
    }
}

pub(super) fn history_entry_from_wire(entry: v1::StateHistoryEntry) -> StateHistoryEntry {
    StateHistoryEntry {
        revision: entry.revision,
        timestamp: promised_time(entry.timestamp),
        kind: StateChangeType::from_wire(entry.r#type),
        state: from_struct(entry.state),
        transferred_from: some_text(entry.transferred_from),
        handoff_id: some_text(entry.handoff_id),
    }
}
