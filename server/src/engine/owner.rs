//! The engine's work: it takes every waiting command, up to a bound, and commits them together; between commits it keeps the house.
//!
//! Knows nothing of how a batch becomes durable.

use std::{
    thread,
    time::{Duration, Instant},
};

use futures_executor::block_on;
use tokio::{sync::watch, task};
use tracing::error;

use super::{
    EngineError, EngineLimits, StopReason,
    busy_wait::{BusyWait, CallersBusyWait},
    committing::{Broken, Committer},
    forgetting::Forgetter,
    inbox::{BatchBounds, Closed, Inbox, Taken, ToDo},
    place::Place,
    truncation::Truncator,
};

/// How long it sleeps in a pause before it looks for something else to do: a step may forget hundreds of tasks.
const PAUSE_STEP: Duration = Duration::from_millis(1);

/// So many turns that take no longer than others can wait end a time aside.
const SHORT_TURNS: u32 = 16;

/// Who alone may change anything, and all that it takes.
pub(super) struct Owner {
    pub(super) place: Place,
    pub(super) inbox: Inbox,
    pub(super) callers: CallersBusyWait,
    /// None: it must not wait awake.
    pub(super) busy_wait: Option<BusyWait>,
    pub(super) committer: Committer,
    pub(super) truncator: Truncator,
    pub(super) forgetter: Forgetter,
    pub(super) stopped: watch::Sender<Option<StopReason>>,
}

impl Owner {
    /// Works until the queue is closed and empty, or the log fails.
    pub(super) async fn run(mut self) {
        let reason = match self.work().await {
            Ok(()) => {
                self.place.aside(|| self.committer.save_all());
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

    async fn work(&mut self) -> Result<(), Broken> {
        while let Some(taken) = self.next().await? {
            if self.place == Place::Runtime && self.takes_long(&taken) {
                self.place.aside(|| block_on(self.work_aside(taken)))?;
            } else {
                self.handle(taken).await?;
            }
        }
        self.committer.land().await
    }

    /// Works as in a thread of its own for as long as there is something that takes long. To go there and back costs two threads waking up, so it
    /// goes back only after some turns that took none.
    async fn work_aside(&mut self, taken: Taken) -> Result<(), Broken> {
        self.committer.here = Place::OwnThread;
        self.handle(taken).await?;
        let mut short_turns = 0;
        while short_turns < SHORT_TURNS
            && let Some(taken) = self.next().await?
        {
            short_turns = if self.takes_long(&taken) { 0 } else { short_turns + 1 };
            self.handle(taken).await?;
        }
        self.committer.here = self.place;
        Ok(())
    }

    /// Whether others that wait for the same thread should not wait for it.
    fn takes_long(&self, Taken { commands, upkeep }: &Taken) -> bool {
        !upkeep.is_short() || !self.is_house_in_order() || self.committer.takes_long(commands)
    }

    /// What is to be done next. None: there will be nothing more.
    async fn next(&mut self) -> Result<Option<Taken>, Broken> {
        self.gather().await?;
        Ok(self.take().await.ok())
    }

    async fn handle(&mut self, Taken { commands, upkeep }: Taken) -> Result<(), Broken> {
        self.add_upkeep(upkeep);
        self.committer.metrics.queue_commands.set(i64::try_from(self.inbox.len()).unwrap_or(i64::MAX));
        if !commands.is_empty() {
            self.committer.commit(commands).await?;
        }
        if !self.is_house_in_order() {
            self.committer.land().await?;
            self.keep_house()?;
        }
        self.pause().await
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
    async fn pause(&mut self) -> Result<(), Broken> {
        let Some(pause) = self.committer.pacing.pause() else { return Ok(()) };
        self.committer.land().await?;
        self.committer.metrics.commits_slowed.inc();
        self.place.aside(|| self.keep_house_for(pause))
    }

    fn keep_house_for(&mut self, pause: Duration) -> Result<(), Broken> {
        let end = Instant::now() + pause;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(PAUSE_STEP));
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
    async fn gather(&mut self) -> Result<(), Broken> {
        let commands = self.committer.limits.overlapped_commands_min;
        let Some(appending) = self.committer.appending() else { return Ok(()) };
        match self.inbox.gather(commands, appending).await {
            Some(appended) => self.committer.landed(appended),
            None => Ok(()),
        }
    }

    /// A batch of what waits in the inbox; waits for one only if there is nothing else to do.
    async fn take(&mut self) -> Result<Taken, Closed> {
        let EngineLimits { batch_commands_max: commands, batch_bytes_max: bytes, .. } = self.committer.limits;
        let bounds = BatchBounds { commands, bytes };
        if self.committer.appending().is_none() && self.is_house_in_order() {
            if let Some(busy_wait) = &mut self.busy_wait {
                busy_wait.wait(|| !self.inbox.is_empty());
            }
            self.inbox.wait(bounds).await?;
            if self.committer.here == Place::Runtime && !self.callers.come_alone() {
                // Connections that are ready have their turn first: their calls make a larger batch.
                task::yield_now().await;
            }
        }
        self.inbox.take_waiting(bounds)
    }
}
