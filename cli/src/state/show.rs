//! How states and their histories look to a person.
//!
//! Knows nothing of calls.

use baton_client::{AgentState, StateHistoryEntry};
use serde_json::Value;

use crate::{
    clock,
    failure::Failure,
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
