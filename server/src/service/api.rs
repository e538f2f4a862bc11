//! What all services share: the way to the engine and to what is durable.

use std::{sync::Arc, time::Instant};

use baton_core::{Answer, ArchivedTask, Handoff, State, Task};
use baton_log::{ArchiveError, ArchiveReader, LogReader};
use baton_proto::v1::{
    ErrorReason, handoff_service_server::HandoffServiceServer, monitor_service_server::MonitorServiceServer,
    state_service_server::StateServiceServer, task_service_server::TaskServiceServer,
    validation_service_server::ValidationServiceServer,
};
use tokio::sync::Mutex;
use tonic::{Code, Extensions};

use super::{
    direct::Direct,
    from_wire::Asked,
    page::{Filling, Listing, Page},
    refusal,
    watch::Watchers,
};
use crate::{
    call::Call,
    config::Config,
    engine::{
        Engine, Namespace,
        archived::{Part, in_state},
    },
    metrics::Metrics,
    routes::Routes,
    shutdown::ShutdownSignal,
    status::Refusal,
};

/// What the services stand on. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub(super) engine: Engine,
    pub(super) shutdown: ShutdownSignal,
    pub(super) watchers: Arc<Watchers>,
    /// For verification, one at a time.
    pub(super) verifier: Arc<Mutex<Box<dyn LogReader>>>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) started_us: i64,
}

impl Api {
    /// Services on `engine`; `verifier` reads the log for verification, and streams end when `shutdown` says so.
    pub fn new(
        engine: Engine,
        verifier: Box<dyn LogReader>,
        shutdown: ShutdownSignal,
        config: &Config,
        metrics: Arc<Metrics>,
    ) -> Self {
        let started_us = engine.now_us();
        Self {
            engine,
            shutdown,
            watchers: Watchers::new(config, &metrics),
            verifier: Arc::new(Mutex::new(verifier)),
            metrics,
            started_us,
        }
    }

    /// The services of `baton.v1`, those that are called most often first.
    pub fn routes(&self, config: &Config) -> Routes {
        let bytes_max = config.message_bytes_max as usize;
        let api = Arc::new(self.clone());
        let handoffs = HandoffServiceServer::from_arc(Arc::clone(&api)).max_decoding_message_size(bytes_max);
        let tasks = TaskServiceServer::from_arc(Arc::clone(&api)).max_decoding_message_size(bytes_max);
        Routes::new()
            .with(Direct::new(Arc::clone(&api), handoffs, bytes_max))
            .with(Direct::new(api, tasks, bytes_max))
            .with(StateServiceServer::new(self.clone()).max_decoding_message_size(bytes_max))
            .with(ValidationServiceServer::new(self.clone()).max_decoding_message_size(bytes_max))
            .with(MonitorServiceServer::new(self.clone()).max_decoding_message_size(bytes_max))
    }

    pub(super) fn now_us(&self) -> i64 {
        self.engine.now_us()
    }

    /// Has a command committed. The commit goes on if the caller leaves.
    pub(super) async fn commit(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<(Arc<str>, Answer), Refusal> {
        concerns(extensions, &asked.namespace, asked.task());
        let Asked { namespace, command, bytes } = asked;
        let answer = self
            .engine
            .execute(&namespace, command, bytes, deadline(extensions))
            .await
            .map_err(refusal::of_engine)?;
        Ok((namespace, answer))
    }

    pub(super) async fn commit_task(
        &self,
        extensions: &Extensions,
        asked: Asked,
    ) -> Result<(Arc<str>, Arc<Task>), Refusal> {
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
    pub(super) fn read<T>(
        &self,
        extensions: &Extensions,
        namespace: &str,
        task: &str,
        read: impl FnOnce(&State) -> T,
    ) -> T {
        concerns(extensions, namespace, task);
        match self.engine.namespaces().get(namespace) {
            Some(namespace) => read(&namespace.read()),
            None => read(&State::default()),
        }
    }

    /// Reads what concerns one task, wherever that is kept.
    ///
    /// # Errors
    /// UNAVAILABLE if the archive cannot be read.
    pub(super) async fn read_task<T>(
        &self,
        extensions: &Extensions,
        namespace: &str,
        task: &str,
        read: impl Fn(&State) -> Option<T>,
        read_archived: impl FnOnce(ArchivedTask) -> T,
    ) -> Result<Option<T>, Refusal> {
        concerns(extensions, namespace, task);
        let namespaces = self.engine.namespaces();
        let Some(namespace) = namespaces.get(namespace) else { return Ok(None) };
        if let Some(found) = in_state(&namespace.read(), &read) {
            return Ok(found);
        }
        let archived =
            namespaces.archived_task(namespace.name(), task).await.map_err(refusal::archive_unreadable)?;
        let present = read(&namespace.read());
        Ok(present.or_else(|| archived.map(read_archived)))
    }

    /// A page of a namespace: of its state, as `of_state` makes it, if nothing of it is archived, and else of what `next` gives part by part,
    /// so many after some place, of which `look` says what a page needs.
    ///
    /// # Errors
    /// UNAVAILABLE if the archive cannot be read.
    pub(super) async fn page<K: Send + 'static, I, T: Send + 'static>(
        &self,
        namespace: &str,
        page_size: usize,
        after: Option<K>,
        of_state: impl FnOnce(&State) -> Page<T>,
        next: impl Fn(&Namespace, &dyn ArchiveReader, Option<&K>, usize) -> Result<Part<K, I>, ArchiveError>
        + Send
        + 'static,
        look: impl Fn(I) -> (Option<T>, usize, String) + Send + 'static,
    ) -> Result<Page<T>, Refusal> {
        let namespaces = self.engine.namespaces();
        let Some(namespace) = namespaces.get(namespace) else { return Ok(of_state(&State::default())) };
        let all = in_state(&namespace.read(), |state| (state.archived_count() == 0).then(|| of_state(state)));
        if let Some(Some(page)) = all {
            return Ok(page);
        }
        let filled = namespaces.read_archive(move |archive| {
            let (mut filling, mut after) = (Filling::new(page_size), after);
            loop {
                let part = next(&namespace, archive, after.as_ref(), filling.room())?;
                for (_, item) in part.items {
                    if !filling.take(|| look(item)) {
                        return Ok(filling.page);
                    }
                }
                match part.more_after {
                    Some(more_after) => after = Some(more_after),
                    None => return Ok(filling.page),
                }
            }
        });
        filled.await.map_err(refusal::archive_unreadable)
    }

    /// The listing that these words make up, in this log.
    pub(super) fn listing(&self, words: &[&str]) -> Listing {
        let log_id = self.engine.log_id().to_string();
        let words: Vec<&str> = std::iter::once(log_id.as_str()).chain(words.iter().copied()).collect();
        Listing::of(&words)
    }
}

/// Notes what a call is about, for its line in the log.
pub(super) fn concerns(extensions: &Extensions, namespace: &str, task: &str) {
    if let Some(call) = extensions.get::<Arc<Call>>() {
        call.concerns(namespace, task);
    }
}

/// The moment after which a call's command is no longer begun.
pub(super) fn deadline(extensions: &Extensions) -> Option<Instant> {
    let deadline = extensions.get::<Arc<Call>>()?.deadline()?;
    Some(deadline.instant().into_std())
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
    Refusal::new(
        Code::Internal,
        ErrorReason::Internal,
        "the engine gave an answer of the wrong kind; please report this",
    )
}
