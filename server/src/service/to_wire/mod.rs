//! Turns what the core says into the wire's types.
//!
//! With `from_wire` the only code that knows them. Decides nothing.

mod answer;
mod event;
mod handoff;
mod rule;
mod state;
mod summary;
mod task;
mod value;
mod writer;

pub(super) use answer::{handoff_answer, handoffs_answer, task_answer, tasks_answer};
pub(super) use event::{event, event_type};
pub(super) use handoff::{handoff, verdict};
pub(super) use rule::rule;
pub(super) use state::{agent_state, present_state, state_entry, state_written, transfer};
pub(super) use summary::{group, summary};
pub(super) use task::{task, task_after, task_entry};

use prost_types::Timestamp;

/// A time in microseconds since the Unix epoch.
pub(super) fn timestamp(us: i64) -> Timestamp {
    let nanos = i32::try_from(us.rem_euclid(1_000_000) * 1_000).expect("less than a second");
    Timestamp { seconds: us.div_euclid(1_000_000), nanos }
}
