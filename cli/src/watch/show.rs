//! How an event looks to a person: one line, and below it why something was refused.
//!
//! Knows nothing of calls.

use anstyle::Style;
use baton_client::{Event, EventType, Handoff};

use crate::{
    clock,
    failure::Failure,
    handoff::show::{mark, pair, reason},
    output::{Output, plain, wrapped},
    style,
    task::show::status_text,
};

/// Where what happened begins, after time and revision.
const INDENT: usize = 21;
/// Least room for what the rules said, in characters.
const ROOM_MIN: usize = 30;

/// Writes an event with its revision.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn event(output: &mut Output, event: &Event) -> Result<(), Failure> {
    let time = output.paint(style::DIM, clock::precise(event.timestamp));
    let revision = output.paint(style::DIM, format_args!("{:>6}", event.revision));
    let what = what(output, event);
    output.line(format_args!("{time} {revision}  {what}"))?;
    let room = output.width().map(|columns| columns.saturating_sub(INDENT + 2).max(ROOM_MIN));
    for line in troubles(event).iter().flat_map(|trouble| wrapped(trouble, room)) {
        let line = output.paint(style::WARN, line);
        output.line(format_args!("{:INDENT$}  {line}", ""))?;
    }
    Ok(())
}

/// A hand-off that was open when the watch began.
pub(crate) fn open_line(output: &Output, handoff: &Handoff) -> String {
    let time = output.paint(style::DIM, clock::precise(handoff.created_at));
    let revision = output.paint(style::DIM, format_args!("{:>6}", handoff.revision));
    format!("{time} {revision}  {}", handoff_text(output, handoff))
}

/// Why a hand-off was refused or failed, a line each.
pub(crate) fn troubles(event: &Event) -> Vec<String> {
    let Some(handoff) = &event.handoff else { return Vec::new() };
    match event.kind {
        EventType::HandoffRejected => handoff
            .validation
            .errors
            .iter()
            .map(|violation| format!("{}: {}", violation.rule, violation.message))
            .collect(),
        EventType::HandoffFailed => handoff.error.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

fn what(output: &Output, event: &Event) -> String {
    let (task, owner) = event.task.as_ref().map_or(("", ""), |task| (&*task.task_id, &*task.assigned_agent));
    let outcome = event.task.as_ref().and_then(|task| task.outcome.as_deref()).unwrap_or_default();
    let agent = event.agent_id.as_deref().unwrap_or_default();
    let rule = event.rule.as_ref().map_or("", |rule| &*rule.name);
    let task_line = |style: Style, verb: &str| {
        let name = output.paint(style::NAME, plain(task));
        format!("{name}  {} {}", output.paint(style, verb), plain(owner))
    };
    match event.kind {
        EventType::TaskCreated => task_line(style::HEAD, "created for"),
        EventType::TaskUpdated => {
            let status = event.task.as_ref().map_or_else(String::new, |task| status_text(task.status));
            format!("{}  {status}", task_line(Style::new(), "updated by"))
        }
        EventType::TaskCompleted => format!("{}  {}", task_line(style::GOOD, "completed by"), plain(outcome)),
        EventType::TaskFailed => format!("{}  {}", task_line(style::BAD, "failed by"), plain(outcome)),
        EventType::TaskCancelled => {
            format!("{}  {}", task_line(style::WARN, "cancelled, was of"), plain(outcome))
        }
        EventType::StateUpdated => format!("state of {} updated", plain(agent)),
        EventType::StateTransferred => {
            let from = event.transferred_from.as_deref().unwrap_or_default();
            format!("state of {} came to {}", plain(from), plain(agent))
        }
        EventType::RuleAdded => format!("rule {} is in force", plain(rule)),
        EventType::RuleRemoved => format!("rule {} is out of force", plain(rule)),
        kind => match &event.handoff {
            Some(handoff) => handoff_text(output, handoff),
            None => kind.to_string(),
        },
    }
}

fn handoff_text(output: &Output, handoff: &Handoff) -> String {
    let (mark, style) = mark(handoff.status);
    let task = output.paint(style::NAME, plain(&handoff.task_id));
    let mark = output.paint(style, mark);
    format!("{task}  {mark} {}  {}", pair(handoff), reason(handoff))
}
