//! Slows commits down while checkpoints fall behind: what is finished leaves memory with them, so what waits for them must be bounded.
//!
//! Knows nothing of what it is that falls behind, nor of who waits.

use std::{
    mem,
    time::{Duration, Instant},
};

use tracing::warn;

/// To be behind by so many distances between two checkpoints is not worth a pause.
const BEHIND_MAX: f64 = 4.0;

/// Each distance beyond makes every command wait so long. Being behind by eight of them brings commits down to 5,000 commands in a second,
/// few enough for a tenth of a processor to archive.
const COMMAND_PAUSE: Duration = Duration::from_micros(50);

/// Longest pause: callers have deadlines.
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// As long as there are pauses, so often a warning tells of them.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// What the commits since the last pause came to.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    commands: usize,
    behind: f64,
    warned: Option<Instant>,
}

impl Pacing {
    /// Notes a commit of so many commands in a namespace whose checkpoint is behind by so many distances between two.
    pub(super) fn note(&mut self, commands: usize, behind: f64) {
        self.commands += commands;
        self.behind = self.behind.max(behind);
    }

    /// How long to pause for what was noted since this was last asked.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        let (commands, behind) = (mem::take(&mut self.commands), mem::take(&mut self.behind));
        let beyond = behind - BEHIND_MAX;
        if beyond <= 0.0 {
            return None;
        }
        if self.warned.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
            self.warned = Some(Instant::now());
            warn!(
                "checkpoints fall far behind, and finished tasks leave memory with them: commits are slowed down meanwhile. Give the server more processor time or a faster disk"
            );
        }
        Some(COMMAND_PAUSE.mul_f64(commands as f64 * beyond).min(PAUSE_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_grows_with_what_was_committed_and_with_how_far_behind_it_is() {
        let pauses = |commits: &[(usize, f64)]| {
            let mut pacing = Pacing::default();
            commits.iter().for_each(|(commands, behind)| pacing.note(*commands, *behind));
            [pacing.pause(), pacing.pause()].map(|pause| pause.map_or(0, |pause| pause.as_micros()))
        };
        assert_eq!(pauses(&[]), [0, 0]);
        assert_eq!(pauses(&[(100, 0.0)]), [0, 0]);
        assert_eq!(pauses(&[(100, BEHIND_MAX)]), [0, 0]);
        assert_eq!(pauses(&[(100, BEHIND_MAX + 1.0)]), [5_000, 0]);
        assert_eq!(pauses(&[(100, BEHIND_MAX + 4.0)]), [20_000, 0]);
        assert_eq!(pauses(&[(100, 0.5), (100, BEHIND_MAX + 1.0), (100, 0.0)]), [15_000, 0]);
        assert_eq!(pauses(&[(1_024, 1e9)]), [250_000, 0]);
    }
}
