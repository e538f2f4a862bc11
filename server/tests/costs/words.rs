//! Commands as agents give them: ids, a reason and a context of common lengths.

use baton_core::{
    Action, AgentId, Claim, Command, Context, ContextParts, CreateTask, Object, Proposal, TaskId, Text,
    TransferSpec, UpdateMode, UpdateState, UpdateTask, Value,
};

/// When everything happens.
pub(crate) const NOW_US: i64 = 1_790_000_000_000_000;

/// `action` as the request `request` about that task; none if that is empty.
pub(crate) fn command(request: &str, task: usize, action: Action) -> Command {
    let id = if request.is_empty() { String::new() } else { format!("{request}-{task:08}") };
    Command::new(&id, NOW_US, action)
}

pub(crate) fn create(request: &str, task: usize) -> Command {
    let create = CreateTask {
        task_id: id(task),
        description: Text::from("Refund order 4711"),
        owner: AgentId::from("triage"),
        metadata: Object::default(),
    };
    command(request, task, Action::CreateTask(create))
}

pub(crate) fn hand_off(task: usize) -> Action {
    Action::HandOff(Proposal {
        task_id: id(task),
        from: AgentId::from("triage"),
        to: AgentId::from("billing"),
        reason: Text::from("needs access to payments"),
        owner_epoch: Some(1),
        transfer: TransferSpec::default(),
        context: Some(Context::from(&ContextParts {
            summary: "the customer was charged twice and wants the second charge back",
            completed: vec!["both charges found"],
            remaining: vec!["refund the second charge"],
            ..ContextParts::default()
        })),
    })
}

/// Leaves a line in the history, and everything else as it is.
pub(crate) fn touch(task: usize) -> Action {
    Action::UpdateTask(UpdateTask {
        task_id: id(task),
        claim: Claim::default(),
        expected_revision: None,
        description: None,
        metadata: None,
        progress: None,
        start: false,
    })
}

/// The sender knows something.
pub(crate) fn know() -> Command {
    let known = [("order".into(), Value::String(Text::from("4711")))];
    let update = UpdateState {
        agent_id: AgentId::from("triage"),
        mode: UpdateMode::Merge,
        update: Object::new(known.into_iter().collect()),
        expected_revision: None,
    };
    Command::new("know", NOW_US, Action::UpdateState(update))
}

fn id(task: usize) -> TaskId {
    TaskId::from(format!("task-{task:08}"))
}
