//! What all services share: the way to the engine and to what is durable.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use baton_core::{Answer, Handoff, State, Task};
use baton_log::LogReader;
use baton_proto::v1::ErrorReason;
use parking_lot::Mutex;
use tonic::{Code, Extensions};

use super::{from_wire::Asked, page::Listing, refusal};
use crate::{call::Call, engine::Engine, shutdown::ShutdownSignal, status::Refusal};

/// What the services stand on. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub(super) engine: Engine,
    pub(super) shutdown: ShutdownSignal,
    pub(super) watchers: Arc<Watchers>,
    /// For verification, one at a time.
    pub(super) verifier: Arc<tokio::sync::Mutex<Option<Box<dyn LogReader>>>>,
    pub(super) started_us: i64,
}

/// How many watches there are, and may be.
#[derive(Debug)]
pub(super) struct Watchers {
    count: AtomicUsize,
    count_max: usize,
    per_connection_max: usize,
    by_connection: Mutex<std::collections::BTreeMap<u64, usize>>,
}

impl Api {
    /// Services on `engine`; `verifier` reads the log for verification.
    pub fn new(
        engine: Engine,
        verifier: Box<dyn LogReader>,
        shutdown: ShutdownSignal,
        watchers_max: usize,
        watchers_per_connection_max: usize,
    ) -> Self {
        let started_us = engine.now_us();
        Self {
            engine,
            shutdown,
            watchers: Arc::new(Watchers::new(watchers_max, watchers_per_connection_max)),
            verifier: Arc::new(tokio::sync::Mutex::new(Some(verifier))),
            started_us,
        }
    }

    pub(super) fn now_us(&self) -> i64 {
        self.engine.now_us()
    }

    /// Has a command committed. The commit goes on if the caller leaves.
    pub(super) async fn commit(&self, extensions: &Extensions, asked: Asked) -> Result<(Arc<str>, Answer), Refusal> {
        let Asked { namespace, task, command, bytes } = asked;
        let call = concerns(extensions, &namespace, &task);
        let deadline = call.and_then(|call| call.deadline()).map(|deadline| deadline.instant().into_std());
        let answer =
            self.engine.execute(&namespace, command, bytes, deadline).await.map_err(refusal::of_engine)?;
        Ok((namespace, answer))
    }

    pub(super) async fn commit_task(&self, extensions: &Extensions, asked: Asked) -> Result<(Arc<str>, Arc<Task>), Refusal> {
        match self.commit(extensions, asked).await? {
            (namespace, Answer::Task(task)) => Ok((namespace, task)),
            (_, other) => Err(unexpected(&other)),
        }
    }

    /// Has a hand-off recorded; one that did not come about as wanted is a refusal, and recorded all the same.
    pub(super) async fn commit_handoff(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<(Arc<str>, Arc<Handoff>, Arc<Task>), Refusal> {
        let (namespace, answer) = self.commit(extensions, asked).await?;
        handoff_or_refusal(answer).map(|(handoff, task)| (namespace, handoff, task))
    }

    /// Reads from a namespace as far as it is durable; one in which nothing has happened is empty.
    pub(super) fn read<T>(&self, extensions: &Extensions, namespace: &str, task: &str, read: impl FnOnce(&State) -> T) -> T {
        concerns(extensions, namespace, task);
        match self.engine.namespaces().get(namespace) {
            Some(namespace) => read(&namespace.read()),
            None => read(&State::default()),
        }
    }

    /// The listing that these words make up, in this log.
    pub(super) fn listing(&self, words: &[&str]) -> Listing {
        let log_id = self.engine.log_id().to_string();
        let words: Vec<&str> = std::iter::once(log_id.as_str()).chain(words.iter().copied()).collect();
        Listing::of(&words)
    }
}

/// Notes what a call is about, for its line in the log.
pub(super) fn concerns<'a>(extensions: &'a Extensions, namespace: &str, task: &str) -> Option<&'a Arc<Call>> {
    let call = extensions.get::<Arc<Call>>();
    if let Some(call) = call {
        call.concerns(namespace, task);
    }
    call
}

pub(super) fn handoff_or_refusal(answer: Answer) -> Result<(Arc<Handoff>, Arc<Task>), Refusal> {
    match answer {
        Answer::Handoff(handoff, task) => match refusal::of_handoff(&handoff, &task) {
            None => Ok((handoff, task)),
            Some(refusal) => Err(refusal),
        },
        other => Err(unexpected(&other)),
    }
}

/// Answers are of the kind that their command has; a repeated request id with another command is refused long before.
pub(super) fn unexpected(answer: &Answer) -> Refusal {
    tracing::error!(?answer, "the engine gave an answer of the wrong kind");
    Refusal::new(Code::Internal, ErrorReason::Internal, "the engine gave an answer of the wrong kind; please report this")
}

impl Watchers {
    fn new(count_max: usize, per_connection_max: usize) -> Self {
        Self { count: AtomicUsize::new(0), count_max, per_connection_max, by_connection: Mutex::default() }
    }

    /// How many there are now.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Makes room for one more on `connection`, until the place is dropped.
    pub(super) fn enter(self: &Arc<Self>, connection: Option<u64>) -> Result<WatcherPlace, Refusal> {
        let full = |name, limit| {
            refusal::too_many(name, limit, format!("there are {limit} watches already, which is the limit ({name}); end one or use another connection"))
        };
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.count_max {
            self.count.fetch_sub(1, Ordering::Relaxed);
            return Err(full("watchers_max", self.count_max));
        }
        let place = WatcherPlace { watchers: Arc::clone(self), connection: None };
        let Some(connection) = connection else { return Ok(place) };
        let mut by_connection = self.by_connection.lock();
        let count = by_connection.entry(connection).or_default();
        if *count >= self.per_connection_max {
            drop(by_connection);
            return Err(full("watchers_per_connection_max", self.per_connection_max));
        }
        *count += 1;
        drop(by_connection);
        Ok(WatcherPlace { connection: Some(connection), ..place })
    }
}

/// The place of one watch among those that there may be.
#[derive(Debug)]
pub(super) struct WatcherPlace {
    watchers: Arc<Watchers>,
    connection: Option<u64>,
}

impl Drop for WatcherPlace {
    fn drop(&mut self) {
        self.watchers.count.fetch_sub(1, Ordering::Relaxed);
        if let Some(connection) = self.connection {
            let mut by_connection = self.watchers.by_connection.lock();
            if let Some(count) = by_connection.get_mut(&connection) {
                *count -= 1;
                if *count == 0 {
                    by_connection.remove(&connection);
                }
            }
        }
    }
}
