//! Requests with what most tests want in them.
//!
//! Knows the contract's messages, nothing of who sends them.

use baton_proto::v1;
use prost_types::{Struct, Value, value::Kind};

/// A string as a value of a Struct.
fn text(text: impl Into<String>) -> Value {
    Value { kind: Some(Kind::StringValue(text.into())) }
}

/// A Struct with these texts.
pub(crate) fn object<K: Into<String>, V: Into<String>>(entries: impl IntoIterator<Item = (K, V)>) -> Struct {
    Struct { fields: entries.into_iter().map(|(key, value)| (key.into(), text(value))).collect() }
}

/// A new task of `agent`, with a request id of its own.
pub(crate) fn create(namespace: &str, task_id: &str, agent: &str) -> v1::CreateTaskRequest {
    v1::CreateTaskRequest {
        namespace: namespace.into(),
        request_id: format!("create-{task_id}"),
        task_id: task_id.into(),
        description: format!("the work of {task_id}"),
        assigned_agent: agent.into(),
        metadata: None,
    }
}

/// A hand-off with a reason and nothing optional: neither request id nor epoch.
pub(crate) fn hand_off(namespace: &str, task_id: &str, from: &str, to: &str) -> v1::HandOffRequest {
    v1::HandOffRequest {
        namespace: namespace.into(),
        task_id: task_id.into(),
        from_agent: from.into(),
        to_agent: to.into(),
        reason: format!("{to} knows better"),
        ..Default::default()
    }
}

/// A merge of these texts into an agent's state.
pub(crate) fn state(namespace: &str, agent: &str, entries: &[(&str, &str)]) -> v1::UpdateAgentStateRequest {
    v1::UpdateAgentStateRequest {
        namespace: namespace.into(),
        agent_id: agent.into(),
        state: Some(object(entries.iter().copied())),
        ..Default::default()
    }
}

/// A start of a task.
pub(crate) fn start(namespace: &str, task_id: &str) -> v1::UpdateTaskRequest {
    v1::UpdateTaskRequest {
        namespace: namespace.into(),
        task_id: task_id.into(),
        start: true,
        ..Default::default()
    }
}

/// A context that says something in each of its fields.
pub(crate) fn context() -> v1::HandoffContext {
    v1::HandoffContext {
        summary: "arrived broken".into(),
        completed: vec!["photo checked".into()],
        remaining: vec!["refund 40 EUR".into()],
        decisions: vec!["no replacement: out of stock".into()],
        pitfalls: vec!["the customer was charged twice".into()],
        references: vec!["order 1142".into()],
    }
}
