//! Writes what goes along with a hand-off for the wire.
//!
//! Knows nothing of calls.

use baton_proto::v1;

use super::{Context, Transfer};

pub(crate) fn transfer_to_wire(transfer: Transfer) -> v1::TransferSpec {
    v1::TransferSpec {
        scope: transfer.scope.to_wire(),
        keys: transfer.keys,
        on_conflict: transfer.on_conflict.to_wire(),
    }
}

pub(super) fn context_to_wire(context: Context) -> v1::HandoffContext {
    v1::HandoffContext {
        summary: context.summary,
        completed: context.completed,
        remaining: context.remaining,
        decisions: context.decisions,
        pitfalls: context.pitfalls,
        references: context.references,
    }
}
