//! Commands that wait for the engine, and those who wait for the answers.
//!
//! Knows nothing of queues or of what the commands ask for.

use std::{slice, sync::Arc, time::Instant};

use baton_core::{Answer, Command};
use tokio::sync::oneshot;

use super::EngineError;

/// What a command came to.
pub(super) type Answered = Result<Answer, EngineError>;

/// Where one answer is awaited.
type One = oneshot::Sender<Answered>;
/// Where the answers to several commands are awaited, in the order of the commands.
type Several = oneshot::Sender<Vec<Answered>>;

/// Commands that are committed together, and whoever waits for what they come to.
#[derive(Debug)]
pub(super) struct Submission {
    pub(super) namespace: Arc<str>,
    pub(super) work: Work,
    /// Of the commands as they came.
    pub(super) bytes: usize,
    /// After it they are no longer begun.
    pub(super) deadline: Option<Instant>,
}

/// The commands of a submission.
#[derive(Debug)]
pub(super) enum Work {
    One(Command, One),
    Several(Vec<Command>, Several),
}

/// Answers that wait for the record that they tell of, and whom they are for.
pub(super) enum Reply {
    One(One, Answered),
    Several(Several, Vec<Answered>),
}

impl Submission {
    /// How many commands it has.
    pub(super) fn count(&self) -> usize {
        self.work.commands().len()
    }

    /// The same answer to all of it.
    pub(super) fn answered(self, error: &EngineError) -> Reply {
        self.work.answered_by(|_| Err(error.clone()))
    }
}

impl Work {
    pub(super) fn commands(&self) -> &[Command] {
        match self {
            Self::One(command, _) => slice::from_ref(command),
            Self::Several(commands, _) => commands,
        }
    }

    /// The answers that `answer` gives, one after the other.
    pub(super) fn answered_by(self, mut answer: impl FnMut(Command) -> Answered) -> Reply {
        match self {
            Self::One(command, reply) => Reply::One(reply, answer(command)),
            Self::Several(commands, reply) => {
                Reply::Several(reply, commands.into_iter().map(answer).collect())
            }
        }
    }
}

impl Reply {
    /// Sends the answers. Nobody may be waiting any more: the commit stands all the same.
    pub(super) fn send(self) {
        match self {
            Self::One(reply, answer) => _ = reply.send(answer),
            Self::Several(reply, answers) => _ = reply.send(answers),
        }
    }

    /// Sends that all came to nothing instead.
    pub(super) fn fail(self, error: &EngineError) {
        match self {
            Self::One(reply, _) => _ = reply.send(Err(error.clone())),
            Self::Several(reply, answers) => {
                _ = reply.send(answers.iter().map(|_| Err(error.clone())).collect());
            }
        }
    }
}
