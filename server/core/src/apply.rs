//! Applies one event to a draft.
//!
//! Pure, and total: an event that was decided always applies. The same events give the same state, byte for byte.

use std::sync::Arc;

use crate::{
    AgentId, AgentState, Answer, Draft, Event, Handoff, HandoffStatus, LastChange, RecentPairs, Revision,
    StateChange, StateChangeKind, StateWritten, Task, TaskAfter, TaskEntry, TaskId, Text, Transfer,
    event::{HandoffEvent, StateTransferred, StateUpdated, TaskCreated, TaskEnded, TaskUpdated},
    history::TaskChange,
    knowledge::Knowledge,
};

/// The log holds an event that does not fit the state before it: it was not written by this state machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at revision {revision} does not fit what is before it: {what}")]
pub struct Misfit {
    /// Where.
    pub revision: Revision,
    /// Why.
    pub what: String,
}

/// Where and when an event stands in the log.
#[derive(Clone, Copy)]
struct Place {
    revision: Revision,
    time_us: i64,
}

/// Applies `event`, recorded at `time_us`, as the next revision of `draft`, and tells what its command answers.
///
/// # Errors
/// [`Misfit`] if the event speaks of something that is not there.
pub(crate) fn apply(draft: &mut Draft<'_>, event: &Event, time_us: i64) -> Result<Answer, Misfit> {
    let place = Place { revision: draft.head().next(), time_us };
    let answer = match event {
        Event::TaskCreated(created) => task_created(draft, created, place),
        Event::TaskUpdated(updated) => task_updated(draft, updated, place)?,
        Event::TaskEnded(ended) => task_ended(draft, ended, place)?,
        Event::StateUpdated(updated) => state_updated(draft, updated, place),
        Event::StateTransferred(transferred) => state_transferred(draft, transferred, place)?,
        Event::Handoff(event) => handoff(draft, event, place)?,
        Event::RuleSwitched(switched) => {
            let mut rules = draft.rules().clone();
            rules.switch(switched.rule, switched.on);
            draft.put_rules(rules);
            Answer::Rule { rule: switched.rule, on: switched.on }
        }
    };
    draft.advance(place.revision, time_us);
    Ok(answer)
}

fn task_created(draft: &mut Draft<'_>, created: &TaskCreated, place: Place) -> Answer {
    let task = created.task(LastChange { revision: place.revision, time_us: place.time_us });
    put_task(draft, task, TaskChange::Created, place)
}

fn task_updated(draft: &mut Draft<'_>, updated: &TaskUpdated, place: Place) -> Result<Answer, Misfit> {
    let mut task = changed_task(draft, &updated.task_id, &updated.after, place)?;
    if let Some(description) = &updated.description {
        task.description = description.clone();
    }
    if let Some(metadata) = &updated.metadata {
        task.metadata = metadata.clone();
        task.metadata_bytes = metadata.size() as u64;
    }
    let what = if updated.started { TaskChange::Started } else { TaskChange::Updated };
    Ok(put_task(draft, task, what, place))
}

fn task_ended(draft: &mut Draft<'_>, ended: &TaskEnded, place: Place) -> Result<Answer, Misfit> {
    let mut task = changed_task(draft, &ended.task_id, &ended.after, place)?;
    task.outcome = ended.outcome.clone();
    Ok(put_task(draft, task, TaskChange::Ended(ended.outcome.clone()), place))
}

fn state_updated(draft: &mut Draft<'_>, updated: &StateUpdated, place: Place) -> Answer {
    let present = draft.agent(&updated.agent_id);
    let before = present.map_or_else(Knowledge::default, |state| state.knowledge.clone());
    let after = before.updated(updated.mode, &updated.update);
    let how = StateChangeKind::Updated { mode: updated.mode, update: updated.update.clone() };
    let state = AgentState {
        agent_id: updated.agent_id.clone(),
        knowledge: after.clone(),
        revision: place.revision,
        updated_us: place.time_us,
        transferred_from: None,
    };
    let written = StateWritten {
        agent_id: state.agent_id.clone(),
        revision: place.revision,
        updated_us: place.time_us,
        transferred_from: None,
        transfer: None,
    };
    draft.put_agent(state, StateChange { revision: place.revision, time_us: place.time_us, how, after });
    Answer::State(Arc::new(written))
}

fn state_transferred(
    draft: &mut Draft<'_>,
    transferred: &StateTransferred,
    place: Place,
) -> Result<Answer, Misfit> {
    let StateTransferred { from, to, transfer } = transferred;
    let how = StateChangeKind::Transferred { from: from.clone(), handoff: None };
    move_state(draft, how, to, transfer, place)?;
    Ok(Answer::State(Arc::new(StateWritten {
        agent_id: to.clone(),
        revision: place.revision,
        updated_us: place.time_us,
        transferred_from: Some(from.clone()),
        transfer: Some(transfer.clone()),
    })))
}

fn handoff(draft: &mut Draft<'_>, event: &HandoffEvent, place: Place) -> Result<Answer, Misfit> {
    let HandoffEvent { handoff, after } = event;
    if after.untouched_since.is_some() {
        return untouched_task(draft, handoff, place);
    }
    if handoff.status != HandoffStatus::Completed {
        let task = changed_task(draft, &handoff.task_id, after, place)?;
        return Ok(put_handoff(draft, handoff, Arc::new(task), place));
    }
    let present = known_task(draft, &handoff.task_id, place)?;
    let task = Task {
        recent_pairs: present.recent_pairs.with(&handoff.from, &handoff.to),
        // A finished task can only be handed on where the rule against it is off; then it lives again.
        outcome: Text::default(),
        ..task_after(&present, after, place)
    };
    if handoff.transfer.from_revision.0 > 0 {
        let how = StateChangeKind::Transferred { from: handoff.from.clone(), handoff: Some(handoff.id) };
        move_state(draft, how, &handoff.to, &handoff.transfer, place)?;
    }
    Ok(put_handoff(draft, handoff, Arc::new(task), place))
}

/// Only the history tells of it: whoever holds the task's revision may still act on it.
fn untouched_task(draft: &mut Draft<'_>, handoff: &Arc<Handoff>, place: Place) -> Result<Answer, Misfit> {
    let task = known_task(draft, &handoff.task_id, place)?;
    Ok(put_handoff(draft, handoff, task, place))
}

fn put_handoff(draft: &mut Draft<'_>, handoff: &Arc<Handoff>, task: Arc<Task>, place: Place) -> Answer {
    draft.put_handoff(Arc::clone(handoff));
    draft.put_task(Arc::clone(&task), entry(&task, TaskChange::Handoff(Arc::clone(handoff)), place));
    Answer::Handoff(Arc::clone(handoff), task)
}

/// Moves state by reference: the sender's present state is the one that the event names.
fn move_state(
    draft: &mut Draft<'_>,
    how: StateChangeKind,
    to: &AgentId,
    transfer: &Transfer,
    place: Place,
) -> Result<(), Misfit> {
    let StateChangeKind::Transferred { from, .. } = &how else { return Ok(()) };
    let misfit = |what: String| Misfit { revision: place.revision, what };
    let sender = draft.agent(from).filter(|sender| sender.revision == transfer.from_revision);
    let Some(sender) = sender else {
        return Err(misfit(format!("{from} has no state of revision {}", transfer.from_revision)));
    };
    let before = draft.agent(to).map_or_else(Knowledge::default, |state| state.knowledge.clone());
    let after = before
        .receiving(&sender.knowledge, &transfer.spec)
        .map_err(|obstacle| misfit(obstacle.to_string()))?;
    let state = AgentState {
        agent_id: to.clone(),
        knowledge: after.clone(),
        revision: place.revision,
        updated_us: place.time_us,
        transferred_from: Some(from.clone()),
    };
    draft.put_agent(state, StateChange { revision: place.revision, time_us: place.time_us, how, after });
    Ok(())
}

/// The task as `after` leaves it.
fn changed_task(draft: &Draft<'_>, id: &TaskId, after: &TaskAfter, place: Place) -> Result<Task, Misfit> {
    let present = known_task(draft, id, place)?;
    Ok(Task { recent_pairs: present.recent_pairs.clone(), ..task_after(&present, after, place) })
}

/// The task as `after` leaves it, without the path that it took.
fn task_after(present: &Task, after: &TaskAfter, place: Place) -> Task {
    Task {
        id: present.id.clone(),
        description: present.description.clone(),
        status: after.status,
        owner: after.owner.clone(),
        owner_epoch: after.owner_epoch,
        created_us: present.created_us,
        updated_us: place.time_us,
        metadata: present.metadata.clone(),
        revision: place.revision,
        handoff_count: after.handoff_count,
        open_handoff: after.open_handoff,
        progress: after.progress.clone(),
        outcome: present.outcome.clone(),
        recent_pairs: RecentPairs::default(),
        metadata_bytes: present.metadata_bytes,
    }
}

fn known_task(draft: &Draft<'_>, id: &TaskId, place: Place) -> Result<Arc<Task>, Misfit> {
    let misfit = || Misfit { revision: place.revision, what: format!("task {id} does not exist") };
    draft.task(id).ok_or_else(misfit)
}

fn put_task(draft: &mut Draft<'_>, task: Task, what: TaskChange, place: Place) -> Answer {
    let task = Arc::new(task);
    draft.put_task(Arc::clone(&task), entry(&task, what, place));
    Answer::Task(task)
}

fn entry(task: &Task, what: TaskChange, place: Place) -> TaskEntry {
    TaskEntry {
        revision: place.revision,
        time_us: place.time_us,
        what,
        status: task.status,
        owner: task.owner.clone(),
        owner_epoch: task.owner_epoch,
    }
}
