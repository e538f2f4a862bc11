//! Where the core and the plain world differ.

use std::{
    fmt::{Arguments, Debug},
    rc::Rc,
};

use baton_core::{
    AgentRecord, Answer, BuiltInRule, Knowledge, Object, Outcome, Rejection, Revision, State, StateChange,
    StateChangeKind, StepName, TaskChange, TaskEntry, TaskStatus, Value,
};

use super::{
    refusals::{broken_rules, handoff_status, refusal},
    to_core,
};
use crate::plain::{
    reply::Reply,
    rules::RULES,
    value::{Plain, PlainMap},
    world::{Agent, Change, Entry, Handoff, Happened, How, Status, Task, TaskRecord, Why, World},
};

/// Compares everything, of histories and hand-offs the newest `depth`.
pub(crate) fn compare(state: &State, world: &World, depth: usize) -> Result<(), String> {
    agree(format_args!("the head"), state.head().0 == world.revision, &state.head(), &world.revision)?;
    compare_tasks(state, world, depth)?;
    compare_agents(state, world, depth)?;
    let handoffs = state.handoffs_before(None).take(depth);
    let plain_handoffs = world.handoffs.values().rev().take(depth);
    for (core, plain) in handoffs.zip(plain_handoffs) {
        agree(format_args!("hand-off {}", plain.id), same_handoff(&core, plain), &core, plain)?;
    }
    if depth == usize::MAX {
        let (kept, known) = (state.handoffs_after(None).count(), world.handoffs.len());
        agree(format_args!("the number of hand-offs"), kept == known, &kept, &known)?;
    }
    for rule in RULES {
        let (core, plain) =
            (state.rules().is_on(BuiltInRule::by_name(rule).unwrap()), !world.rules_off.contains(rule));
        agree(format_args!("rule {rule}"), core == plain, &core, &plain)?;
    }
    Ok(())
}

/// Compares what both said to one operation.
pub(crate) fn compare_replies(
    core: &Result<Outcome, Rejection>,
    plain: &Reply,
    plain_repeated: bool,
) -> Result<(), String> {
    let same = match core {
        Err(rejection) => *plain == Reply::Refused(refusal(rejection)) && !plain_repeated,
        Ok(Outcome::Recorded(_, answer)) => same_answer(answer, plain) && !plain_repeated,
        Ok(Outcome::Repeated(answer)) => same_answer(answer, plain) && plain_repeated,
        Ok(Outcome::Stored(_)) => false,
    };
    agree(format_args!("the answer"), same, core, &(plain_repeated, plain))
}

fn agree(what: Arguments<'_>, same: bool, core: &impl Debug, plain: &impl Debug) -> Result<(), String> {
    if same { Ok(()) } else { Err(format!("{what} differs:\n  core:  {core:?}\n  plain: {plain:?}")) }
}

fn compare_tasks(state: &State, world: &World, depth: usize) -> Result<(), String> {
    agree(
        format_args!("the number of tasks"),
        state.task_count() == world.tasks.len(),
        &state.task_count(),
        &world.tasks.len(),
    )?;
    for (core, plain) in state.tasks_after(None).zip(world.tasks.values()) {
        let TaskRecord { task, history, .. } = &**plain;
        // Metadata and histories may be large: only full comparisons look at those that should not have changed.
        let is_new =
            depth == usize::MAX || core.revision.0.max(last_told(history)) + depth as u64 > world.revision;
        let same = same_head(&core, task) && (!is_new || same_object(&core.metadata, &task.metadata));
        agree(format_args!("task {}", task.id), same, &core, task)?;
        if is_new {
            compare_history(state, &core.id, history, depth)?;
        }
    }
    Ok(())
}

fn last_told(history: &[Rc<Entry>]) -> u64 {
    history.last().map_or(0, |entry| entry.revision)
}

fn compare_history(state: &State, id: &str, plain: &[Rc<Entry>], depth: usize) -> Result<(), String> {
    let Some(told) = state.task_history(id) else {
        return Err(format!("the core lists {id} and does not have it"));
    };
    let (kept, happened) = (told.kept() + told.dropped() as usize, plain.len());
    agree(format_args!("the length of the history of {id}"), kept == happened, &kept, &happened)?;
    for (core, plain) in told.after(Revision(0)).rev().zip(plain.iter().rev()).take(depth) {
        let what = format_args!("the history of {id} at revision {}", plain.revision);
        agree(what, same_entry(&core, plain), &core, plain)?;
    }
    Ok(())
}

fn compare_agents(state: &State, world: &World, depth: usize) -> Result<(), String> {
    for (id, plain) in &world.agents {
        let Some(AgentRecord { state: core, history }) = state.agent(id) else {
            return Err(format!("the core knows nothing of the state of {id}"));
        };
        let Agent { state, revision, updated_us, transferred_from, history: plain_history } = plain;
        let same = same_knowledge(&core.knowledge, state)
            && core.agent_id.as_str() == id
            && core.revision.0 == *revision
            && core.updated_us == *updated_us
            && core.transferred_from.as_deref() == transferred_from.as_deref();
        agree(format_args!("the state of {id}"), same, core, plain)?;
        let lengths = (history.entries().len(), history.dropped() as usize);
        let plain_lengths = (plain_history.len().min(100), plain_history.len().saturating_sub(100));
        agree(
            format_args!("the length of the state history of {id}"),
            lengths == plain_lengths,
            &lengths,
            &plain_lengths,
        )?;
        for (core, plain) in history.entries().iter().rev().zip(plain_history.iter().rev()).take(depth) {
            let what = format_args!("the state history of {id} at revision {}", plain.revision);
            agree(what, same_change(core, plain), core, plain)?;
        }
    }
    Ok(())
}

fn same_answer(core: &Answer, plain: &Reply) -> bool {
    match (core, plain) {
        (Answer::Task(core), Reply::Task(plain)) => same_task(core, plain),
        (Answer::Handoff(handoff, task), Reply::Handoff(plain_handoff, plain_task)) => {
            same_handoff(handoff, plain_handoff) && same_task(task, plain_task)
        }
        (Answer::State(core), Reply::State { agent, revision, time_us, moved }) => {
            core.agent_id.as_str() == agent
                && core.revision.0 == *revision
                && core.updated_us == *time_us
                && core.transferred_from.as_deref() == moved.as_ref().map(|moved| moved.from.as_str())
                && match (&core.transfer, moved) {
                    (None, None) => true,
                    (Some(core), Some(plain)) => {
                        core.from_revision.0 == plain.from_revision
                            && core.spec == to_core::spec(&plain.moving)
                    }
                    _ => false,
                }
        }
        (Answer::Rule { rule, on }, Reply::Rule { rule: plain_rule, on: plain_on }) => {
            rule.name() == *plain_rule && on == plain_on
        }
        _ => false,
    }
}

fn same_task(core: &baton_core::Task, plain: &Task) -> bool {
    same_head(core, plain) && same_object(&core.metadata, &plain.metadata)
}

/// All but the metadata.
fn same_head(core: &baton_core::Task, plain: &Task) -> bool {
    core.id.as_str() == plain.id
        && core.description.as_str() == plain.description
        && status_of(core.status) == plain.status
        && core.owner.as_str() == plain.owner
        && core.owner_epoch == plain.epoch
        && core.created_us == plain.created_us
        && core.updated_us == plain.updated_us
        && core.revision.0 == plain.revision
        && core.handoff_count == plain.handoffs
        && core.open_handoff.map(|id| id.0.0) == plain.open
        && core.progress.as_ref().map(|progress| (progress.percent, progress.note.as_str()))
            == plain.progress.as_ref().map(|(percent, note)| (*percent, note.as_str()))
        && core.outcome.as_str() == plain.outcome
}

fn same_handoff(core: &baton_core::Handoff, plain: &Handoff) -> bool {
    core.id.0.0 == plain.id
        && core.task_id.as_str() == plain.task
        && core.from.as_str() == plain.from
        && core.to.as_str() == plain.to
        && core.reason.as_str() == plain.reason
        && handoff_status(core.status) == plain.status
        && broken_rules(&core.verdict) == plain.errors
        && core.transfer.spec == to_core::spec(&plain.moving)
        && core.transfer.from_revision.0 == plain.from_revision
        && core.context.as_ref().map_or(0, |context| context.size()) == plain.context_bytes
        && (core.created_us, core.judged_us, core.completed_us)
            == (plain.created_us, plain.judged_us, plain.closed_us)
        && core.owner_epoch == plain.epoch
        && core.revision.0 == plain.revision
        && same_why(core, &plain.why)
}

fn same_why(core: &baton_core::Handoff, plain: &Why) -> bool {
    let names = |keys: &[String]| keys.iter().take(8).all(|key| core.error.contains(&format!("{key:?}")));
    match plain {
        Why::Nothing => core.failed_step.is_none() && core.error.is_empty(),
        Why::Withdrawn(reason) => core.failed_step.is_none() && core.error.as_str() == reason,
        Why::Rules => {
            core.failed_step == Some(StepName::Validation)
                && core.error.as_str() == core.verdict.error_lines().join("; ")
        }
        Why::KeysMissing(keys) => {
            core.failed_step == Some(StepName::StateTransfer)
                && core.error.ends_with("not in the sender's state")
                && names(keys)
        }
        Why::KeysInConflict(keys) => {
            core.failed_step == Some(StepName::StateTransfer)
                && core.error.ends_with("already in the receiver's state with other values")
                && names(keys)
        }
    }
}

fn same_entry(core: &TaskEntry, plain: &Entry) -> bool {
    core.revision.0 == plain.revision
        && core.time_us == plain.time_us
        && status_of(core.status) == plain.status
        && core.owner.as_str() == plain.owner
        && core.owner_epoch == plain.epoch
        && match (&core.what, &plain.what) {
            (TaskChange::Created, Happened::Created)
            | (TaskChange::Started, Happened::Started)
            | (TaskChange::Updated, Happened::Updated) => true,
            (TaskChange::Ended(core), Happened::Ended(plain)) => core.as_str() == plain,
            (TaskChange::Handoff(core), Happened::Handoff(plain)) => same_handoff(core, plain),
            _ => false,
        }
}

fn same_change(core: &StateChange, plain: &Change) -> bool {
    core.revision.0 == plain.revision
        && core.time_us == plain.time_us
        && same_knowledge(&core.after, &plain.after)
        && match (&core.how, &plain.how) {
            (StateChangeKind::Updated { mode, update }, How::Updated(plain_mode, plain_update)) => {
                *mode == to_core::mode(*plain_mode) && same_object(update, plain_update)
            }
            (
                StateChangeKind::Transferred { from, handoff },
                How::Transferred { from: plain_from, handoff: plain_handoff },
            ) => from.as_str() == plain_from && handoff.map(|id| id.0.0) == *plain_handoff,
            _ => false,
        }
}

fn same_knowledge(core: &Knowledge, plain: &PlainMap) -> bool {
    let mut pairs = core.entries().iter().zip(plain);
    core.len() == plain.len()
        && pairs.all(|((key, known), (plain_key, plain))| {
            key.as_str() == plain_key && same_value(&known.value, plain)
        })
}

fn same_object(core: &Object, plain: &PlainMap) -> bool {
    let mut pairs = core.entries().iter().zip(plain);
    core.entries().len() == plain.len()
        && pairs
            .all(|((key, value), (plain_key, plain))| key.as_str() == plain_key && same_value(value, plain))
}

fn same_value(core: &Value, plain: &Plain) -> bool {
    match (core, plain) {
        (Value::Null, Plain::Null) => true,
        (Value::Bool(core), Plain::Bool(plain)) => core == plain,
        (Value::Number(core), Plain::Number(plain)) => core == plain,
        (Value::String(core), Plain::Text(plain)) => core.as_str() == plain,
        (Value::List(core), Plain::List(plain)) => {
            core.len() == plain.len() && core.iter().zip(plain).all(|(core, plain)| same_value(core, plain))
        }
        (Value::Object(core), Plain::Map(plain)) => same_object(core, plain),
        _ => false,
    }
}

pub(crate) fn status_of(status: TaskStatus) -> Status {
    match status {
        TaskStatus::Pending => Status::Pending,
        TaskStatus::InProgress => Status::InProgress,
        TaskStatus::Completed => Status::Completed,
        TaskStatus::Failed => Status::Failed,
        TaskStatus::HandedOff => Status::HandedOff,
        TaskStatus::Cancelled => Status::Cancelled,
    }
}
