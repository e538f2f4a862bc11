//! The reading end of what waits for the engine, owned by it: cuts what came into batches.
//!
//! A batch is all that waits, up to its bounds: nobody waits for company.

use std::{collections::VecDeque, iter, pin::pin, sync::Arc};

use futures_util::future::{Either, select};
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::{
    forgetting::Forgetting,
    queue::{Message, Room},
    submission::Submission,
    truncation::Truncation,
};

/// The bounds of a batch. One submission is taken whatever they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchBounds {
    pub(super) commands: usize,
    pub(super) bytes: usize,
}

/// The reading end.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Message>,
    /// Received, and not yet sorted. Reused.
    messages: Vec<Message>,
    /// Received, and not yet in a batch.
    waiting: VecDeque<Submission>,
    room: Arc<Room>,
}

/// What was taken from the inbox at once.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// A batch.
    pub(super) commands: Vec<Submission>,
    pub(super) upkeep: ToDo,
}

/// What keeps the house in order.
#[derive(Debug, Default)]
pub(super) struct ToDo {
    pub(super) truncations: Vec<Truncation>,
    pub(super) forgettings: Vec<Forgetting>,
    /// Namespaces of which a checkpoint was made.
    pub(super) saved: Vec<Arc<str>>,
}

impl ToDo {
    /// Whether none of it takes long or waits for the disk.
    pub(super) fn is_short(&self) -> bool {
        self.truncations.is_empty() && self.forgettings.is_empty()
    }
}

/// The queue is closed and empty.
#[derive(Debug)]
pub(super) struct Closed;

impl Inbox {
    pub(super) fn new(receiver: mpsc::Receiver<Message>, room: Arc<Room>) -> Self {
        Self { receiver, messages: Vec::new(), waiting: VecDeque::new(), room }
    }

    /// Waits until there is something.
    pub(super) async fn wait(&mut self, bounds: BatchBounds) -> Result<(), Closed> {
        if self.has_received_nothing()
            && self.receiver.recv_many(&mut self.messages, bounds.commands).await == 0
        {
            return Err(Closed);
        }
        Ok(())
    }

    /// Waits until at least so many commands are there. If `other` is over before, or nothing else will come, gives what came of that.
    pub(super) async fn gather<F: Future + Unpin>(
        &mut self,
        commands: usize,
        mut other: F,
    ) -> Option<F::Output> {
        // Those that are still on their way into the channel would have it look again and again.
        while self.received() < commands {
            let coming = pin!(self.receiver.recv_many(&mut self.messages, commands));
            match select(coming, &mut other).await {
                Either::Left((0, _)) => return Some(other.await),
                Either::Left(_) => (),
                Either::Right((over, _)) => return Some(over),
            }
        }
        None
    }

    /// Takes a batch of what is there, without waiting.
    pub(super) fn take_waiting(&mut self, bounds: BatchBounds) -> Result<Taken, Closed> {
        while self.waiting.len() + self.messages.len() < bounds.commands {
            match self.receiver.try_recv() {
                Ok(message) => self.messages.push(message),
                Err(TryRecvError::Disconnected) if self.has_received_nothing() => {
                    return Err(Closed);
                }
                Err(_) => break,
            }
        }
        let upkeep = self.sort();
        Ok(Taken { commands: self.batch(bounds), upkeep })
    }

    /// Takes what is there besides commands, which go on waiting.
    pub(super) fn take_upkeep(&mut self) -> ToDo {
        self.messages.extend(iter::from_fn(|| self.receiver.try_recv().ok()));
        self.sort()
    }

    /// Lines the commands up that were received, and gives the rest.
    fn sort(&mut self) -> ToDo {
        let mut upkeep = ToDo::default();
        for message in self.messages.drain(..) {
            match message {
                Message::Command(submission) => self.waiting.push_back(submission),
                Message::Truncate(truncation) => upkeep.truncations.push(truncation),
                Message::Forget(forgetting) => upkeep.forgettings.push(forgetting),
                Message::Saved(namespace) => upkeep.saved.push(namespace),
            }
        }
        upkeep
    }

    /// The first submissions that wait, as many as fit.
    fn batch(&mut self, bounds: BatchBounds) -> Vec<Submission> {
        let (mut commands, mut bytes) = (0_usize, 0_usize);
        let fitting = self.waiting.iter().take_while(|submission| {
            let is_first = commands == 0;
            commands += submission.count();
            bytes = bytes.saturating_add(submission.bytes);
            is_first || (commands <= bounds.commands && bytes <= bounds.bytes)
        });
        let count = fitting.count();
        let batch: Vec<Submission> = self.waiting.drain(..count).collect();
        let of_batch = |measure: fn(&Submission) -> usize| batch.iter().map(measure).sum();
        self.room.leave(of_batch(Submission::count), of_batch(|submission| submission.bytes));
        batch
    }

    /// How many commands were received, and are in no batch yet.
    fn received(&self) -> usize {
        let sorted = self.waiting.iter().map(Submission::count);
        let unsorted = self.messages.iter().map(|message| match message {
            Message::Command(submission) => submission.count(),
            Message::Truncate(_) | Message::Forget(_) | Message::Saved(_) => 0,
        });
        sorted.chain(unsorted).sum()
    }

    fn has_received_nothing(&self) -> bool {
        self.waiting.is_empty() && self.messages.is_empty()
    }

    /// Whether there is nothing to take.
    pub(super) fn is_empty(&self) -> bool {
        self.has_received_nothing() && self.receiver.is_empty()
    }

    /// How many commands still wait.
    pub(super) fn len(&self) -> usize {
        self.room.commands()
    }

    /// Refuses what comes from now on, and gives back the commands that still wait.
    pub(super) fn close(&mut self) -> Vec<Submission> {
        self.receiver.close();
        let everything = BatchBounds { commands: usize::MAX, bytes: usize::MAX };
        self.take_waiting(everything).map_or_else(|Closed| Vec::new(), |taken| taken.commands)
    }
}
