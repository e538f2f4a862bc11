//! Hand-offs in batches: all tasks of a flock go from one agent to the next together, round a ring of agents.
//!
//! Knows which batch comes next, not who answers it or how long that takes.

use std::collections::VecDeque;

use baton_proto::v1::{
    BatchHandOffRequest, BatchHandOffResponse, CreateTaskRequest,
    handoff_service_client::HandoffServiceClient,
};
use tonic::transport::Channel;

use crate::{
    drive::Caller,
    failure::Failure,
    peers::{create_tasks, first_error},
    ring::{HANDOFFS_PER_TASK, RING_AGENTS, creation, handoff},
};

/// The batches of one caller.
struct Tour {
    name: String,
    namespace: String,
    size: usize,
    named: u64,
    sent: u64,
    waiting: VecDeque<Vec<String>>,
    // The flock under way, and how often it was handed on.
    current: Option<(Vec<String>, u64)>,
}

impl Tour {
    fn agent(&self, place: u64) -> String {
        format!("{}-agent-{}", self.name, place % RING_AGENTS)
    }

    /// Names a new flock of the first agent; to be created, and then put in.
    fn name_flock(&mut self) -> Vec<CreateTaskRequest> {
        self.named += 1;
        let id = |index: usize| format!("{}-task-{}-{index}", self.name, self.named);
        (0..self.size).map(|index| creation(id(index), self.agent(0))).collect()
    }

    /// Batches that its flocks allow before it needs another.
    fn left(&self) -> u64 {
        let current = self.current.as_ref().map_or(0, |(_, handed)| HANDOFFS_PER_TASK - handed);
        current + self.waiting.len() as u64 * HANDOFFS_PER_TASK
    }

    fn next(&mut self) -> Option<BatchHandOffRequest> {
        let (tasks, handed) = match self.current.take() {
            Some((tasks, handed)) if handed < HANDOFFS_PER_TASK => (tasks, handed),
            _ => (self.waiting.pop_front()?, 0),
        };
        let mut items = Vec::with_capacity(tasks.len());
        for task in &tasks {
            self.sent += 1;
            let request_id = format!("{}-{}", self.name, self.sent);
            let agents = [self.agent(handed), self.agent(handed + 1)];
            items.push(handoff("", request_id, task.clone(), agents, handed));
        }
        self.current = Some((tasks, handed + 1));
        Some(BatchHandOffRequest { items, namespace: self.namespace.clone() })
    }
}

/// Sees each answer as it comes.
type Answered = Box<dyn FnMut(&BatchHandOffResponse) + Send>;

/// A caller that hands flocks of tasks on, one batch a call. What it did is counted in hand-offs.
pub(crate) struct Batches {
    tour: Tour,
    channel: Channel,
    client: HandoffServiceClient<Channel>,
    next: Option<BatchHandOffRequest>,
    answered: Option<Answered>,
}

impl Batches {
    /// A caller without tasks, of batches of `size`. `name` must be new to the namespace.
    pub(crate) fn new(name: String, namespace: &str, size: usize, channel: Channel) -> Self {
        let tour = Tour {
            name,
            namespace: namespace.to_owned(),
            size,
            named: 0,
            sent: 0,
            waiting: VecDeque::new(),
            current: None,
        };
        Self { tour, client: HandoffServiceClient::new(channel.clone()), channel, next: None, answered: None }
    }

    /// Shows each answer to `answered` as it comes.
    pub(crate) fn on_answer(mut self, answered: impl FnMut(&BatchHandOffResponse) + Send + 'static) -> Self {
        self.answered = Some(Box::new(answered));
        self
    }

    async fn refill(&mut self) -> Result<(), Failure> {
        let tasks = self.tour.name_flock();
        let ids = tasks.iter().map(|task| task.task_id.clone()).collect();
        create_tasks(&self.channel, &self.tour.namespace, tasks).await?;
        self.tour.waiting.push_back(ids);
        Ok(())
    }
}

impl Caller for Batches {
    async fn stock(&mut self, calls: usize) -> Result<(), Failure> {
        while self.tour.left() < calls as u64 {
            self.refill().await?;
        }
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        while self.next.is_none() {
            self.next = self.tour.next();
            if self.next.is_none() {
                self.refill().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<u64, Failure> {
        let request = self.next.take().ok_or_else(|| Failure::new("no batch was made ready"))?;
        let response = self.client.batch_hand_off(request).await?.into_inner();
        if let Some(answered) = &mut self.answered {
            answered(&response);
        }
        let count = response.results.len() as u64;
        first_error(response.results.into_iter().map(|result| result.error))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::Tour;
    use crate::ring::HANDOFFS_PER_TASK;

    #[test]
    fn a_flock_goes_round_together_and_never_to_the_agent_that_has_it() {
        let mut tour = Tour {
            name: "t".into(),
            namespace: "bench".into(),
            size: 3,
            named: 0,
            sent: 0,
            waiting: VecDeque::new(),
            current: None,
        };
        let flock: Vec<String> = tour.name_flock().into_iter().map(|task| task.task_id).collect();
        tour.waiting.push_back(flock.clone());
        let mut owner = tour.agent(0);
        for handed in 0..HANDOFFS_PER_TASK {
            assert_eq!(tour.left(), HANDOFFS_PER_TASK - handed);
            let batch = tour.next().expect("the flock is not round yet");
            assert_eq!(batch.items.iter().map(|item| &*item.task_id).collect::<Vec<_>>(), flock);
            for item in &batch.items {
                assert_eq!((&item.from_agent, item.owner_epoch), (&owner, Some(handed + 1)));
                assert_ne!(item.to_agent, owner);
            }
            owner.clone_from(&batch.items[0].to_agent);
        }
        assert!(tour.next().is_none());
    }
}
