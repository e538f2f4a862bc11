//! Figures.

use baton_core::summary::{Figures, Group, Sample};
use baton_proto::v1;

pub(in crate::service) fn summary(sample: &Sample) -> v1::Summary {
    let outcomes = sample.outcomes;
    v1::Summary {
        hand_off_count: Some(figures(sample.hand_off_count())),
        success_rate: Some(figures(sample.success_rate())),
        validation_errors: Some(figures(sample.validation_errors())),
        duration_seconds: Some(figures(sample.duration_seconds())),
        completed: outcomes.completed,
        failed: outcomes.failed,
        rejected: outcomes.rejected,
        withdrawn: outcomes.withdrawn,
        open: outcomes.open,
    }
}

pub(in crate::service) fn group(group: &Group, sample: &Sample) -> v1::SummaryGroup {
    let told = v1::SummaryGroup { summary: Some(summary(sample)), ..Default::default() };
    match group {
        Group::Agent(agent) => v1::SummaryGroup {
            grouping: v1::SummaryGrouping::Agent.into(),
            agent_id: agent.to_string(),
            ..told
        },
        Group::Pair(from, to) => v1::SummaryGroup {
            grouping: v1::SummaryGrouping::Pair.into(),
            agent_id: from.to_string(),
            to_agent: to.to_string(),
            ..told
        },
        Group::Reason(reason) => v1::SummaryGroup {
            grouping: v1::SummaryGrouping::Reason.into(),
            reason: reason.to_string(),
            ..told
        },
    }
}

fn figures(figures: Figures) -> v1::Figures {
    let Figures { count, total, average, min, max, p50, p95, p99 } = figures;
    v1::Figures { count, total, average, min, max, p50, p95, p99 }
}
