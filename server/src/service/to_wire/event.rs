//! Events, from the log alone: whoever watches gets the same whether it watches live or from far behind.

use baton_core::{Event, HandoffStatus, Revision, TaskAfter, TaskCreated, TaskStatus};
use baton_proto::v1;

use super::{handoff, rule, task_after, timestamp, value::object};

/// The type under which an event is streamed.
pub(in crate::service) fn event_type(event: &Event) -> v1::EventType {
    match event {
        Event::TaskCreated(_) => v1::EventType::TaskCreated,
        Event::TaskUpdated(_) => v1::EventType::TaskUpdated,
        Event::TaskEnded(ended) => match ended.after.status {
            TaskStatus::Completed => v1::EventType::TaskCompleted,
            TaskStatus::Failed => v1::EventType::TaskFailed,
            _ => v1::EventType::TaskCancelled,
        },
        Event::StateUpdated(_) => v1::EventType::StateUpdated,
        Event::StateTransferred(_) => v1::EventType::StateTransferred,
        Event::Handoff(event) => match event.handoff.status {
            HandoffStatus::Initiated => v1::EventType::HandoffInitiated,
            HandoffStatus::Completed => v1::EventType::HandoffCompleted,
            HandoffStatus::Failed => v1::EventType::HandoffFailed,
            HandoffStatus::Rejected => v1::EventType::HandoffRejected,
            HandoffStatus::Withdrawn => v1::EventType::HandoffWithdrawn,
        },
        Event::RuleSwitched(switched) if switched.on => v1::EventType::RuleAdded,
        Event::RuleSwitched(_) => v1::EventType::RuleRemoved,
    }
}

/// An event at its place in the log.
pub(in crate::service) fn event(
    namespace: &str,
    revision: Revision,
    time_us: i64,
    event: &Event,
) -> v1::HandoffEvent {
    let after = |id, after: &TaskAfter| Some(task_after(namespace, id, after, revision, time_us));
    let told = v1::HandoffEvent {
        revision: revision.0,
        timestamp: Some(timestamp(time_us)),
        r#type: event_type(event).into(),
        ..Default::default()
    };
    match event {
        Event::TaskCreated(created) => {
            v1::HandoffEvent { task: Some(created_task(namespace, created, revision, time_us)), ..told }
        }
        Event::TaskUpdated(updated) => {
            v1::HandoffEvent { task: after(&updated.task_id, &updated.after), ..told }
        }
        Event::TaskEnded(ended) => {
            let task = after(&ended.task_id, &ended.after);
            let outcome = ended.outcome.to_string();
            v1::HandoffEvent { task: task.map(|task| v1::Task { outcome, ..task }), ..told }
        }
        Event::StateUpdated(updated) => v1::HandoffEvent { agent_id: updated.agent_id.to_string(), ..told },
        Event::StateTransferred(transferred) => v1::HandoffEvent {
            agent_id: transferred.to.to_string(),
            transferred_from: transferred.from.to_string(),
            ..told
        },
        Event::Handoff(event) => v1::HandoffEvent {
            handoff: Some(handoff(&event.handoff)),
            task: after(&event.handoff.task_id, &event.after),
            ..told
        },
        Event::RuleSwitched(switched) => {
            v1::HandoffEvent { rule: Some(rule(switched.rule, switched.on)), ..told }
        }
    }
}

fn created_task(namespace: &str, created: &TaskCreated, revision: Revision, time_us: i64) -> v1::Task {
    let after = TaskAfter {
        status: TaskStatus::Pending,
        owner: created.owner.clone(),
        owner_epoch: 1,
        handoff_count: 0,
        open_handoff: None,
        progress: None,
        created_us: time_us,
        untouched_since: None,
        outcome: None,
    };
    v1::Task {
        description: created.description.to_string(),
        metadata: Some(object(&created.metadata)),
        ..task_after(namespace, &created.task_id, &after, revision, time_us)
    }
}
