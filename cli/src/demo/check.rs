//! Compares the figures that the server gives with those that the tickets' histories give.
//!
//! Pure. Both come from the same log by different ways: where they disagree, one of the ways is wrong.

use std::collections::BTreeMap;

use baton_client::{SummaryKey, SummaryReport, TaskHistoryEntry, TaskHistoryType};

/// What the histories say, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    completed: u64,
    failed: u64,
    rejected: u64,
    violations: u64,
    by_pair: BTreeMap<(String, String), u64>,
}

impl Counted {
    /// Counts the hand-offs in all histories.
    pub(super) fn of<'a>(entries: impl IntoIterator<Item = &'a TaskHistoryEntry>) -> Self {
        let mut counted = Self::default();
        for entry in entries {
            counted.add(entry);
        }
        counted
    }

    fn add(&mut self, entry: &TaskHistoryEntry) {
        match entry.kind {
            TaskHistoryType::HandoffCompleted => self.completed += 1,
            TaskHistoryType::HandoffFailed => self.failed += 1,
            TaskHistoryType::HandoffRejected => {
                self.rejected += 1;
                self.violations += entry.errors.len() as u64;
            }
            _ => return,
        }
        let agent = |agent: &Option<String>| agent.clone().unwrap_or_default();
        *self.by_pair.entry((agent(&entry.from_agent), agent(&entry.to_agent))).or_default() += 1;
    }

    /// Where the summary says something else; empty if it agrees. The summary must have been grouped by pair.
    pub(super) fn disagreements(&self, report: &SummaryReport) -> Vec<String> {
        let total = &report.total;
        let ended = self.completed + self.failed + self.rejected;
        let rate = if ended == 0 { 0.0 } else { self.completed as f64 / ended as f64 };
        let figures = [
            ("hand-offs", total.hand_off_count.total, ended as f64),
            ("completed", total.completed as f64, self.completed as f64),
            ("failed", total.failed as f64, self.failed as f64),
            ("rejected", total.rejected as f64, self.rejected as f64),
            ("withdrawn", total.withdrawn as f64, 0.0),
            ("open", total.open as f64, 0.0),
            ("validation errors", total.validation_errors.total, self.violations as f64),
            ("success rate", total.success_rate.average, rate),
        ];
        let differ = figures.into_iter().filter(|(_, summary, histories)| (summary - histories).abs() > 1e-9);
        let mut problems: Vec<String> = differ
            .map(|(what, summary, histories)| {
                format!("{what}: {summary} in the summary, {histories} in the histories")
            })
            .collect();
        let by_pair = pairs(report);
        if by_pair != self.by_pair {
            problems
                .push(format!("by pair: {by_pair:?} in the summary, {:?} in the histories", self.by_pair));
        }
        problems
    }
}

fn pairs(report: &SummaryReport) -> BTreeMap<(String, String), u64> {
    let pair = |group: &baton_client::SummaryGroup| match &group.key {
        SummaryKey::Pair { from_agent, to_agent } => {
            Some(((from_agent.clone(), to_agent.clone()), group.summary.hand_off_count.count))
        }
        _ => None,
    };
    report.groups.iter().filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use baton_client::{
        Figures, Summary, SummaryGroup, SummaryKey, SummaryReport, TaskHistoryEntry, TaskHistoryType,
        TaskStatus,
    };

    use super::Counted;

    fn entry(kind: TaskHistoryType, errors: usize) -> TaskHistoryEntry {
        TaskHistoryEntry {
            revision: 1,
            timestamp: chrono::DateTime::UNIX_EPOCH,
            kind,
            status: TaskStatus::HandedOff,
            assigned_agent: "b".into(),
            owner_epoch: 2,
            from_agent: Some("a".into()),
            to_agent: Some("b".into()),
            reason: None,
            handoff_id: None,
            errors: vec!["no".into(); errors],
        }
    }

    fn report() -> SummaryReport {
        let figures = |count: u64, total: f64| Figures {
            count,
            total,
            average: total / count as f64,
            ..Default::default()
        };
        let total = Summary {
            hand_off_count: figures(3, 3.0),
            success_rate: figures(3, 1.0),
            validation_errors: figures(3, 2.0),
            completed: 1,
            failed: 1,
            rejected: 1,
            ..Default::default()
        };
        let key = SummaryKey::Pair { from_agent: "a".into(), to_agent: "b".into() };
        let group = SummaryGroup { key, summary: total.clone() };
        SummaryReport { total, groups: vec![group], truncated: false, revision: 9 }
    }

    fn history() -> Vec<TaskHistoryEntry> {
        use TaskHistoryType as T;
        vec![
            entry(T::Created, 0),
            entry(T::HandoffRejected, 2),
            entry(T::HandoffFailed, 1),
            entry(T::HandoffCompleted, 0),
        ]
    }

    #[test]
    fn a_summary_that_tells_the_same_as_the_histories_agrees() {
        assert_eq!(Counted::of(&history()).disagreements(&report()), [""; 0]);
    }

    #[test]
    fn every_figure_that_differs_is_named() {
        let mut history = history();
        history.pop();
        let problems = Counted::of(&history).disagreements(&report()).join("\n");
        for what in
            ["hand-offs: 3 in the summary, 2 in the histories", "completed: 1", "success rate", "by pair"]
        {
            assert!(problems.contains(what), "{what} is not in {problems}");
        }
    }
}
