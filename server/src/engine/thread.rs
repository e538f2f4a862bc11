//! The engine's thread: takes every waiting command, up to a bound, and commits them together; between commits it keeps the house.
//!
//! Knows nothing of how a batch becomes durable.

use std::{
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::watch;
use tracing::error;

use super::{
    EngineError, EngineLimits, StopReason,
    busy_wait::BusyWait,
    committing::{Broken, Committer},
    forgetting::Forgetter,
    inbox::{BatchBounds, Closed, Inbox, Taken, ToDo},
    truncation::Truncator,
};

/// How long it sleeps in a pause before it looks for something else to do: a step may forget hundreds of tasks.
const PAUSE_STEP: Duration = Duration::from_millis(1);

/// All that the thread owns.
pub(super) struct Owner {
    pub(super) inbox: Inbox,
    pub(super) busy_wait: BusyWait,
    pub(super) committer: Committer,
    pub(super) truncator: Truncator,
    pub(super) forgetter: Forgetter,
    pub(super) stopped: watch::Sender<Option<StopReason>>,
}

pub(super) fn start(mut owner: Owner) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name("baton-engine".into())
        .spawn(move || owner.run())
        .expect("a thread can be started when the server starts")
}

impl Owner {
    fn run(&mut self) {
        let reason = match self.work() {
            Ok(()) => {
                self.committer.save_all();
                StopReason::Asked
            }
            Err(Broken(why)) => {
                error!(error = %why, "the log failed; the engine stops. Start the server again: it reads what is durable");
                for submission in self.inbox.close() {
                    submission.answered(&EngineError::Stopped).send();
                }
                StopReason::Failed(why)
            }
        };
        self.stopped.send_replace(Some(reason));
    }

    fn work(&mut self) -> Result<(), Broken> {
        loop {
            self.gather()?;
            let Ok(Taken { commands, upkeep }) = self.take() else { return self.committer.land() };
            self.add_upkeep(upkeep);
            self.committer.metrics.queue_commands.set(i64::try_from(self.inbox.len()).unwrap_or(i64::MAX));
            if !commands.is_empty() {
                self.committer.commit(commands)?;
            }
            if !self.is_house_in_order() {
                self.committer.land()?;
                self.keep_house()?;
            }
            self.pause()?;
        }
    }

    fn is_house_in_order(&self) -> bool {
        self.truncator.is_idle() && self.forgetter.is_idle()
    }

    /// Does one step of what nobody waits for. Nothing may be under way: what was decided counts on what would be forgotten.
    fn keep_house(&mut self) -> Result<(), Broken> {
        self.truncator.step(&mut **self.committer.appender.log()).map_err(Broken)?;
        self.forgetter.step(&self.committer.namespaces);
        Ok(())
    }

    /// Pauses between two commits if checkpoints are behind. They need the engine meanwhile: to forget what was archived.
    fn pause(&mut self) -> Result<(), Broken> {
        let Some(pause) = self.committer.pacing.pause() else { return Ok(()) };
        self.committer.land()?;
        self.committer.metrics.commits_slowed.inc();
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(PAUSE_STEP));
            let upkeep = self.inbox.take_upkeep();
            self.add_upkeep(upkeep);
            self.keep_house()?;
        }
    }

    fn add_upkeep(&mut self, ToDo { truncations, forgettings, saved }: ToDo) {
        truncations.into_iter().for_each(|truncation| self.truncator.add(truncation));
        forgettings.into_iter().for_each(|forgetting| self.forgetter.add(forgetting));
        saved.iter().for_each(|namespace| self.committer.save_if_due(namespace));
    }

    /// While a batch is under way, waits until there is as much again, or until that one has landed.
    fn gather(&mut self) -> Result<(), Broken> {
        let commands = self.committer.limits.overlapped_commands_min;
        let Some(appending) = self.committer.appending() else { return Ok(()) };
        match self.inbox.gather(commands, appending) {
            Some(appended) => self.committer.landed(appended),
            None => Ok(()),
        }
    }

    /// A batch of what waits in the inbox; waits for one only if there is nothing else to do.
    fn take(&mut self) -> Result<Taken, Closed> {
        let EngineLimits { batch_commands_max: commands, batch_bytes_max: bytes, .. } = self.committer.limits;
        let bounds = BatchBounds { commands, bytes };
        let is_idle = self.committer.appending().is_none() && self.is_house_in_order();
        if !is_idle {
            return self.inbox.take_waiting(bounds);
        }
        self.busy_wait.wait(|| !self.inbox.is_empty());
        self.inbox.take(bounds)
    }
}
