//! One event in plain words, made from the log or from what a watcher was told: the two must be the same.
//!
//! Reads the log's entries by itself, not through what the server makes of them.

use baton_core::{
    Entry, Event, HandoffEvent as CoreHandoffEvent, HandoffStatus as Core, TaskAfter, TaskStatus,
};
use baton_proto::v1::{self, EventType, HandoffEvent};

/// What happened at one revision.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) revision: u64,
    pub(super) time_us: i64,
    pub(super) kind: EventType,
    pub(super) handoff: Option<HandoffFact>,
    pub(super) task: Option<TaskFact>,
    /// The agent whose state changed.
    pub(super) agent: String,
    /// The agent whose state came in.
    pub(super) transferred_from: String,
    /// The rule that was switched.
    pub(super) rule: String,
}

/// A hand-off after an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HandoffFact {
    pub(super) id: String,
    pub(super) task_id: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) reason: String,
    pub(super) error: String,
    pub(super) owner_epoch: u64,
    pub(super) revision: u64,
    pub(super) moved_revision: u64,
    pub(super) context_summary: Option<String>,
    pub(super) broken_rules: Vec<String>,
    pub(super) completed_us: Option<i64>,
}

/// A task after an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TaskFact {
    pub(super) id: String,
    pub(super) status: v1::TaskStatus,
    pub(super) owner: String,
    pub(super) owner_epoch: u64,
    pub(super) handoff_count: u32,
    pub(super) open_handoff: String,
    pub(super) revision: u64,
    pub(super) percent: Option<u32>,
    pub(super) created_us: i64,
    /// Where it is created or ended.
    pub(super) words: String,
}

impl Fact {
    /// As the log has it.
    pub(super) fn of_entry(revision: u64, time_us: i64, entry: &Entry) -> Self {
        let of = |kind| Self::bare(revision, time_us, kind);
        let task = |id: &str, after: &TaskAfter, words: &str| Some(task_after(id, after, revision, words));
        match &entry.event {
            Event::TaskCreated(created) => Self {
                task: Some(TaskFact {
                    id: created.task_id.to_string(),
                    status: v1::TaskStatus::Pending,
                    owner: created.owner.to_string(),
                    owner_epoch: 1,
                    handoff_count: 0,
                    open_handoff: String::new(),
                    revision,
                    percent: None,
                    created_us: time_us,
                    words: created.description.to_string(),
                }),
                ..of(EventType::TaskCreated)
            },
            Event::TaskUpdated(updated) => {
                Self { task: task(&updated.task_id, &updated.after, ""), ..of(EventType::TaskUpdated) }
            }
            Event::TaskEnded(ended) => {
                let kind = match ended.after.status {
                    TaskStatus::Completed => EventType::TaskCompleted,
                    TaskStatus::Failed => EventType::TaskFailed,
                    TaskStatus::Cancelled => EventType::TaskCancelled,
                    other => panic!("the log has a task that ended as {other}"),
                };
                Self { task: task(&ended.task_id, &ended.after, &ended.outcome), ..of(kind) }
            }
            Event::StateUpdated(updated) => {
                Self { agent: updated.agent_id.to_string(), ..of(EventType::StateUpdated) }
            }
            Event::StateTransferred(moved) => Self {
                agent: moved.to.to_string(),
                transferred_from: moved.from.to_string(),
                ..of(EventType::StateTransferred)
            },
            Event::Handoff(event) => Self {
                handoff: Some(HandoffFact::of_entry(event)),
                task: task(&event.handoff.task_id, &event.after, ""),
                ..of(handoff_kind(event.handoff.status))
            },
            Event::RuleSwitched(switched) => {
                let kind = if switched.on { EventType::RuleAdded } else { EventType::RuleRemoved };
                Self { rule: switched.rule.name().to_owned(), ..of(kind) }
            }
        }
    }

    /// As a watcher was told.
    pub(super) fn of_event(event: &HandoffEvent) -> Self {
        let ended = [EventType::TaskCompleted, EventType::TaskFailed, EventType::TaskCancelled];
        let words = |task: &v1::Task| match event.r#type() {
            EventType::TaskCreated => task.description.clone(),
            kind if ended.contains(&kind) => task.outcome.clone(),
            _ => String::new(),
        };
        Self {
            handoff: event.handoff.as_ref().map(HandoffFact::of_message),
            task: event.task.as_ref().map(|task| TaskFact::of_message(task, words(task))),
            agent: event.agent_id.clone(),
            transferred_from: event.transferred_from.clone(),
            rule: event.rule.as_ref().map(|rule| rule.name.clone()).unwrap_or_default(),
            ..Self::bare(event.revision, time_us(event.timestamp.as_ref()), event.r#type())
        }
    }

    fn bare(revision: u64, time_us: i64, kind: EventType) -> Self {
        let (agent, transferred_from, rule) = Default::default();
        Self { revision, time_us, kind, handoff: None, task: None, agent, transferred_from, rule }
    }
}

impl HandoffFact {
    fn of_entry(event: &CoreHandoffEvent) -> Self {
        let handoff = &event.handoff;
        Self {
            id: handoff.id.to_string(),
            task_id: handoff.task_id.to_string(),
            from: handoff.from.to_string(),
            to: handoff.to.to_string(),
            reason: handoff.reason.to_string(),
            error: handoff.error.to_string(),
            owner_epoch: handoff.owner_epoch,
            revision: handoff.revision.0,
            moved_revision: handoff.transfer.from_revision.0,
            context_summary: handoff.context.as_ref().map(|context| context.parts().summary.to_owned()),
            broken_rules: handoff.verdict.errors.iter().map(|error| error.rule.to_string()).collect(),
            completed_us: handoff.completed_us,
        }
    }

    fn of_message(handoff: &v1::Handoff) -> Self {
        let errors = handoff.validation.iter().flat_map(|verdict| &verdict.errors);
        Self {
            id: handoff.handoff_id.clone(),
            task_id: handoff.task_id.clone(),
            from: handoff.from_agent.clone(),
            to: handoff.to_agent.clone(),
            reason: handoff.reason.clone(),
            error: handoff.error.clone(),
            owner_epoch: handoff.owner_epoch,
            revision: handoff.revision,
            moved_revision: handoff.transfer.as_ref().map_or(0, |transfer| transfer.from_revision),
            context_summary: handoff.context.as_ref().map(|context| context.summary.clone()),
            broken_rules: errors.map(|error| error.rule.clone()).collect(),
            completed_us: handoff.completed_at.as_ref().map(|time| time_us(Some(time))),
        }
    }
}

impl TaskFact {
    fn of_message(task: &v1::Task, words: String) -> Self {
        Self {
            id: task.task_id.clone(),
            status: task.status(),
            owner: task.assigned_agent.clone(),
            owner_epoch: task.owner_epoch,
            handoff_count: task.handoff_count,
            open_handoff: task.open_handoff_id.clone(),
            revision: task.revision,
            percent: task.progress.as_ref().map(|progress| progress.percent),
            created_us: time_us(task.created_at.as_ref()),
            words,
        }
    }
}

fn task_after(id: &str, after: &TaskAfter, revision: u64, words: &str) -> TaskFact {
    TaskFact {
        id: id.to_owned(),
        status: match after.status {
            TaskStatus::Pending => v1::TaskStatus::Pending,
            TaskStatus::InProgress => v1::TaskStatus::InProgress,
            TaskStatus::Completed => v1::TaskStatus::Completed,
            TaskStatus::Failed => v1::TaskStatus::Failed,
            TaskStatus::HandedOff => v1::TaskStatus::HandedOff,
            TaskStatus::Cancelled => v1::TaskStatus::Cancelled,
        },
        owner: after.owner.to_string(),
        owner_epoch: after.owner_epoch,
        handoff_count: after.handoff_count,
        open_handoff: after.open_handoff.map(|id| id.to_string()).unwrap_or_default(),
        revision: after.untouched_since.map_or(revision, |last| last.revision.0),
        percent: after.progress.as_ref().map(|progress| progress.percent),
        created_us: after.created_us,
        words: words.to_owned(),
    }
}

fn handoff_kind(status: Core) -> EventType {
    match status {
        Core::Initiated => EventType::HandoffInitiated,
        Core::Completed => EventType::HandoffCompleted,
        Core::Failed => EventType::HandoffFailed,
        Core::Rejected => EventType::HandoffRejected,
        Core::Withdrawn => EventType::HandoffWithdrawn,
    }
}

/// A time on the wire in microseconds since the Unix epoch; 0 if it is absent.
fn time_us(time: Option<&prost_types::Timestamp>) -> i64 {
    time.map_or(0, |time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000)
}
