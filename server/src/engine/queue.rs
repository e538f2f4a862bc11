//! The writing ends of what waits for the engine: commands, bounded by count and by bytes, and what keeps the house in order.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::RwLock;
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    EngineError, forgetting::Forgetting, inbox::Inbox, submission::Submission, truncation::Truncation,
};

/// Room in the channel for what is not a command.
const UPKEEP_MAX: usize = 64;

/// What the engine is asked to do.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all messages are commands, and a box for each would cost more"
)]
pub(super) enum Message {
    Command(Submission),
    Truncate(Truncation),
    Forget(Forgetting),
    /// The checkpoint of that namespace that was being made is done.
    Saved(Arc<str>),
}

// Shared by all handles, so that taking it out closes the channel for all of them.
type Sender = RwLock<Option<mpsc::Sender<Message>>>;

/// The writing end for commands.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: Arc<Sender>,
    room: Arc<Room>,
}

/// The writing end for what keeps the house in order. It does not keep the engine running.
#[derive(Clone, Debug)]
pub(super) struct Upkeep(Weak<Sender>);

/// How much waits, and how much may.
#[derive(Debug)]
pub(super) struct Room {
    commands: AtomicUsize,
    commands_max: usize,
    bytes: AtomicUsize,
    bytes_max: usize,
}

impl Room {
    /// Takes room for `submission`.
    fn enter(&self, submission: &Submission) -> Result<(), EngineError> {
        let (count, bytes) = (submission.count(), submission.bytes);
        if self.commands.fetch_add(count, Ordering::Relaxed) + count > self.commands_max {
            self.commands.fetch_sub(count, Ordering::Relaxed);
            return Err(EngineError::QueueFull { limit: self.commands_max, unit: "commands" });
        }
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.leave(count, bytes);
            return Err(EngineError::QueueFull { limit: self.bytes_max, unit: "bytes" });
        }
        Ok(())
    }

    /// Gives room back.
    pub(super) fn leave(&self, commands: usize, bytes: usize) {
        self.commands.fetch_sub(commands, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many commands wait.
    pub(super) fn commands(&self) -> usize {
        self.commands.load(Ordering::Relaxed)
    }
}

impl Queue {
    /// A queue for so many commands of so many bytes, and its reading end.
    pub(super) fn new(commands_max: usize, bytes_max: usize) -> (Self, Inbox) {
        let (sender, receiver) = mpsc::channel(commands_max.saturating_add(UPKEEP_MAX));
        let room = Arc::new(Room {
            commands: AtomicUsize::new(0),
            commands_max,
            bytes: AtomicUsize::new(0),
            bytes_max,
        });
        let queue = Self { sender: Arc::new(RwLock::new(Some(sender))), room: Arc::clone(&room) };
        (queue, Inbox::new(receiver, room))
    }

    pub(super) fn push(&self, submission: Submission) -> Result<(), EngineError> {
        let sender = self.sender.read();
        let Some(sender) = &*sender else { return Err(EngineError::Stopped) };
        self.room.enter(&submission)?;
        let (count, bytes) = (submission.count(), submission.bytes);
        sender.try_send(Message::Command(submission)).map_err(|refused| {
            self.room.leave(count, bytes);
            match refused {
                // Only if upkeep has taken more than its share.
                TrySendError::Full(_) => {
                    EngineError::QueueFull { limit: self.room.commands_max, unit: "commands" }
                }
                TrySendError::Closed(_) => EngineError::Stopped,
            }
        })
    }

    /// The end for what keeps the house in order.
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

    /// Tells that the checkpoint of `namespace` that was being made is done, in the same way.
    pub(super) fn saved(&self, namespace: Arc<str>) {
        self.send(Message::Saved(namespace));
    }

    fn send(&self, message: Message) {
        let Some(shared) = self.0.upgrade() else { return };
        let Some(sender) = shared.read().clone() else { return };
        // The lock is not held while it waits, and an engine that ends meanwhile has no use for it.
        let _ = sender.blocking_send(message);
    }
}
