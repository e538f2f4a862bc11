//! How states and their histories look to a person.
//!
//! Knows nothing of calls.

use baton_client::{AgentState, StateHistoryEntry, StateWritten, TransferredState};
use serde_json::Value;

use crate::{
    clock,
    failure::Failure,
    handoff::show::scope,
    output::Output,
    table::{Column, Details, Table},
};

/// One agent's state: the values about it, then a line per key.
///
/// # Errors
/// Stdout cannot be written.
pub(super) fn details(output: &mut Output, state: &AgentState) -> Result<(), Failure> {
    let keys = state
        .state
        .as_object()
        .map(|object| object.iter().map(|(key, value)| format!("{key}: {value}")).collect());
    Details::new()
        .line("agent", &state.agent_id)
        .line("came from", state.transferred_from.as_deref().unwrap_or_default())
        .line("updated", clock::full(state.updated_at))
        .line("revision", state.revision)
        .lines(
            "state",
            keys.filter(|keys: &Vec<String>| !keys.is_empty()).unwrap_or_else(|| vec!["{}".to_owned()]),
        )
        .write(output)
}

/// The receipt of an update.
///
/// # Errors
/// Stdout cannot be written.
pub(super) fn written(output: &mut Output, written: &StateWritten) -> Result<(), Failure> {
    receipt(written).write(output)
}

/// The receipt of a transfer: what was written, and what of whose state it was.
///
/// # Errors
/// Stdout cannot be written.
pub(super) fn transferred(output: &mut Output, transferred: &TransferredState) -> Result<(), Failure> {
    let TransferredState { written, transfer } = transferred;
    receipt(written)
        .line("moved", scope(&transfer.spec))
        .line("as of", format!("revision {}", transfer.from_revision))
        .write(output)
}

fn receipt(written: &StateWritten) -> Details {
    let mut details = Details::new();
    details
        .line("agent", &written.agent_id)
        .line("came from", written.transferred_from.as_deref().unwrap_or_default())
        .line("updated", clock::full(written.updated_at))
        .line("revision", written.revision);
    details
}

/// How a state came to be, a row for each change.
///
/// # Errors
/// Stdout cannot be written.
pub(super) fn history(output: &mut Output, entries: &[StateHistoryEntry]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        Column::Number("REVISION"),
        Column::Text("TIME"),
        Column::Text("CHANGE"),
        Column::Long("STATE"),
    ]);
    for entry in entries {
        let change = match &entry.transferred_from {
            Some(agent) => format!("from {agent}"),
            None => entry.kind.to_string(),
        };
        table.row([entry.revision.to_string(), clock::short(entry.timestamp), change, compact(&entry.state)]);
    }
    table.write(output)
}

fn compact(state: &Value) -> String {
    state.to_string()
}
