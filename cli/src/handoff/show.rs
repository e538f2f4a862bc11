//! How hand-offs and verdicts look to a person.
//!
//! Knows nothing of calls.

use anstyle::Style;
use baton_client::{Handoff, HandoffStatus, Transfer, TransferScope, Verdict};

use crate::{
    clock, duration,
    failure::Failure,
    output::{Output, plain},
    style,
    table::{Column, Details, Table},
};

/// One hand-off, a line for each of its values.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn details(output: &mut Output, handoff: &Handoff) -> Result<(), Failure> {
    let (mark, style) = mark(handoff.status);
    let status = output.paint(style, format_args!("{mark} {}", handoff.status));
    output.line(format_args!("{status}  {}", pair(handoff)))?;
    let context = &handoff.context;
    let violations = handoff
        .validation
        .errors
        .iter()
        .map(|violation| format!("{}: {}", violation.rule, violation.message));
    let warnings = handoff
        .validation
        .warnings
        .iter()
        .map(|violation| format!("{}: {}", violation.rule, violation.message));
    Details::new()
        .line("hand-off", &handoff.handoff_id)
        .line("task", &handoff.task_id)
        .line("reason", &handoff.reason)
        .line(
            "epoch",
            if handoff.status == HandoffStatus::Completed {
                handoff.owner_epoch.to_string()
            } else {
                String::new()
            },
        )
        .lines("violations", violations)
        .lines("warnings", warnings)
        .line("error", handoff.error.as_deref().unwrap_or_default())
        .line("state", handoff.transfer.as_ref().map(|transfer| scope(&transfer.spec)).unwrap_or_default())
        .lines(
            "steps",
            handoff.steps.iter().map(|step| format!("{} {}", step.step.replace('_', " "), step.status)),
        )
        .line("summary", &context.summary)
        .lines("completed", context.completed.iter().cloned())
        .lines("remaining", context.remaining.iter().cloned())
        .lines("decisions", context.decisions.iter().cloned())
        .lines("pitfalls", context.pitfalls.iter().cloned())
        .lines("references", context.references.iter().cloned())
        .line("created", clock::full(handoff.created_at))
        .line("took", took(handoff).unwrap_or_default())
        .line("revision", handoff.revision)
        .write(output)
}

/// Many hand-offs, a row each.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn table(output: &mut Output, handoffs: &[Handoff]) -> Result<(), Failure> {
    let mut table = Table::new(&[
        Column::Text("HAND-OFF"),
        Column::Text("STATUS"),
        Column::Text("TASK"),
        Column::Text("FROM → TO"),
        Column::Text("CREATED"),
        Column::Long("REASON"),
    ]);
    for handoff in handoffs {
        let style = match handoff.status {
            HandoffStatus::Rejected | HandoffStatus::Failed => style::BAD,
            HandoffStatus::Initiated => style::NAME,
            _ => Style::new(),
        };
        table.styled(
            style,
            [
                handoff.handoff_id.clone(),
                handoff.status.to_string(),
                handoff.task_id.clone(),
                pair(handoff),
                clock::short(handoff.created_at),
                handoff.reason.clone(),
            ],
        );
    }
    table.write(output)
}

/// What the rules said: a line for each violation and warning.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn verdict(output: &mut Output, verdict: &Verdict) -> Result<(), Failure> {
    let (style, text) =
        if verdict.valid { (style::GOOD, "✓ valid") } else { (style::BAD, "✗ not valid") };
    let line = output.paint(style, text);
    output.line(line)?;
    let errors = verdict.errors.iter().map(|violation| (style::BAD, violation));
    let warnings = verdict.warnings.iter().map(|violation| (style::WARN, violation));
    for (style, violation) in errors.chain(warnings) {
        let rule = output.paint(style, plain(&violation.rule));
        output.line(format_args!("  {rule}: {}", plain(&violation.message)))?;
    }
    Ok(())
}

/// `triage → billing`.
pub(crate) fn pair(handoff: &Handoff) -> String {
    plain(&format!("{} → {}", handoff.from_agent, handoff.to_agent))
}

/// The reason as given, or that there is none.
pub(crate) fn reason(handoff: &Handoff) -> String {
    if handoff.reason.is_empty() { "(no reason)".to_owned() } else { plain(&handoff.reason) }
}

/// The sign of a status, and its colour.
pub(crate) fn mark(status: HandoffStatus) -> (&'static str, Style) {
    match status {
        HandoffStatus::Completed => ("✓", style::GOOD),
        HandoffStatus::Initiated => ("…", style::NAME),
        HandoffStatus::Withdrawn => ("↩", style::WARN),
        _ => ("✗", style::BAD),
    }
}

/// Which keys move and how conflicts are settled: `order, note (overwrite on conflict)`.
pub(crate) fn scope(transfer: &Transfer) -> String {
    let what = match transfer.scope {
        TransferScope::None => return "stays".to_owned(),
        TransferScope::Some => transfer.keys.join(", "),
        _ => "all keys".to_owned(),
    };
    format!("{what} ({} on conflict)", transfer.on_conflict)
}

fn took(handoff: &Handoff) -> Option<String> {
    let seconds = (handoff.completed_at? - handoff.created_at).num_microseconds()? as f64 / 1e6;
    Some(duration::short(seconds))
}
