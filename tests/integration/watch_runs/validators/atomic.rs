//! Whether each event is whole: a hand-off's owner, epoch, status, transfer, steps and task say the same, and follow from what was before.

use baton_proto::v1::{EventType, Handoff, HandoffEvent, HandoffStatus, StepStatus, Task, TaskStatus};

use super::{
    super::{fact::TaskFact, observed::Watch, truth::Truth},
    of_streams,
};

pub(super) fn atomic(watch: &Watch, truth: &Truth) -> Vec<String> {
    of_streams(watch, |stream, found| {
        for event in stream.events() {
            let mut broken = Vec::new();
            shape(event, &mut broken);
            if let (Some(handoff), Some(task)) = (&event.handoff, &event.task) {
                agreement(event, handoff, task, &mut broken);
                match truth.task_before(&handoff.task_id, event.revision) {
                    Some(before) => change(event.r#type(), before, handoff, task, &mut broken),
                    None => broken.push("it is of a task that there was not".to_owned()),
                }
            }
            found.extend(broken.into_iter().map(|what| format!("{}: {what}: {event:?}", event.revision)));
        }
    })
}

/// Notes `what` unless it holds.
fn must(holds: bool, what: &str, broken: &mut Vec<String>) {
    if !holds {
        broken.push(what.to_owned());
    }
}

/// Each type of event has its parts and no others.
fn shape(event: &HandoffEvent, broken: &mut Vec<String>) {
    let number = event.r#type;
    must(event.r#type() != EventType::Unspecified, "its type is unspecified", broken);
    must(event.timestamp.is_some(), "it has no time", broken);
    must(event.handoff.is_some() == (number < 16), "its hand-off does not fit its type", broken);
    must(event.task.is_some() == (number < 32), "its task does not fit its type", broken);
    must(event.agent_id.is_empty() != (32..48).contains(&number), "its agent does not fit its type", broken);
    must(event.rule.is_some() == (number >= 48), "its rule does not fit its type", broken);
    if let (Some(task), false) = (&event.task, event.handoff.is_some()) {
        must(task.revision == event.revision, "the task has another revision", broken);
    }
}

/// What one event says agrees in itself.
fn agreement(event: &HandoffEvent, handoff: &Handoff, task: &Task, broken: &mut Vec<String>) {
    let (status, steps): (HandoffStatus, &[StepStatus]) = match event.r#type() {
        EventType::HandoffInitiated => (HandoffStatus::Initiated, &[StepStatus::Completed]),
        EventType::HandoffWithdrawn => (HandoffStatus::Withdrawn, &[StepStatus::Completed]),
        EventType::HandoffRejected => (HandoffStatus::Rejected, &[StepStatus::Failed]),
        EventType::HandoffCompleted if moved(handoff) == 0 => {
            (HandoffStatus::Completed, &[StepStatus::Completed, StepStatus::Skipped, StepStatus::Completed])
        }
        EventType::HandoffCompleted => (HandoffStatus::Completed, &[StepStatus::Completed; 3]),
        _ => (HandoffStatus::Failed, &[]),
    };
    must(handoff.status() == status, "the hand-off's status does not fit the type", broken);
    must(handoff.revision == event.revision, "the hand-off has another revision", broken);
    must(handoff.task_id == task.task_id, "the hand-off is of another task", broken);
    must(moved(handoff) < event.revision, "a state moved that there was not yet", broken);
    let open = status == HandoffStatus::Initiated;
    must(handoff.completed_at.is_none() == open, "the time of its end does not fit its status", broken);
    must((task.open_handoff_id == handoff.handoff_id) == open, "the task's open hand-off is wrong", broken);
    let rejected = status == HandoffStatus::Rejected;
    let verdict = handoff.validation.as_ref();
    if status != HandoffStatus::Failed {
        must(verdict.is_some_and(|verdict| verdict.valid != rejected), "the verdict does not fit", broken);
        must(
            handoff.steps.iter().map(|step| step.status()).eq(steps.iter().copied()),
            "steps do not fit",
            broken,
        );
    } else {
        let last = handoff.steps.last().map(|step| step.status());
        must(last == Some(StepStatus::Failed), "it failed in none of its steps", broken);
        must(!handoff.error.is_empty(), "it failed and does not say why", broken);
    }
    let names = ["validation", "state_transfer", "task_transfer"];
    must(
        handoff.steps.iter().zip(names).all(|(step, name)| step.step == name),
        "steps are in disorder",
        broken,
    );
}

/// The revision of the state that moved; 0: none.
fn moved(handoff: &Handoff) -> u64 {
    handoff.transfer.as_ref().map_or(0, |transfer| transfer.from_revision)
}

/// The task changed as the hand-off says: all of it, or not at all.
fn change(kind: EventType, before: &TaskFact, handoff: &Handoff, task: &Task, broken: &mut Vec<String>) {
    if kind == EventType::HandoffCompleted {
        must(handoff.from_agent == before.owner, "its sender was not the owner", broken);
        must(task.assigned_agent == handoff.to_agent, "its receiver is not the owner", broken);
        must(task.owner_epoch == before.owner_epoch + 1, "the owner epoch is not one more", broken);
        must(handoff.owner_epoch == task.owner_epoch, "task and hand-off have different epochs", broken);
        must(task.handoff_count == before.handoff_count + 1, "the task does not count it", broken);
        must(task.status() == TaskStatus::HandedOff, "the task is not handed off", broken);
        must(task.revision == handoff.revision, "the task has another revision", broken);
        return;
    }
    must(task.assigned_agent == before.owner, "it did not happen, and the owner is another", broken);
    must(task.owner_epoch == before.owner_epoch, "it did not happen, and the epoch is another", broken);
    must(handoff.owner_epoch == task.owner_epoch, "task and hand-off have different epochs", broken);
    must(task.handoff_count == before.handoff_count, "it did not happen, and the task counts it", broken);
    must(task.status() == before.status, "it did not happen, and the task's status is another", broken);
    let untouched = task.open_handoff_id == before.open_handoff;
    let revision = if untouched { before.revision } else { handoff.revision };
    must(task.revision == revision, "the task's revision is not that of its last change", broken);
    if matches!(kind, EventType::HandoffRejected) {
        must(untouched, "it was refused, and touched another that is open", broken);
    }
}
