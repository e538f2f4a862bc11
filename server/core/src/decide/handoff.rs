//! Decides what becomes of a hand-off: whether it is open, completed, rejected, failed or withdrawn.
//!
//! Owner, epoch, state transfer and outcome are in the one event: all of it happens or none of it does.

use std::sync::Arc;

use super::{At, task::check_epoch};
use crate::{
    AgentState, Draft, Event, Handoff, HandoffId, HandoffStatus, Proposal, Rejection, Revision, StepName,
    Task, TaskAfter, TaskStatus, Text, Transfer, TransferSpec, command::CloseHandoff, event::HandoffEvent,
    judge::judge_of, knowledge::Knowledge, knowledge::Obstacle,
};

pub(super) fn hand_off(draft: &Draft<'_>, proposal: &Proposal, at: At) -> Result<Event, Rejection> {
    let sender = draft.agent(&proposal.from);
    let (task, handoff) = judged(draft, proposal, sender, at)?;
    if handoff.status == HandoffStatus::Rejected {
        return Ok(recorded(handoff, task.untouched()));
    }
    Ok(carried_out(draft, &task, sender, handoff, at))
}

pub(super) fn initiate(draft: &Draft<'_>, proposal: &Proposal, at: At) -> Result<Event, Rejection> {
    let (task, handoff) = judged(draft, proposal, draft.agent(&proposal.from), at)?;
    let after = match handoff.status {
        HandoffStatus::Initiated => TaskAfter { open_handoff: Some(handoff.id), ..task.after() },
        _ => task.untouched(),
    };
    Ok(recorded(handoff, after))
}

pub(super) fn execute(draft: &Draft<'_>, execute: &CloseHandoff, at: At) -> Result<Event, Rejection> {
    let (open, task) = open_handoff(draft, execute, HandoffStatus::Completed)?;
    let proposal = Proposal {
        task_id: open.task_id.clone(),
        from: open.from.clone(),
        to: open.to.clone(),
        reason: open.reason.clone(),
        owner_epoch: None,
        transfer: open.transfer.spec.clone(),
        context: open.context.clone(),
    };
    let sender = draft.agent(&open.from);
    let verdict = judge_of(draft, &proposal, Some(open.id), Some(&task), sender);
    let owner_epoch = task.owner_epoch;
    let handoff =
        Handoff { judged_us: at.now_us, owner_epoch, revision: at.revision, ..Handoff::clone(&open) };
    if verdict.is_valid() {
        return Ok(carried_out(draft, &task, sender, Handoff { verdict, ..handoff }, at));
    }
    let error = verdict.error_lines().join("; ");
    Ok(failed(&task, Handoff { verdict, ..handoff }, StepName::Validation, error, at))
}

pub(super) fn withdraw(draft: &Draft<'_>, withdraw: &CloseHandoff, at: At) -> Result<Event, Rejection> {
    let (open, task) = open_handoff(draft, withdraw, HandoffStatus::Withdrawn)?;
    let handoff = Handoff {
        status: HandoffStatus::Withdrawn,
        completed_us: Some(at.now_us),
        owner_epoch: task.owner_epoch,
        revision: at.revision,
        error: withdraw.reason.clone(),
        ..Handoff::clone(&open)
    };
    Ok(recorded(handoff, TaskAfter { open_handoff: None, ..task.after() }))
}

/// The proposed hand-off as the rules see it: initiated or rejected.
fn judged(
    draft: &Draft<'_>,
    proposal: &Proposal,
    sender: Option<&Arc<AgentState>>,
    at: At,
) -> Result<(Arc<Task>, Handoff), Rejection> {
    let task = draft.task(&proposal.task_id);
    let verdict = judge_of(draft, proposal, None, task.as_deref(), sender);
    let Some(task) = task else {
        return Err(Rejection::HandoffOfUnknownTask { task_id: proposal.task_id.clone(), verdict });
    };
    let valid = verdict.is_valid();
    let handoff = Handoff {
        id: HandoffId(at.revision),
        task_id: task.id.clone(),
        from: proposal.from.clone(),
        to: proposal.to.clone(),
        reason: proposal.reason.clone(),
        status: if valid { HandoffStatus::Initiated } else { HandoffStatus::Rejected },
        verdict,
        transfer: Transfer { spec: proposal.transfer.clone(), from_revision: Revision(0) },
        context: proposal.context.clone(),
        created_us: at.received_us,
        judged_us: at.now_us,
        completed_us: (!valid).then_some(at.now_us),
        failed_step: None,
        owner_epoch: task.owner_epoch,
        revision: at.revision,
        error: Text::default(),
        given_epoch: proposal.owner_epoch,
    };
    Ok((task, handoff))
}

/// The hand-off completed, or failed if the state cannot move.
fn carried_out(
    draft: &Draft<'_>,
    task: &Task,
    sender: Option<&Arc<AgentState>>,
    handoff: Handoff,
    at: At,
) -> Event {
    let from_revision = match state_to_move(draft, &handoff, sender) {
        Ok(from_revision) => from_revision,
        Err(obstacle) => return failed(task, handoff, StepName::StateTransfer, obstacle.to_string(), at),
    };
    let owner_epoch = task.owner_epoch + 1;
    let after = TaskAfter {
        status: TaskStatus::HandedOff,
        owner: handoff.to.clone(),
        owner_epoch,
        handoff_count: task.handoff_count + 1,
        open_handoff: None,
        // A finished task can only be handed on where the rule against it is off; then it lives again.
        outcome: None,
        ..task.after()
    };
    let transfer = Transfer { spec: handoff.transfer.spec.clone(), from_revision };
    let status = HandoffStatus::Completed;
    recorded(Handoff { status, transfer, owner_epoch, completed_us: Some(at.now_us), ..handoff }, after)
}

fn failed(task: &Task, handoff: Handoff, step: StepName, error: String, at: At) -> Event {
    let failed_step = Some(step);
    let closed = Handoff {
        status: HandoffStatus::Failed,
        failed_step,
        error: Text::new(error),
        completed_us: Some(at.now_us),
        ..handoff
    };
    let after = match task.open_handoff {
        Some(_) => TaskAfter { open_handoff: None, ..task.after() },
        None => task.untouched(),
    };
    recorded(closed, after)
}

/// The revision of the sender's state that moves, after a look whether it can; 0: there is nothing to move.
fn state_to_move(
    draft: &Draft<'_>,
    handoff: &Handoff,
    sender: Option<&Arc<AgentState>>,
) -> Result<Revision, Obstacle> {
    let spec: &TransferSpec = &handoff.transfer.spec;
    match (spec.enabled, sender) {
        (false, _) => Ok(Revision(0)),
        (true, None) => match &spec.keys {
            Some(keys) => Err(Obstacle::Missing(keys.clone())),
            None => Ok(Revision(0)),
        },
        (true, Some(sender)) => {
            let receiver =
                draft.agent(&handoff.to).map_or_else(Knowledge::default, |state| state.knowledge.clone());
            receiver.receiving(&sender.knowledge, spec)?.within_limits()?;
            Ok(sender.revision)
        }
    }
}

/// The open hand-off that is to be closed, and its task.
fn open_handoff(
    draft: &Draft<'_>,
    close: &CloseHandoff,
    wanted: HandoffStatus,
) -> Result<(Arc<Handoff>, Arc<Task>), Rejection> {
    let handoff_id = close.handoff_id;
    let handoff = draft.handoff(handoff_id).ok_or(Rejection::HandoffNotFound { handoff_id })?;
    if handoff.status != HandoffStatus::Initiated {
        return Err(Rejection::WrongHandoffStatus { handoff_id, status: handoff.status, wanted });
    }
    let task = draft
        .task(&handoff.task_id)
        .ok_or_else(|| Rejection::TaskNotFound { task_id: handoff.task_id.clone() })?;
    check_epoch(&task, close.owner_epoch)?;
    Ok((handoff, task))
}

fn recorded(handoff: Handoff, after: TaskAfter) -> Event {
    Event::Handoff(HandoffEvent { handoff: Arc::new(handoff), after })
}
