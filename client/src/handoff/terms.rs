//! The terms of a hand-off, whether it is executed, initiated or only judged: their setters, written once.
//!
//! Knows nothing of what becomes of the hand-off.

/// Setters of a hand-off's terms. The builder has a field `request` with `reason`, `owner_epoch`, `context` and `transfer`.
macro_rules! terms_setters {
    () => {
        /// Why; at most 4 KiB. The rule `empty_reason` refuses a hand-off without one.
        pub fn reason(mut self, reason: impl Into<String>) -> Self {
            self.request.reason = reason.into();
            self
        }

        /// What the next agent must know.
        pub fn context(mut self, context: $crate::Context) -> Self {
            self.request.context = Some($crate::handoff::to_wire::context_to_wire(context));
            self
        }

        /// What of the sender's state moves; otherwise all of it, overwriting.
        pub fn transfer(mut self, transfer: $crate::Transfer) -> Self {
            self.request.transfer = Some($crate::handoff::to_wire::transfer_to_wire(transfer));
            self
        }

        /// Acts only if this is the task's present owner epoch. An [`OwnedTask`](crate::OwnedTask) always says so.
        pub fn owner_epoch(mut self, epoch: u64) -> Self {
            self.request.owner_epoch = Some(epoch);
            self
        }
    };
}

pub(super) use terms_setters;
