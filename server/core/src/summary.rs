//! Figures about hand-offs.
//!
//! Pure: counts the hand-offs it is given, exactly.

use std::collections::BTreeMap;

use crate::{AgentId, Handoff, HandoffStatus, Text};

/// What figures may be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grouping {
    /// By sender, and again by receiver.
    Agent,
    /// By sender and receiver.
    Pair,
    /// By reason.
    Reason,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// An agent on either side.
    Agent(AgentId),
    /// A sender and a receiver.
    Pair(AgentId, AgentId),
    /// A reason.
    Reason(Text),
}

/// Collects hand-offs and gives their figures.
#[derive(Debug, Default)]
pub struct Tally {
    groupings: Vec<Grouping>,
    total: Sample,
    groups: BTreeMap<Group, Sample>,
}

/// What is collected of some hand-offs.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    successes: Vec<f64>,
    validation_errors: Vec<f64>,
    durations_s: Vec<f64>,
    /// How many there are of each outcome.
    pub outcomes: Outcomes,
}

/// How many hand-offs there are of each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
    /// Refused by the rules.
    pub rejected: u64,
    /// Taken back.
    pub withdrawn: u64,
    /// Not closed yet.
    pub open: u64,
}

/// One figure over several hand-offs; all 0 if there are none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub total: f64,
    /// Their mean.
    pub average: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The median, by nearest rank.
    pub p50: f64,
    /// The 95th percentile, by nearest rank.
    pub p95: f64,
    /// The 99th percentile, by nearest rank.
    pub p99: f64,
}

impl Tally {
    /// Collects nothing yet; groups by each of `groupings`.
    pub fn new(groupings: Vec<Grouping>) -> Self {
        Self { groupings, ..Self::default() }
    }

    /// Counts one hand-off.
    pub fn add(&mut self, handoff: &Handoff) {
        self.total.add(handoff);
        for grouping in &self.groupings {
            for group in groups_of(handoff, *grouping) {
                self.groups.entry(group).or_default().add(handoff);
            }
        }
    }

    /// All hand-offs that were counted.
    pub fn total(&self) -> &Sample {
        &self.total
    }

    /// The groups of one grouping, the largest first, then in the order of their names.
    pub fn groups(&self, grouping: Grouping) -> Vec<(&Group, &Sample)> {
        let mut groups: Vec<_> =
            self.groups.iter().filter(|(group, _)| group.grouping() == grouping).collect();
        groups.sort_by_key(|(_, sample)| std::cmp::Reverse(sample.successes.len()));
        groups
    }
}

impl Group {
    fn grouping(&self) -> Grouping {
        match self {
            Self::Agent(_) => Grouping::Agent,
            Self::Pair(..) => Grouping::Pair,
            Self::Reason(_) => Grouping::Reason,
        }
    }
}

fn groups_of(handoff: &Handoff, grouping: Grouping) -> Vec<Group> {
    match grouping {
        Grouping::Agent if handoff.from == handoff.to => vec![Group::Agent(handoff.from.clone())],
        Grouping::Agent => vec![Group::Agent(handoff.from.clone()), Group::Agent(handoff.to.clone())],
        Grouping::Pair => vec![Group::Pair(handoff.from.clone(), handoff.to.clone())],
        Grouping::Reason => vec![Group::Reason(handoff.reason.clone())],
    }
}

impl Sample {
    fn add(&mut self, handoff: &Handoff) {
        match handoff.status {
            HandoffStatus::Initiated => {
                self.outcomes.open += 1;
                return;
            }
            HandoffStatus::Completed => self.outcomes.completed += 1,
            HandoffStatus::Failed => self.outcomes.failed += 1,
            HandoffStatus::Rejected => self.outcomes.rejected += 1,
            HandoffStatus::Withdrawn => self.outcomes.withdrawn += 1,
        }
        let completed = handoff.status == HandoffStatus::Completed;
        self.successes.push(f64::from(u8::from(completed)));
        self.validation_errors.push(handoff.verdict.errors.len() as f64);
        if completed || handoff.status == HandoffStatus::Failed {
            let closed_us = handoff.completed_us.unwrap_or(handoff.created_us);
            self.durations_s.push(closed_us.saturating_sub(handoff.created_us).max(0) as f64 / 1e6);
        }
    }

    /// 1 for each hand-off that has come to an end.
    pub fn hand_off_count(&self) -> Figures {
        Figures::of(vec![1.0; self.successes.len()])
    }

    /// 1 for each that was completed, 0 for each that was not.
    pub fn success_rate(&self) -> Figures {
        Figures::of(self.successes.clone())
    }

    /// How many errors the rules found, for each.
    pub fn validation_errors(&self) -> Figures {
        Figures::of(self.validation_errors.clone())
    }

    /// Seconds from the arrival of the request to the end, for each that was executed.
    pub fn duration_seconds(&self) -> Figures {
        Figures::of(self.durations_s.clone())
    }
}

impl Figures {
    /// The figures of `values`, which are finite.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let (Some(min), Some(max)) = (values.first(), values.last()) else { return Self::default() };
        let total: f64 = values.iter().sum();
        Self {
            count: values.len() as u64,
            total,
            average: total / values.len() as f64,
            min: *min,
            max: *max,
            p50: nearest_rank(&values, 50),
            p95: nearest_rank(&values, 95),
            p99: nearest_rank(&values, 99),
        }
    }
}

/// The least value that at least `percent` of the sorted, non-empty `values` do not exceed.
fn nearest_rank(values: &[f64], percent: usize) -> f64 {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values[rank - 1]
}
