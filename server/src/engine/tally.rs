//! Counts what a batch recorded, for the metrics.
//!
//! So that nobody has to keep the events themselves until they are durable. Knows nothing of how it is shown.

use baton_core::{Event, HandoffStatus};

/// How much was recorded.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// Commands that became events.
    pub(super) commands: usize,
    /// Hand-offs, by their status: in the order of [`HandoffStatus::ALL`].
    handoffs: [u64; HandoffStatus::ALL.len()],
}

impl Tally {
    /// Counts one more.
    pub(super) fn count(&mut self, event: &Event) {
        self.commands += 1;
        if let Event::Handoff(event) = event {
            let counts = HandoffStatus::ALL.iter().zip(&mut self.handoffs);
            let of_status = counts.filter(|(status, _)| **status == event.handoff.status);
            of_status.for_each(|(_, count)| *count += 1);
        }
    }

    /// How many hand-offs there are of each status that there are any of.
    pub(super) fn handoffs(&self) -> impl Iterator<Item = (HandoffStatus, u64)> {
        HandoffStatus::ALL.into_iter().zip(self.handoffs).filter(|(_, count)| *count > 0)
    }
}
