//! The commands that wait for the engine, bounded by count and by bytes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use baton_core::{Answer, Command};
use parking_lot::RwLock;
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

use super::EngineError;

/// One command that waits, and who waits for its answer.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) namespace: Arc<str>,
    pub(super) command: Command,
    pub(super) bytes: usize,
    pub(super) deadline: Option<Instant>,
    pub(super) reply: oneshot::Sender<Result<Answer, EngineError>>,
}

/// The writing end.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    // Shared by all handles, so that taking it out closes the channel for all of them.
    sender: Arc<RwLock<Option<mpsc::Sender<Submission>>>>,
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

/// The reading end, owned by the engine's thread.
#[derive(Debug)]
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Submission>,
    bytes: Arc<AtomicUsize>,
}

impl Queue {
    pub(super) fn new(commands_max: usize, bytes_max: usize) -> (Self, Inbox) {
        let (sender, receiver) = mpsc::channel(commands_max);
        let bytes = Arc::new(AtomicUsize::new(0));
        let queue =
            Self { sender: Arc::new(RwLock::new(Some(sender))), bytes: Arc::clone(&bytes), bytes_max };
        (queue, Inbox { receiver, bytes })
    }

    pub(super) fn push(&self, submission: Submission) -> Result<(), EngineError> {
        let sender = self.sender.read();
        let Some(sender) = &*sender else { return Err(EngineError::Stopped) };
        let bytes = submission.bytes;
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Err(EngineError::QueueFull { limit: self.bytes_max, unit: "bytes" });
        }
        sender.try_send(submission).map_err(|refused| {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            match refused {
                TrySendError::Full(_) => {
                    EngineError::QueueFull { limit: sender.max_capacity(), unit: "commands" }
                }
                TrySendError::Closed(_) => EngineError::Stopped,
            }
        })
    }

    /// Takes no more; what waits is still worked off.
    pub(super) fn close(&self) {
        self.sender.write().take();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.read().is_none()
    }
}

impl Inbox {
    /// Waits for commands and adds at most `count_max` of them; `false`: the queue is closed and empty.
    pub(super) fn take(&mut self, taken: &mut Vec<Submission>, count_max: usize) -> bool {
        let before = taken.len();
        let count = self.receiver.blocking_recv_many(taken, count_max);
        let bytes: usize = taken[before..].iter().map(|submission| submission.bytes).sum();
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        count > 0
    }

    /// How many commands still wait.
    pub(super) fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Refuses what comes from now on, and gives back what still waits.
    pub(super) fn close(&mut self) -> Vec<Submission> {
        self.receiver.close();
        let mut rest = Vec::new();
        while let Ok(submission) = self.receiver.try_recv() {
            rest.push(submission);
        }
        rest
    }
}
