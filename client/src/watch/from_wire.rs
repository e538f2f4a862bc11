//! Reads events from the wire.
//!
//! Knows nothing of streams.

use baton_proto::v1;

use super::{Event, EventType};
use crate::{
    from_wire::{promised_time, some_text},
    handoff::handoff_from_wire,
    rule::rule_from_wire,
    task::task_from_wire,
};

pub(super) fn event_from_wire(event: v1::HandoffEvent) -> Event {
    Event {
        revision: event.revision,
        timestamp: promised_time(event.timestamp),
        kind: EventType::from_wire(event.r#type),
        handoff: event.handoff.map(handoff_from_wire),
        task: event.task.map(task_from_wire),
        agent_id: some_text(event.agent_id),
        transferred_from: some_text(event.transferred_from),
        rule: event.rule.map(rule_from_wire),
    }
}
