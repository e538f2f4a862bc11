//! How tasks and their histories look to a person.
//!
//! Knows nothing of calls.

use anstyle::Style;
use baton_client::{Task, TaskHistoryEntry, TaskHistoryType, TaskStatus};

use crate::{
    clock,
    failure::Failure,
    output::{Output, plain, wrapped},
    style,
    table::{Column, Details, Table},
};

/// Narrowest that the text of a refusal gets, in columns of the terminal.
const REFUSAL_WIDTH_MIN: usize = 30;

/// One task, a line for each of its values.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn details(output: &mut Output, task: &Task) -> Result<(), Failure> {
    let progress = task.progress.as_ref().map(|progress| {
        let separator = if progress.note.is_empty() { "" } else { "  " };
        format!("{}%{separator}{}", progress.percent, progress.note)
    });
    let metadata =
        task.metadata.as_object().filter(|object| !object.is_empty()).map(|_| task.metadata.to_string());
    Details::new()
        .line("task", &task.task_id)
        .line("status", status_text(task.status))
        .line("owner", format!("{}  (epoch {})", task.assigned_agent, task.owner_epoch))
        .line("description", &task.description)
        .line("progress", progress.unwrap_or_default())
        .line("outcome", task.outcome.as_deref().unwrap_or_default())
        .line("hand-offs", task.handoff_count)
        .line("open hand-off", task.open_handoff_id.as_deref().unwrap_or_default())
        .line("metadata", metadata.unwrap_or_default())
        .line("created", clock::full(task.created_at))
        .line("updated", clock::full(task.updated_at))
        .line("revision", task.revision)
        .write(output)
}

/// Many tasks, a row each.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn table(output: &mut Output, tasks: &[Task]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        Column::Text("TASK"),
        Column::Text("STATUS"),
        Column::Text("OWNER"),
        Column::Number("EPOCH"),
        Column::Text("UPDATED"),
        Column::Long("DESCRIPTION"),
    ]);
    for task in tasks {
        table.styled(
            row_style(task.status),
            [
                task.task_id.clone(),
                status_text(task.status),
                task.assigned_agent.clone(),
                task.owner_epoch.to_string(),
                clock::short(task.updated_at),
                task.description.clone(),
            ],
        );
    }
    table.write(output)
}

/// A task's history as a path: what happened, a line each, and below it why something was refused.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn history(output: &mut Output, entries: &[TaskHistoryEntry]) -> Result<(), Failure> {
    let width = entries.iter().map(|entry| entry.revision.to_string().len()).max().unwrap_or_default();
    for entry in entries {
        let revision = output.paint(style::DIM, format_args!("{:>width$}", entry.revision));
        let time = output.paint(style::DIM, clock::short(entry.timestamp));
        let (style, what) = event(entry);
        let what = output.paint(style, plain(&what));
        let reason = entry.reason.as_deref().map(|reason| format!("  {}", plain(reason))).unwrap_or_default();
        output.line(format_args!("{revision}  {time}  {what}{reason}"))?;
        for error in &entry.errors {
            let room = output.width().map(|columns| columns.saturating_sub(width + 6).max(REFUSAL_WIDTH_MIN));
            for (index, line) in wrapped(error, room).iter().enumerate() {
                let mark = if index == 0 { "!" } else { " " };
                let line = output.paint(style::WARN, format_args!("{mark} {line}"));
                output.line(format_args!("{:1$}  {line}", "", width + 2))?;
            }
        }
    }
    Ok(())
}

/// What an entry tells, and in which colour.
fn event(entry: &TaskHistoryEntry) -> (Style, String) {
    let pair = format!(
        "{} → {}",
        entry.from_agent.as_deref().unwrap_or_default(),
        entry.to_agent.as_deref().unwrap_or_default()
    );
    let (owner, epoch) = (&entry.assigned_agent, entry.owner_epoch);
    match entry.kind {
        TaskHistoryType::Created => (style::HEAD, format!("created for {owner}")),
        TaskHistoryType::Started => (Style::new(), format!("started by {owner}")),
        TaskHistoryType::Updated => (Style::new(), format!("updated by {owner}")),
        TaskHistoryType::Completed => (style::GOOD, format!("completed by {owner}")),
        TaskHistoryType::Failed => (style::BAD, format!("failed by {owner}")),
        TaskHistoryType::Cancelled => (style::WARN, "cancelled".to_owned()),
        TaskHistoryType::HandoffInitiated => (style::NAME, format!("… {pair} initiated")),
        TaskHistoryType::HandoffCompleted => (style::GOOD, format!("✓ {pair}  (epoch {epoch})")),
        TaskHistoryType::HandoffFailed => (style::BAD, format!("✗ {pair} failed")),
        TaskHistoryType::HandoffRejected => (style::BAD, format!("✗ {pair} rejected")),
        TaskHistoryType::HandoffWithdrawn => (style::WARN, format!("↩ {pair} withdrawn")),
        _ => (Style::new(), entry.kind.to_string()),
    }
}

/// A status in words: `in progress`.
pub(crate) fn status_text(status: TaskStatus) -> String {
    status.as_str().replace('_', " ")
}

fn row_style(status: TaskStatus) -> Style {
    match status {
        TaskStatus::Failed => style::BAD,
        status if status.is_final() => style::DIM,
        _ => Style::new(),
    }
}
