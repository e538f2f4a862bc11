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
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use std::sync::{
        Arc,
        mpsc::{Receiver, channel},
    };

    use baton_log::{
        CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints,
        MemoryCheckpoints, TakePart,
    };

    use super::*;
    use crate::engine::{
        EngineLimits, EngineParts,
        testing::{Running, limits, parts},
    };

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

    /// Makes no checkpoint until the other end is dropped.
    struct Held {
        checkpoints: MemoryCheckpoints,
        until: Receiver<()>,
    }

    impl Checkpoints for Held {
        fn save(
            &mut self,
            head: &CheckpointHead,
            write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
        ) -> Result<(), CheckpointError> {
            let _ = self.until.recv();
            self.checkpoints.save(head, write)
        }

        fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
            self.checkpoints.remove_others(namespace, kept);
        }

        fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
            self.checkpoints.heads(namespace)
        }

        fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
            self.checkpoints.open(head)
        }
    }

    #[test]
    fn commits_are_slowed_down_while_checkpoints_are_behind() {
        let (release, until) = channel();
        let checkpoints = Box::new(Held { checkpoints: MemoryCheckpoints::default(), until });
        let parts = EngineParts { checkpoints, ..parts() };
        let metrics = Arc::clone(&parts.metrics);
        let running = Running::start(parts, EngineLimits { checkpoint_events: 10, ..limits() });
        let mut tasks = 1..;
        let mut create = || running.create("default", tasks.next().unwrap(), 10);
        // The first checkpoint is asked for, and four times as many events follow.
        (0..50).for_each(|_| create());
        assert_eq!(metrics.commits_slowed.get(), 0);
        // What the first of them waited for is known when the second is answered.
        (0..2).for_each(|_| create());
        assert_ne!(metrics.commits_slowed.get(), 0);
        drop(release);
        let started = Instant::now();
        loop {
            let before = metrics.commits_slowed.get();
            (0..2).for_each(|_| create());
            if metrics.commits_slowed.get() == before {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "nobody slows down for ever");
        }
        running.stop();
    }
}
