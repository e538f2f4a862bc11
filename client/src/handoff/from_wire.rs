//! Reads hand-offs from the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1;

use super::{
    ConflictPolicy, Context, Handoff, HandoffStatus, HandoffStep, StateTransfer, StepStatus, Transfer,
    TransferScope,
};
use crate::{
    from_wire::{promised_time, some_text, time},
    rule::verdict_from_wire,
};

pub(crate) fn handoff_from_wire(handoff: v1::Handoff) -> Handoff {
    Handoff {
        handoff_id: handoff.handoff_id,
        task_id: handoff.task_id,
        from_agent: handoff.from_agent,
        to_agent: handoff.to_agent,
        reason: handoff.reason,
        status: HandoffStatus::from_wire(handoff.status),
        steps: handoff.steps.into_iter().map(step_from_wire).collect(),
        validation: verdict_from_wire(handoff.validation.unwrap_or_default()),
        transfer: handoff.transfer.map(state_transfer_from_wire),
        context: context_from_wire(handoff.context.unwrap_or_default()),
        created_at: promised_time(handoff.created_at),
        deadline: time(handoff.deadline),
        completed_at: time(handoff.completed_at),
        error: some_text(handoff.error),
        owner_epoch: handoff.owner_epoch,
        revision: handoff.revision,
    }
}

fn step_from_wire(step: v1::HandoffStep) -> HandoffStep {
    HandoffStep {
        step: step.step,
        status: StepStatus::from_wire(step.status),
        timestamp: time(step.timestamp),
        error: some_text(step.error),
    }
}

fn context_from_wire(context: v1::HandoffContext) -> Context {
    Context {
        summary: context.summary,
        completed: context.completed,
        remaining: context.remaining,
        decisions: context.decisions,
        pitfalls: context.pitfalls,
        references: context.references,
    }
}

pub(crate) fn state_transfer_from_wire(transfer: v1::StateTransfer) -> StateTransfer {
    StateTransfer {
        spec: spec_from_wire(transfer.spec.unwrap_or_default()),
        from_agent: transfer.from_agent,
        from_revision: transfer.from_revision,
    }
}

/// What is left unsaid on the wire has a meaning, which is said here.
fn spec_from_wire(spec: v1::TransferSpec) -> Transfer {
    let scope = match spec.scope() {
        v1::TransferScope::Unspecified => TransferScope::All,
        _ => TransferScope::from_wire(spec.scope),
    };
    let on_conflict = match spec.on_conflict() {
        v1::ConflictPolicy::Unspecified => ConflictPolicy::Overwrite,
        _ => ConflictPolicy::from_wire(spec.on_conflict),
    };
    Transfer { scope, keys: spec.keys, on_conflict }
}
