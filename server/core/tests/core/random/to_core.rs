//! Plain operations as commands of the core.

use std::sync::LazyLock;

use baton_core::{
    Action, AgentId, BuiltInRule, Claim, CloseHandoff, Command, ConflictPolicy, Context, ContextParts,
    CreateTask, End, EndTask, HandoffId, Object, Progress, Proposal, Revision, SwitchRule, TaskId, Text,
    TransferSpec, TransferState, UpdateMode, UpdateState, UpdateTask, Value,
};

use crate::plain::{
    op::{Ask, Close, Ending, Keys, Mode, Moving, OnConflict, Op, Update, What, Who},
    value::{Plain, PlainMap},
};

pub(crate) fn command(op: &Op) -> Command {
    Command::new(op.request.as_deref().unwrap_or(""), op.received_us, action(&op.what))
}

fn action(what: &What) -> Action {
    match what {
        What::Create { task, description, owner, metadata } => Action::CreateTask(CreateTask {
            task_id: TaskId::from(task.as_str()),
            description: Text::from(description.as_str()),
            owner: AgentId::from(owner.as_str()),
            metadata: object(metadata),
        }),
        What::Update(update) => Action::UpdateTask(update_task(update)),
        What::End { task, who, how, outcome } => Action::EndTask(EndTask {
            task_id: TaskId::from(task.as_str()),
            claim: claim(who),
            end: match how {
                Ending::Complete => End::Complete,
                Ending::Fail => End::Fail,
                Ending::Cancel => End::Cancel,
            },
            outcome: Text::from(outcome.as_str()),
        }),
        What::UpdateState { agent, mode, update, expected } => Action::UpdateState(UpdateState {
            agent_id: AgentId::from(agent.as_str()),
            mode: self::mode(*mode),
            update: object(update),
            expected_revision: expected.map(Revision),
        }),
        What::Transfer { from, to, moving } => Action::TransferState(TransferState {
            from: AgentId::from(from.as_str()),
            to: AgentId::from(to.as_str()),
            spec: spec(moving),
        }),
        What::HandOff(ask) => Action::HandOff(proposal(ask)),
        What::Initiate(ask) => Action::InitiateHandoff(proposal(ask)),
        What::Execute(close) => Action::ExecuteHandoff(close_handoff(close)),
        What::Withdraw(close) => Action::WithdrawHandoff(close_handoff(close)),
        What::Switch { rule, on } => {
            Action::SwitchRule(SwitchRule { rule: BuiltInRule::by_name(rule).unwrap(), on: *on })
        }
    }
}

fn update_task(update: &Update) -> UpdateTask {
    UpdateTask {
        task_id: TaskId::from(update.task.as_str()),
        claim: claim(&update.who),
        expected_revision: update.expected.map(Revision),
        description: update.description.as_deref().map(Text::from),
        metadata: update.metadata.as_deref().map(object),
        progress: update
            .progress
            .as_ref()
            .map(|(percent, note)| Progress { percent: *percent, note: Text::from(note.as_str()) }),
        start: update.start,
    }
}

fn claim(who: &Who) -> Claim {
    Claim { agent: who.agent.as_deref().map(AgentId::from), owner_epoch: who.epoch }
}

fn proposal(ask: &Ask) -> Proposal {
    Proposal {
        task_id: TaskId::from(ask.task.as_str()),
        from: AgentId::from(ask.from.as_str()),
        to: AgentId::from(ask.to.as_str()),
        reason: Text::from(ask.reason.as_str()),
        owner_epoch: ask.epoch,
        transfer: spec(&ask.moving),
        context: context(ask.context_bytes),
    }
}

fn close_handoff(close: &Close) -> CloseHandoff {
    CloseHandoff {
        handoff_id: HandoffId(Revision(close.handoff)),
        owner_epoch: close.epoch,
        reason: Text::from(close.reason.as_str()),
    }
}

/// No context for 0 bytes; half of the others' bytes are in the summary, the rest in a list.
fn context(bytes: usize) -> Option<Context> {
    static LONGEST: LazyLock<String> = LazyLock::new(|| "c".repeat(70_000));
    (bytes > 0).then(|| {
        let summary = &LONGEST[..bytes / 2];
        let remaining = vec![&LONGEST[..bytes - bytes / 2]];
        Context::from(&ContextParts { summary, remaining, ..ContextParts::default() })
    })
}

pub(crate) fn mode(mode: Mode) -> UpdateMode {
    match mode {
        Mode::Merge => UpdateMode::Merge,
        Mode::Replace => UpdateMode::Replace,
        Mode::Patch => UpdateMode::Patch,
    }
}

pub(crate) fn spec(moving: &Moving) -> TransferSpec {
    let keys = match &moving.keys {
        Keys::Some(keys) => Some(keys.iter().map(|key| Text::from(key.as_str())).collect()),
        Keys::All | Keys::None => None,
    };
    let on_conflict = match moving.on_conflict {
        OnConflict::Overwrite => ConflictPolicy::Overwrite,
        OnConflict::Keep => ConflictPolicy::Keep,
        OnConflict::Fail => ConflictPolicy::Fail,
    };
    TransferSpec { enabled: moving.keys != Keys::None, keys, on_conflict }
}

pub(crate) fn object(map: &PlainMap) -> Object {
    Object::new(map.iter().map(|(key, value)| (Text::from(key.as_str()), self::value(value))).collect())
}

fn value(plain: &Plain) -> Value {
    match plain {
        Plain::Null => Value::Null,
        Plain::Bool(value) => Value::Bool(*value),
        Plain::Number(value) => Value::Number(*value),
        Plain::Text(text) => Value::String(Text::from(text.as_str())),
        Plain::List(items) => Value::List(items.iter().map(value).collect()),
        Plain::Map(map) => Value::Object(object(map)),
    }
}
