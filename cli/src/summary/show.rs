//! How figures look to a person.
//!
//! Knows nothing of calls.

use baton_client::{Figures, Summary, SummaryGroup, SummaryKey, SummaryReport};

use crate::{
    duration,
    failure::Failure,
    output::Output,
    style,
    table::{Column, Table},
};

/// The figures over all hand-offs, then a table for each grouping.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn report(output: &mut Output, report: &SummaryReport) -> Result<(), Failure> {
    total(output, &report.total)?;
    for (title, groups) in by_grouping(&report.groups) {
        output.line("")?;
        group_table(title, &groups).write(output)?;
    }
    if report.truncated {
        output.note("only the groups with most hand-offs are shown");
    }
    Ok(())
}

/// The figures over all hand-offs: one line in words, one row for each figure.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn total(output: &mut Output, summary: &Summary) -> Result<(), Failure> {
    let ended = summary.hand_off_count.count;
    let title =
        output.paint(style::HEAD, format_args!("{ended} hand-off{}", if ended == 1 { "" } else { "s" }));
    let outcomes = [
        (summary.completed, "completed"),
        (summary.rejected, "rejected"),
        (summary.failed, "failed"),
        (summary.withdrawn, "withdrawn"),
        (summary.open, "open"),
    ];
    let counts: Vec<String> = outcomes
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    output.line(format_args!("{title}{}{}", if counts.is_empty() { "" } else { ": " }, counts.join(", ")))?;
    if ended == 0 {
        return Ok(());
    }
    output.line("")?;
    figures(summary).write(output)
}

/// Turns a value into text.
type Show = fn(f64) -> String;

fn figures(summary: &Summary) -> Table {
    let heads = ["FIGURE", "TOTAL", "AVERAGE", "MIN", "MAX", "P50", "P95", "P99"];
    let columns: Vec<Column> = heads
        .iter()
        .enumerate()
        .map(|(index, head)| if index == 0 { Column::Text(head) } else { Column::Number(head) })
        .collect();
    let mut table = Table::new(&columns);
    let rows: [(&str, &Figures, Show); 4] = [
        ("hand-off count", &summary.hand_off_count, number),
        ("success rate", &summary.success_rate, number),
        ("validation errors", &summary.validation_errors, number),
        ("duration", &summary.duration_seconds, duration::short),
    ];
    for (name, figures, show) in rows {
        let Figures { total, average, min, max, p50, p95, p99, .. } = *figures;
        table.row([
            name.to_owned(),
            show(total),
            show(average),
            show(min),
            show(max),
            show(p50),
            show(p95),
            show(p99),
        ]);
    }
    table
}

fn group_table(title: &'static str, groups: &[&SummaryGroup]) -> Table {
    let mut table = Table::new(&[
        Column::Number("COUNT"),
        Column::Number("SUCCESS"),
        Column::Number("REJECTED"),
        Column::Number("FAILED"),
        Column::Number("P50"),
        Column::Number("P99"),
        Column::Long(title),
    ]);
    for group in groups {
        let summary = &group.summary;
        table.row([
            summary.hand_off_count.count.to_string(),
            format!("{:.0}%", summary.success_rate.average * 100.0),
            summary.rejected.to_string(),
            summary.failed.to_string(),
            duration::short(summary.duration_seconds.p50),
            duration::short(summary.duration_seconds.p99),
            name(&group.key),
        ]);
    }
    table
}

/// The groups of each grouping, in the order in which the server gave them.
fn by_grouping(groups: &[SummaryGroup]) -> Vec<(&'static str, Vec<&SummaryGroup>)> {
    let mut tables: Vec<(&'static str, Vec<&SummaryGroup>)> = Vec::new();
    for group in groups {
        let title = title(&group.key);
        match tables.iter_mut().find(|(known, _)| *known == title) {
            Some((_, rows)) => rows.push(group),
            None => tables.push((title, vec![group])),
        }
    }
    tables
}

fn title(key: &SummaryKey) -> &'static str {
    match key {
        SummaryKey::Agent { .. } => "AGENT",
        SummaryKey::Pair { .. } => "FROM → TO",
        SummaryKey::Reason { .. } => "REASON",
        _ => "GROUP",
    }
}

fn name(key: &SummaryKey) -> String {
    match key {
        SummaryKey::Agent { agent_id } => agent_id.clone(),
        SummaryKey::Pair { from_agent, to_agent } => format!("{from_agent} → {to_agent}"),
        SummaryKey::Reason { reason } if reason.is_empty() => "(no reason)".to_owned(),
        SummaryKey::Reason { reason } => reason.clone(),
        _ => "?".to_owned(),
    }
}

/// Whole numbers as they are, others with two decimals.
fn number(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
