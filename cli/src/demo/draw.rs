//! Draws the hand-offs of the desk as the server tells them, in the order of its log.
//!
//! Knows nothing of why agents act as they do.

use baton_client::{Event, EventType, Handoff, TaskHistoryEntry, TaskHistoryType, Watch};

use super::{routing::DESK, ticket::Ticket};
use crate::{
    clock,
    exit::Exit,
    failure::Failure,
    handoff::show::{mark, reason},
    output::{Format, Output, plain, wrapped},
    style,
    watch::show::troubles,
};

/// Widest that the column of ticket ids gets.
const TICKET_WIDTH_MAX: usize = 16;

/// Least room for what the rules said, in characters.
const ROOM_MIN: usize = 30;

/// The types of events that are drawn.
pub(super) const DRAWN: [EventType; 5] = [
    EventType::HandoffCompleted,
    EventType::HandoffRejected,
    EventType::HandoffFailed,
    EventType::TaskCompleted,
    EventType::TaskFailed,
];

/// Draws events until every ticket is closed.
///
/// # Errors
/// The watch fails; stdout cannot be written.
pub(super) async fn until_closed(
    mut watch: Watch,
    tickets: &[Ticket],
    output: &mut Output,
) -> Result<(), Failure> {
    let width = tickets
        .iter()
        .map(|ticket| ticket.id.chars().count())
        .max()
        .unwrap_or_default()
        .min(TICKET_WIDTH_MAX);
    let mut open = tickets.len();
    while open > 0 {
        let Some(event) = watch.next().await else {
            return Err(Failure::new(Exit::Failure, "INTERNAL", "the watch of the demo has ended"));
        };
        let event = event?;
        if matches!(event.kind, EventType::TaskCompleted | EventType::TaskFailed) {
            open -= 1;
        }
        match output.format() {
            Format::Table => draw(output, &event, width)?,
            Format::Jsonl => output.json_line(&event)?,
            Format::Json => {}
        }
    }
    Ok(())
}

fn draw(output: &mut Output, event: &Event, width: usize) -> Result<(), Failure> {
    let task = event.task.as_ref().map_or("", |task| &*task.task_id);
    let time = output.paint(style::DIM, clock::precise(event.timestamp));
    let name = output.paint(style::NAME, format_args!("{:width$}", cut(task, width)));
    let what = match &event.handoff {
        Some(handoff) => hand_off(output, handoff),
        None => closed(output, event),
    };
    output.line(format_args!("{time}  {name}  {what}"))?;
    let indent = " ".repeat("14:03:21.042".len() + width + 6);
    let room = output.width().map(|columns| columns.saturating_sub(indent.len()).max(ROOM_MIN));
    for line in troubles(event).iter().flat_map(|trouble| wrapped(trouble, room)) {
        let line = output.paint(style::WARN, line);
        output.line(format_args!("{indent}{line}"))?;
    }
    Ok(())
}

fn hand_off(output: &Output, handoff: &Handoff) -> String {
    let agents = DESK.iter().map(|agent| agent.len()).max().unwrap_or_default();
    let (mark, style) = mark(handoff.status);
    let mark = output.paint(style, mark);
    let (from, to) = (plain(&handoff.from_agent), plain(&handoff.to_agent));
    format!("{mark} {from:>agents$} → {to:agents$}  {}", reason(handoff))
}

fn closed(output: &Output, event: &Event) -> String {
    let Some(task) = &event.task else { return event.kind.to_string() };
    let agents = DESK.iter().map(|agent| agent.len()).max().unwrap_or_default();
    let outcome = output.paint(style::GOOD, plain(task.outcome.as_deref().unwrap_or_default()));
    format!("■ {:>agents$}   {:agents$}  {outcome}", plain(&task.assigned_agent), "closed")
}

/// A ticket's path, from its history: who had it, what became of it, what was refused.
pub(super) fn path(output: &Output, ticket: &str, history: &[TaskHistoryEntry], width: usize) -> String {
    let width = width.min(TICKET_WIDTH_MAX);
    let name = output.paint(style::NAME, format_args!("{:width$}", cut(ticket, width)));
    let refused = of_kind(history, TaskHistoryType::HandoffRejected);
    let failed = of_kind(history, TaskHistoryType::HandoffFailed);
    let troubles: Vec<String> = [(refused, "refused"), (failed, "failed")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let note = if troubles.is_empty() { String::new() } else { format!("  ({})", troubles.join(", ")) };
    let end = history.last().map(|entry| entry.kind.to_string()).unwrap_or_default();
    format!(
        "{name}  {}  {}{}",
        owners(history).join(" → "),
        output.paint(style::GOOD, end),
        output.paint(style::WARN, note)
    )
}

/// Who had the ticket, in order.
pub(super) fn owners(history: &[TaskHistoryEntry]) -> Vec<String> {
    let owns = |kind| matches!(kind, TaskHistoryType::Created | TaskHistoryType::HandoffCompleted);
    history.iter().filter(|entry| owns(entry.kind)).map(|entry| plain(&entry.assigned_agent)).collect()
}

fn of_kind(history: &[TaskHistoryEntry], kind: TaskHistoryType) -> usize {
    history.iter().filter(|entry| entry.kind == kind).count()
}

fn cut(text: &str, width: usize) -> String {
    let text = plain(text);
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
