//! Batches: many commands in one call, each with an answer of its own.
//!
//! All of them wait in the queue as one, so the engine commits them together as far as its own bounds allow.

use std::sync::Arc;

use baton_core::{Answer, Command, Task};
use baton_proto::v1;
use tonic::Extensions;

use super::{
    Api,
    api::{self, handoff_or_refusal, unexpected},
    from_wire::{self, Asked, BATCH_ITEMS_MAX, BatchHandOff, Check},
    refusal, to_wire,
};
use crate::{engine::EngineError, own_body::Frame, status::Refusal};

/// The commands of a batch, to be committed together.
#[derive(Debug)]
pub(super) struct Batch {
    namespace: Arc<str>,
    commands: Vec<Command>,
    /// The size of the requests that became commands.
    bytes: usize,
    /// For each item whether it became a command; what was refused has its answer already.
    taken: Vec<Result<(), Refusal>>,
}

/// Creates tasks, each on its own.
pub(super) async fn create_tasks(
    api: &Api,
    extensions: &Extensions,
    request: v1::BatchCreateTasksRequest,
) -> Result<Frame, Refusal> {
    let namespace = check_batch(
        &request.namespace,
        request.items.len(),
        request.items.iter().map(|item| &*item.namespace),
    )?;
    let now_us = api.now_us();
    let asked = request
        .items
        .into_iter()
        .enumerate()
        .map(|(index, item)| from_wire::create_task(item, Check::item(index, &namespace), now_us));
    let batch = Batch::new(Arc::clone(&namespace), asked);
    let answers = batch.commit(api, extensions).await;
    let results = answers.into_iter().map(|answer| answer.and_then(task).map_err(Refusal::into_item_error));
    Ok(to_wire::tasks_answer(&namespace, results))
}

/// The hand-offs that are asked for, each on its own.
///
/// # Errors
/// INVALID_ARGUMENT if the batch itself is malformed.
pub(super) fn hand_offs(request: BatchHandOff<'_>, now_us: i64) -> Result<Batch, Refusal> {
    let namespaces = request.items.iter().map(|item| item.namespace);
    let namespace = check_batch(request.namespace, request.count, namespaces)?;
    let asked = request
        .items
        .into_iter()
        .enumerate()
        .map(|(index, item)| from_wire::hand_off(item, Check::item(index, &namespace), now_us));
    Ok(Batch::new(Arc::clone(&namespace), asked))
}

/// Hands tasks off, as [`hand_offs`] gave them.
pub(super) async fn hand_off(api: &Api, extensions: &Extensions, batch: Batch) -> Frame {
    let answers = batch.commit(api, extensions).await;
    let results = answers.into_iter().map(|answer| match answer.and_then(handoff_or_refusal) {
        Ok((handoff, _)) => Ok(handoff),
        Err(refusal) => Err(refusal.into_item_error()),
    });
    to_wire::handoffs_answer(results)
}

impl Batch {
    fn new(namespace: Arc<str>, asked: impl ExactSizeIterator<Item = Result<Asked, Refusal>>) -> Self {
        let (mut commands, mut bytes_of_all) = (Vec::with_capacity(asked.len()), 0);
        let mut take = |Asked { command, bytes, .. }| {
            commands.push(command);
            bytes_of_all += bytes;
        };
        let taken = asked.map(|asked| asked.map(&mut take)).collect();
        Self { namespace, commands, bytes: bytes_of_all, taken }
    }

    /// Commits the commands together; gives the answers in the order of the items.
    async fn commit(self, api: &Api, extensions: &Extensions) -> Vec<Result<Answer, Refusal>> {
        api::concerns(extensions, &self.namespace, "");
        let deadline = api::deadline(extensions);
        let answers = api.engine.execute_all(&self.namespace, self.commands, self.bytes, deadline).await;
        let mut answers = answers.into_iter();
        let mut answer =
            |()| answers.next().unwrap_or(Err(EngineError::OutcomeUnknown)).map_err(refusal::of_engine);
        self.taken.into_iter().map(|taken| taken.and_then(&mut answer)).collect()
    }
}

/// Why a batch is refused that is not to be decoded: it has too many items. `None`: it has not.
pub(super) fn too_many(message: &[u8]) -> Option<Refusal> {
    let count = from_wire::count_items(message);
    if count > BATCH_ITEMS_MAX { check_batch("", count, std::iter::empty()).err() } else { None }
}

/// The namespace of the batch, if its size and the namespaces of its items allow one.
fn check_batch<'a>(
    namespace: &str,
    count: usize,
    items: impl Iterator<Item = &'a str>,
) -> Result<Arc<str>, Refusal> {
    let mut check = Check::new();
    if count == 0 || count > BATCH_ITEMS_MAX {
        check.wrong("items", format!("has {count}; give 1 to {BATCH_ITEMS_MAX}"));
    }
    let namespace = check.namespace(namespace);
    for (index, item) in items.enumerate() {
        if !item.is_empty() && *item != *namespace {
            check.wrong(&format!("items[{index}].namespace"), "is not that of the batch; leave it empty");
        }
    }
    check.finish(namespace)
}

fn task(answer: Answer) -> Result<Arc<Task>, Refusal> {
    match answer {
        Answer::Task(task) => Ok(task),
        other => Err(unexpected(&other)),
    }
}
