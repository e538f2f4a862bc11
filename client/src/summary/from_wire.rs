//! Reads figures from the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1::{self, SummaryGrouping};

use super::{Figures, Summary, SummaryGroup, SummaryKey, SummaryReport};

pub(super) fn report_from_wire(answer: v1::GetSummaryResponse) -> SummaryReport {
    SummaryReport {
        total: summary_from_wire(answer.total.unwrap_or_default()),
        groups: answer.groups.into_iter().map(group_from_wire).collect(),
        truncated: answer.truncated,
        revision: answer.revision,
    }
}

fn group_from_wire(group: v1::SummaryGroup) -> SummaryGroup {
    let key = match group.grouping() {
        SummaryGrouping::Agent => SummaryKey::Agent { agent_id: group.agent_id },
        SummaryGrouping::Pair => SummaryKey::Pair { from_agent: group.agent_id, to_agent: group.to_agent },
        SummaryGrouping::Reason => SummaryKey::Reason { reason: group.reason },
        SummaryGrouping::Unspecified => SummaryKey::Unknown,
    };
    SummaryGroup { key, summary: summary_from_wire(group.summary.unwrap_or_default()) }
}

fn summary_from_wire(summary: v1::Summary) -> Summary {
    Summary {
        hand_off_count: figures_from_wire(summary.hand_off_count),
        success_rate: figures_from_wire(summary.success_rate),
        validation_errors: figures_from_wire(summary.validation_errors),
        duration_seconds: figures_from_wire(summary.duration_seconds),
        completed: summary.completed,
        failed: summary.failed,
        rejected: summary.rejected,
        withdrawn: summary.withdrawn,
        open: summary.open,
    }
}

fn figures_from_wire(figures: Option<v1::Figures>) -> Figures {
    let figures = figures.unwrap_or_default();
    Figures {
        count: figures.count,
        total: figures.total,
        average: figures.average,
        min: figures.min,
        max: figures.max,
        p50: figures.p50,
        p95: figures.p95,
        p99: figures.p99,
    }
}
