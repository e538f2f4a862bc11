//! How the events of a commit look to those who watch: what they are found by, and their bytes as messages carry them.

use baton_core::{AgentId, Entry, Event, Revision, TaskId};
use prost::encoding::message;

use crate::{
    engine::{Commit, Encoded, EventKey, Presentation},
    service::to_wire,
};

/// The number of `WatchHandoffsResponse.events`.
const EVENTS_FIELD: u32 = 1;
/// About what an event takes, so that there is room from the beginning.
const EVENT_BYTES: usize = 512;

/// How events look in the contract.
pub(super) static PRESENTATION: Presentation = Presentation { key, encode };

/// The entries of `commit`, which belongs to the namespace of that name.
fn encode(namespace: &str, commit: &Commit, entries: &[Entry]) -> Encoded {
    let mut bytes = Vec::with_capacity(entries.len() * EVENT_BYTES);
    let mut ends = Vec::with_capacity(entries.len());
    for (revision, entry) in (commit.first_revision().0..).zip(entries) {
        let event = to_wire::event(namespace, Revision(revision), commit.time_us(), &entry.event);
        message::encode(EVENTS_FIELD, &event, &mut bytes);
        ends.push(bytes.len());
    }
    Encoded { bytes: bytes.into(), ends }
}

fn key(event: &Event) -> EventKey {
    EventKey {
        kind: to_wire::event_type(event).into(),
        of_handoff: matches!(event, Event::Handoff(_)),
        task: task(event).cloned(),
        agents: agents(event).map(Option::<&AgentId>::cloned),
    }
}

fn task(event: &Event) -> Option<&TaskId> {
    match event {
        Event::TaskCreated(created) => Some(&created.task_id),
        Event::TaskUpdated(updated) => Some(&updated.task_id),
        Event::TaskEnded(ended) => Some(&ended.task_id),
        Event::Handoff(event) => Some(&event.handoff.task_id),
        Event::StateUpdated(_) | Event::StateTransferred(_) | Event::RuleSwitched(_) => None,
    }
}

/// Who takes part: sender and receiver, the owner, or the agent whose state changed.
fn agents(event: &Event) -> [Option<&AgentId>; 2] {
    match event {
        Event::TaskCreated(created) => [Some(&created.owner), None],
        Event::TaskUpdated(updated) => [Some(&updated.after.owner), None],
        Event::TaskEnded(ended) => [Some(&ended.after.owner), None],
        Event::StateUpdated(updated) => [Some(&updated.agent_id), None],
        Event::StateTransferred(moved) => [Some(&moved.from), Some(&moved.to)],
        Event::Handoff(event) => [Some(&event.handoff.from), Some(&event.handoff.to)],
        Event::RuleSwitched(_) => [None, None],
    }
}
