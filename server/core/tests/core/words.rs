//! Short words for commands.

use baton_core::{
    Action, AgentId, BuiltInRule, Claim, CloseHandoff, ConflictPolicy, CreateTask, End, EndTask, HandoffId,
    Object, Proposal, SwitchRule, TaskId, Text, TransferSpec, TransferState, UpdateMode, UpdateState,
    UpdateTask, Value,
};

pub(crate) fn create(task: &str, owner: &str) -> Action {
    create_with(task, owner, Object::default())
}

pub(crate) fn create_with(task: &str, owner: &str, metadata: Object) -> Action {
    Action::CreateTask(CreateTask {
        task_id: TaskId::from(task),
        description: Text::from("refund an order"),
        owner: AgentId::from(owner),
        metadata,
    })
}

pub(crate) fn touched(task: &str) -> UpdateTask {
    UpdateTask {
        task_id: TaskId::from(task),
        claim: Claim::default(),
        expected_revision: None,
        description: None,
        metadata: None,
        progress: None,
        start: false,
    }
}

pub(crate) fn touch(task: &str) -> Action {
    Action::UpdateTask(touched(task))
}

pub(crate) fn start(task: &str) -> Action {
    Action::UpdateTask(UpdateTask { start: true, ..touched(task) })
}

pub(crate) fn ended(task: &str, end: End) -> EndTask {
    EndTask { task_id: TaskId::from(task), claim: Claim::default(), end, outcome: Text::from("that is how") }
}

pub(crate) fn end(task: &str, end: End) -> Action {
    Action::EndTask(ended(task, end))
}

pub(crate) fn proposal(task: &str, from: &str, to: &str) -> Proposal {
    Proposal {
        task_id: TaskId::from(task),
        from: AgentId::from(from),
        to: AgentId::from(to),
        reason: Text::from("knows more"),
        owner_epoch: None,
        transfer: TransferSpec::default(),
        context: None,
    }
}

pub(crate) fn hand_off(task: &str, from: &str, to: &str) -> Action {
    Action::HandOff(proposal(task, from, to))
}

pub(crate) fn initiate(task: &str, from: &str, to: &str) -> Action {
    Action::InitiateHandoff(proposal(task, from, to))
}

pub(crate) fn execute(handoff: HandoffId) -> Action {
    Action::ExecuteHandoff(closed(handoff))
}

pub(crate) fn withdraw(handoff: HandoffId) -> Action {
    Action::WithdrawHandoff(closed(handoff))
}

pub(crate) fn closed(handoff_id: HandoffId) -> CloseHandoff {
    CloseHandoff { handoff_id, owner_epoch: None, reason: Text::from("not needed") }
}

pub(crate) fn state(agent: &str, mode: UpdateMode, update: Object) -> Action {
    Action::UpdateState(UpdateState { agent_id: AgentId::from(agent), mode, update, expected_revision: None })
}

pub(crate) fn know(agent: &str, update: Object) -> Action {
    state(agent, UpdateMode::Merge, update)
}

pub(crate) fn transfer(from: &str, to: &str, spec: TransferSpec) -> Action {
    Action::TransferState(TransferState { from: AgentId::from(from), to: AgentId::from(to), spec })
}

pub(crate) fn keys(keys: &[&str], on_conflict: ConflictPolicy) -> TransferSpec {
    let keys = Some(keys.iter().map(|key| Text::from(*key)).collect());
    TransferSpec { keys, on_conflict, ..TransferSpec::default() }
}

pub(crate) fn all_keys(on_conflict: ConflictPolicy) -> TransferSpec {
    TransferSpec { on_conflict, ..TransferSpec::default() }
}

pub(crate) fn nothing() -> TransferSpec {
    TransferSpec { enabled: false, ..TransferSpec::default() }
}

pub(crate) fn switch(rule: BuiltInRule, on: bool) -> Action {
    Action::SwitchRule(SwitchRule { rule, on })
}

/// An object from its JSON.
#[track_caller]
pub(crate) fn object(json: &str) -> Object {
    match value(serde_json::from_str(json).unwrap()) {
        Value::Object(object) => object,
        other => panic!("not an object: {other:?}"),
    }
}

/// What [`big`] adds to the bytes it is given: its key, and what each value counts.
pub(crate) const BIG_BYTES: usize = "big".len() + 8;

/// An object of one text of that many bytes under the key `big`.
pub(crate) fn big(bytes: usize) -> Object {
    Object::new([(Text::from("big"), Value::String(Text::from("b".repeat(bytes))))].into())
}

fn value(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(value),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap()),
        serde_json::Value::String(text) => Value::String(Text::from(text)),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(value).collect()),
        serde_json::Value::Object(map) => Value::Object(Object::new(
            map.into_iter().map(|(key, json)| (Text::from(key), value(json))).collect(),
        )),
    }
}
