//! Hand-offs, their steps and verdicts.

use baton_core::{Context, Handoff, HandoffStatus, Step, StepStatus, Verdict, Violation};
use baton_proto::v1;

use super::{state::transfer, timestamp};

pub(in crate::service) fn handoff(handoff: &Handoff) -> v1::Handoff {
    v1::Handoff {
        handoff_id: handoff.id.to_string(),
        task_id: handoff.task_id.to_string(),
        from_agent: handoff.from.to_string(),
        to_agent: handoff.to.to_string(),
        reason: handoff.reason.to_string(),
        status: status(handoff.status).into(),
        steps: handoff.steps().iter().map(step).collect(),
        validation: Some(verdict(&handoff.verdict)),
        transfer: Some(transfer(&handoff.from, &handoff.transfer)),
        context: handoff.context.as_ref().map(context),
        created_at: Some(timestamp(handoff.created_us)),
        deadline: None,
        completed_at: handoff.completed_us.map(timestamp),
        error: handoff.error.to_string(),
        owner_epoch: handoff.owner_epoch,
        revision: handoff.revision.0,
    }
}

pub(super) fn status(status: HandoffStatus) -> v1::HandoffStatus {
    match status {
        HandoffStatus::Initiated => v1::HandoffStatus::Initiated,
        HandoffStatus::Completed => v1::HandoffStatus::Completed,
        HandoffStatus::Failed => v1::HandoffStatus::Failed,
        HandoffStatus::Rejected => v1::HandoffStatus::Rejected,
        HandoffStatus::Withdrawn => v1::HandoffStatus::Withdrawn,
    }
}

fn step(step: &Step) -> v1::HandoffStep {
    v1::HandoffStep {
        step: step.name.to_string(),
        status: step_status(step.status).into(),
        timestamp: Some(timestamp(step.time_us)),
        error: step.error.to_string(),
    }
}

pub(super) fn step_status(status: StepStatus) -> v1::StepStatus {
    match status {
        StepStatus::Completed => v1::StepStatus::Completed,
        StepStatus::Failed => v1::StepStatus::Failed,
        StepStatus::Skipped => v1::StepStatus::Skipped,
    }
}

pub(in crate::service) fn verdict(verdict: &Verdict) -> v1::Verdict {
    v1::Verdict {
        valid: verdict.is_valid(),
        errors: verdict.errors.iter().map(violation).collect(),
        warnings: verdict.warnings.iter().map(violation).collect(),
    }
}

fn violation(violation: &Violation) -> v1::Violation {
    v1::Violation { rule: violation.rule.to_string(), message: violation.message.to_string() }
}

fn context(context: &Context) -> v1::HandoffContext {
    let parts = context.parts();
    v1::HandoffContext {
        summary: parts.summary.to_owned(),
        completed: texts(&parts.completed),
        remaining: texts(&parts.remaining),
        decisions: texts(&parts.decisions),
        pitfalls: texts(&parts.pitfalls),
        references: texts(&parts.references),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().copied().map(str::to_owned).collect()
}
