//! Batches: many commands in one call, each with an answer of its own.
//!
//! All of them wait in the queue at once, so the engine commits them together as far as its own bounds allow.

use std::sync::Arc;

use baton_core::{Answer, Task};
use baton_proto::v1;
use tokio::sync::oneshot;
use tonic::Extensions;

use super::{
    Api,
    api::{self, handoff_or_refusal, unexpected},
    from_wire::{self, Asked, Check},
    refusal, to_wire,
};
use crate::{engine::EngineError, own_body::Frame, status::Refusal};

/// Most items of a batch.
const ITEMS_MAX: usize = 1_000;

/// Creates tasks, each on its own.
pub(super) async fn create_tasks(
    api: &Api,
    extensions: &Extensions,
    request: v1::BatchCreateTasksRequest,
) -> Result<Frame, Refusal> {
    let namespace =
        check_batch(&request.namespace, request.items.iter().map(|item| item.namespace.as_str()))?;
    let now_us = api.now_us();
    let asked = request
        .items
        .into_iter()
        .enumerate()
        .map(|(index, item)| from_wire::create_task(item, Check::item(index, &namespace), now_us));
    let answers = commit_all(api, extensions, &namespace, asked).await;
    let results = answers.into_iter().map(|answer| answer.and_then(task).map_err(Refusal::into_item_error));
    Ok(to_wire::tasks_answer(&namespace, results))
}

/// Hands tasks off, each on its own.
pub(super) async fn hand_off(
    api: &Api,
    extensions: &Extensions,
    request: v1::BatchHandOffRequest,
) -> Result<Frame, Refusal> {
    let namespace =
        check_batch(&request.namespace, request.items.iter().map(|item| item.namespace.as_str()))?;
    let now_us = api.now_us();
    let asked = request
        .items
        .into_iter()
        .enumerate()
        .map(|(index, item)| from_wire::hand_off(item, Check::item(index, &namespace), now_us));
    let answers = commit_all(api, extensions, &namespace, asked).await;
    let results = answers.into_iter().map(|answer| match answer.and_then(handoff_or_refusal) {
        Ok((handoff, _)) => Ok(handoff),
        Err(refusal) => Err(refusal.into_item_error()),
    });
    Ok(to_wire::handoffs_answer(results))
}

/// Has all commands wait in the queue before it waits for the first answer.
async fn commit_all(
    api: &Api,
    extensions: &Extensions,
    namespace: &str,
    asked: impl Iterator<Item = Result<Asked, Refusal>>,
) -> Vec<Result<Answer, Refusal>> {
    api::concerns(extensions, namespace, "");
    let deadline = api::deadline(extensions);
    let waiting: Vec<Waiting> = asked
        .map(|asked| {
            let Asked { namespace, command, bytes } = asked?;
            api.engine.submit(&namespace, command, bytes, deadline).map_err(refusal::of_engine)
        })
        .collect();
    let mut answers = Vec::with_capacity(waiting.len());
    for waiting in waiting {
        answers.push(answer(waiting).await);
    }
    answers
}

/// The namespace of the batch, if its size and the namespaces of its items allow one.
fn check_batch<'a>(
    namespace: &str,
    items: impl ExactSizeIterator<Item = &'a str>,
) -> Result<Arc<str>, Refusal> {
    let mut check = Check::new();
    let count = items.len();
    if count == 0 || count > ITEMS_MAX {
        check.wrong("items", format!("has {count}; give 1 to {ITEMS_MAX}"));
    }
    let namespace = check.namespace(namespace);
    for (index, item) in items.enumerate() {
        if !item.is_empty() && *item != *namespace {
            check.wrong(&format!("items[{index}].namespace"), "is not that of the batch; leave it empty");
        }
    }
    check.finish(namespace)
}

type Waiting = Result<oneshot::Receiver<Result<Answer, EngineError>>, Refusal>;

async fn answer(waiting: Waiting) -> Result<Answer, Refusal> {
    waiting?.await.unwrap_or(Err(EngineError::OutcomeUnknown)).map_err(refusal::of_engine)
}

fn task(answer: Answer) -> Result<Arc<Task>, Refusal> {
    match answer {
        Answer::Task(task) => Ok(task),
        other => Err(unexpected(&other)),
    }
}
