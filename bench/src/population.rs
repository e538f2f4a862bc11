//! Many tasks at once, made as fast as the server takes them: what must be there before something is measured.
//!
//! Knows the names of the tasks and who owns each, so that nothing about them need be remembered.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use baton_proto::v1::{
    BatchHandOffRequest, CancelTaskRequest, CreateTaskRequest, HandOffRequest,
    handoff_service_client::HandoffServiceClient, task_service_client::TaskServiceClient,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::{
    failure::{Failure, While as _},
    peers::{create_tasks, first_error},
    ring::{RING_AGENTS, creation, handoff},
};

/// Items of one batch, as the contract bounds it.
const BATCH_ITEMS_MAX: u64 = 1_000;
/// Batches in flight.
const BATCHES_IN_FLIGHT: usize = 4;
/// Single calls in flight, where there is no batch.
const CALLS_IN_FLIGHT: usize = 256;
/// Rings of agents that the tasks are spread over.
const RINGS: u64 = 64;

/// Tasks of one namespace, numbered from 0, that go round rings of agents.
#[derive(Clone, Debug)]
pub(crate) struct Population {
    /// The namespace.
    pub namespace: String,
    /// Whether calls have request ids, which the server then remembers.
    pub request_ids: bool,
}

impl Population {
    /// Tasks of this namespace; its calls have request ids.
    pub(crate) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), request_ids: true }
    }

    /// The agent that has task `index` after `handed` hand-offs.
    pub(crate) fn agent(&self, index: u64, handed: u64) -> String {
        format!("ring-{}-agent-{}", index % RINGS, handed % RING_AGENTS)
    }

    /// Hand-off of task `index`, which was handed on `handed` times before.
    pub(crate) fn handoff(&self, index: u64, handed: u64) -> HandOffRequest {
        let request_id = if self.request_ids { format!("h-{index}-{handed}") } else { String::new() };
        let agents = [self.agent(index, handed), self.agent(index, handed + 1)];
        handoff(&self.namespace, request_id, task(index), agents, handed)
    }

    /// Creates the tasks of a range.
    ///
    /// # Errors
    /// A call fails.
    pub(crate) async fn create(&self, channels: &[Channel], range: Range<u64>) -> Result<(), Failure> {
        let population = self.clone();
        let create = move |channel: Channel, batch: Range<u64>| {
            let (namespace, tasks) = (population.namespace.clone(), population.creations(batch));
            async move { create_tasks(&channel, &namespace, tasks).await }
        };
        in_parallel(channels, range, BATCH_ITEMS_MAX, BATCHES_IN_FLIGHT, create)
            .await
            .during("creating tasks")
    }

    /// Hands each task of a range on once; each was handed on `handed` times before.
    ///
    /// # Errors
    /// A call fails.
    pub(crate) async fn hand_on(
        &self,
        channels: &[Channel],
        range: Range<u64>,
        handed: u64,
    ) -> Result<(), Failure> {
        let population = self.clone();
        let hand_on = move |channel: Channel, batch: Range<u64>| {
            let items = batch.map(|index| population.handoff(index, handed)).collect();
            hand_off(channel, population.namespace.clone(), items)
        };
        in_parallel(channels, range, BATCH_ITEMS_MAX, BATCHES_IN_FLIGHT, hand_on)
            .await
            .during("handing tasks on")
    }

    /// Hands one task on until it was handed on `count` times.
    ///
    /// # Errors
    /// A call fails.
    pub(crate) async fn hand_on_often(
        &self,
        channel: &Channel,
        index: u64,
        count: u64,
    ) -> Result<(), Failure> {
        for begin in (0..count).step_by(BATCH_ITEMS_MAX as usize) {
            let times = begin..count.min(begin + BATCH_ITEMS_MAX);
            let items = times.map(|handed| self.handoff(index, handed)).collect();
            hand_off(channel.clone(), self.namespace.clone(), items).await.during("handing a task on")?;
        }
        Ok(())
    }

    /// Cancels each task of a range: it is finished then.
    ///
    /// # Errors
    /// A call fails.
    pub(crate) async fn cancel(&self, channels: &[Channel], range: Range<u64>) -> Result<(), Failure> {
        let population = self.clone();
        let cancel = move |channel: Channel, one: Range<u64>| {
            let request = CancelTaskRequest {
                namespace: population.namespace.clone(),
                request_id: if population.request_ids { format!("x-{}", one.start) } else { String::new() },
                task_id: task(one.start),
                outcome: "the customer has withdrawn".into(),
                ..Default::default()
            };
            async move {
                TaskServiceClient::new(channel).cancel_task(request).await?;
                Ok(())
            }
        };
        in_parallel(channels, range, 1, CALLS_IN_FLIGHT, cancel).await.during("cancelling tasks")
    }

    fn creations(&self, range: Range<u64>) -> Vec<CreateTaskRequest> {
        let create = |index| {
            let mut request = creation(task(index), self.agent(index, 0));
            if !self.request_ids {
                request.request_id.clear();
            }
            request
        };
        range.map(create).collect()
    }
}

fn task(index: u64) -> String {
    format!("task-{index}")
}

async fn hand_off(channel: Channel, namespace: String, items: Vec<HandOffRequest>) -> Result<(), Failure> {
    let request = BatchHandOffRequest { items, namespace };
    let response = HandoffServiceClient::new(channel).batch_hand_off(request).await?.into_inner();
    first_error(response.results.into_iter().map(|result| result.error))
}

/// Does `work` for every part of `range` of at most `size`, with so many parts in flight.
async fn in_parallel<F, W>(
    channels: &[Channel],
    range: Range<u64>,
    size: u64,
    in_flight: usize,
    work: W,
) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>> + Send + 'static,
    W: Fn(Channel, Range<u64>) -> F + Clone + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(range.start));
    let mut workers = JoinSet::new();
    for channel in channels.iter().cycle().take(in_flight) {
        let (next, work, end, channel) = (Arc::clone(&next), work.clone(), range.end, channel.clone());
        workers.spawn(async move {
            loop {
                let begin = next.fetch_add(size, Ordering::Relaxed);
                if begin >= end {
                    return Ok::<_, Failure>(());
                }
                work(channel.clone(), begin..end.min(begin + size)).await?;
            }
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended??;
    }
    Ok(())
}
