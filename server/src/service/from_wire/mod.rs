//! Turns what came over the wire into commands and questions, checking every field.
//!
//! With `to_wire` the only code that knows the wire's types. Each refusal lists all violations, not just the first.

pub(super) mod borrowed;
mod check;
mod handoff;
mod items;
mod proposed;
mod state;
mod task;
mod validation;
mod value;
mod watch;

use std::sync::Arc;

pub(super) use check::Check;
pub(super) use handoff::HandoffQuery;
pub(super) use handoff::{
    execute_handoff, hand_off, handoff_id, initiate_handoff, list_handoffs, withdraw_handoff,
};
pub(super) use items::count_items;
pub(super) use proposed::{BATCH_ITEMS_MAX, BatchHandOff, HandOff};
pub(super) use state::{transfer_state, update_agent_state};
pub(super) use task::{cancel_task, complete_task, create_task, fail_task, list_tasks, update_task};
pub(super) use validation::{SummaryQuery, add_rule, remove_rule, summary, validate_handoff};
pub(super) use watch::{WatchQuery, watch_handoffs};

use baton_core::{Command, Subject};

use crate::status::Refusal;

/// A checked command, and what the way to the engine must know of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) namespace: Arc<str>,
    pub(super) command: Command,
    /// The size of the request as it came.
    pub(super) bytes: usize,
}

impl Asked {
    /// The task it is about; empty if it names none.
    pub(super) fn task(&self) -> &str {
        match self.command.action.subject() {
            Some(Subject::Task(id)) => id,
            Some(Subject::Handoff(_)) | None => "",
        }
    }
}

/// The namespace that a question is about, with the id it asks for.
///
/// # Errors
/// INVALID_ARGUMENT if either is malformed.
pub(super) fn one(namespace: &str, field: &'static str, id: &str) -> Result<(Arc<str>, String), Refusal> {
    let mut check = Check::new();
    let namespace = check.namespace(namespace);
    check.id(field, id);
    check.finish((namespace, id.to_owned()))
}
