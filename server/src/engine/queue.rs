//! What waits for the engine: commands, bounded by count and by bytes, and what keeps the house in order.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use baton_core::{Answer, Command};
use parking_lot::RwLock;
use tokio::sync::{
    mpsc::{
        self,
        error::{TryRecvError, TrySendError},
    },
    oneshot,
};

use super::{EngineError, forgetting::Forgetting, truncation::Truncation};

/// One command that waits, and who waits for its answer.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) namespace: Arc<str>,
    pub(super) command: Command,
    pub(super) bytes: usize,
    pub(super) deadline: Option<Instant>,
    pub(super) reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// What the engine's thread is asked to do.
#[derive(Debug)]
enum Message {
    Command(Submission),
    Truncate(Truncation),
    Forget(Forgetting),
}

// Shared by all handles, so that taking it out closes the channel for all of them.
type Sender = RwLock<Option<mpsc::Sender<Message>>>;

/// The writing end.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Arc<Sender>,
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

/// The writing end for truncations and for what is to be forgotten. It does not keep the engine running.
#[derive(Clone, Debug)]
pub(super) struct Upkeep(Weak<Sender>);

/// The reading end, owned by the engine's thread.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Message>,
    // Reused: what was received and not yet sorted.
    messages: Vec<Message>,
    bytes: Arc<AtomicUsize>,
}

/// What was taken from the inbox at once.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) commands: Vec<Submission>,
    pub(super) truncations: Vec<Truncation>,
    pub(super) forgettings: Vec<Forgetting>,
}

/// The queue is closed and empty.
#[derive(Debug)]
pub(super) struct Closed;

impl Queue {
    pub(super) fn new(commands_max: usize, bytes_max: usize) -> (Self, Inbox) {
        let (sender, receiver) = mpsc::channel(commands_max);
        let bytes = Arc::new(AtomicUsize::new(0));
        let queue =
            Self { sender: Arc::new(RwLock::new(Some(sender))), bytes: Arc::clone(&bytes), bytes_max };
        (queue, Inbox { receiver, messages: Vec::new(), bytes })
    }

    pub(super) fn push(&self, submission: Submission) -> Result<(), EngineError> {
        let sender = self.sender.read();
        let Some(sender) = &*sender else { return Err(EngineError::Stopped) };
        let bytes = submission.bytes;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(EngineError::QueueFull { limit: self.bytes_max, unit: "bytes" });
        }
        sender.try_send(Message::Command(submission)).map_err(|refused| {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => {
                    EngineError::QueueFull { limit: sender.max_capacity(), unit: "commands" }
                }
                TrySendError::Closed(_) => EngineError::Stopped,
            }
        })
    }

    /// The end for truncations and for what is to be forgotten.
    pub(super) fn upkeep(&self) -> Upkeep {
        Upkeep(Arc::downgrade(&self.sender))
    }

    /// Takes no more; what waits is still worked off.
    pub(super) fn close(&self) {
        self.sender.write().take();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.read().is_none()
    }
}

impl Upkeep {
    /// Asks for a truncation. Waits for its place among the commands if the queue is full; does nothing if it is closed.
    pub(super) fn truncate(&self, truncation: Truncation) {
        self.send(Message::Truncate(truncation));
    }

    /// Asks to forget tasks, in the same way.
    pub(super) fn forget(&self, forgetting: Forgetting) {
        self.send(Message::Forget(forgetting));
    }

    fn send(&self, message: Message) {
        let Some(shared) = self.0.upgrade() else { return };
        let Some(sender) = shared.read().clone() else { return };
        // The lock is not held while it waits, and an engine that ends meanwhile has no use for it.
        let _ = sender.blocking_send(message);
    }
}

impl Inbox {
    /// Waits until there is something, and takes at most `count_max` of it.
    pub(super) fn take(&mut self, count_max: usize) -> Result<Taken, Closed> {
        match self.receiver.blocking_recv_many(&mut self.messages, count_max) {
            0 => Err(Closed),
            _ => Ok(self.sort()),
        }
    }

    /// Takes at most `count_max` of what is there, without waiting.
    pub(super) fn take_waiting(&mut self, count_max: usize) -> Result<Taken, Closed> {
        while self.messages.len() < count_max {
            match self.receiver.try_recv() {
                Ok(message) => self.messages.push(message),
                Err(TryRecvError::Disconnected) if self.messages.is_empty() => return Err(Closed),
                Err(_) => break,
            }
        }
        Ok(self.sort())
    }

    fn sort(&mut self) -> Taken {
        let mut taken = Taken { commands: Vec::with_capacity(self.messages.len()), ..Taken::default() };
        for message in self.messages.drain(..) {
            match message {
                Message::Command(submission) => taken.commands.push(submission),
                Message::Truncate(truncation) => taken.truncations.push(truncation),
                Message::Forget(forgetting) => taken.forgettings.push(forgetting),
            }
        }
        let bytes: usize = taken.commands.iter().map(|submission| submission.bytes).sum();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        taken
    }

    /// How many commands still wait.
    pub(super) fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Refuses what comes from now on, and gives back the commands that still wait.
    pub(super) fn close(&mut self) -> Vec<Submission> {
        self.receiver.close();
        self.take_waiting(usize::MAX).map_or_else(|Closed| Vec::new(), |taken| taken.commands)
    }
}
