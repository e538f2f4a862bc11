//! Hand-offs in batches: all tasks of a flock go from one agent to the next together, round a ring of agents.
//!
//! Knows which batch comes next, not who answers it or how long that takes. Batches are sent as bytes and answers scanned as bytes, so that
//! the client leaves the machine to the server.

mod answer;
mod encode;

use std::{collections::VecDeque, fmt::Write as _};

use baton_proto::v1::{BatchHandOffResponse, CreateTaskRequest};
use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::{Request, client::Grpc, transport::Channel};

use self::encode::BatchEncoder;
use crate::{
    drive::Caller,
    failure::Failure,
    peers::create_tasks,
    raw_codec::RawCodec,
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
    encoder: BatchEncoder,
}

impl Tour {
    fn new(name: String, namespace: &str, size: usize) -> Self {
        Self {
            name,
            namespace: namespace.to_owned(),
            size,
            named: 0,
            sent: 0,
            waiting: VecDeque::new(),
            current: None,
            encoder: BatchEncoder::default(),
        }
    }

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

    /// The next batch, a BatchHandOffRequest; `None` once all flocks have been round.
    fn next(&mut self) -> Option<Bytes> {
        let (tasks, handed) = match self.current.take() {
            Some((tasks, handed)) if handed < HANDOFFS_PER_TASK => (tasks, handed),
            _ => (self.waiting.pop_front()?, 0),
        };
        let agents = [self.agent(handed), self.agent(handed + 1)];
        let common = handoff("", String::new(), String::new(), agents, handed);
        self.encoder.begin(&common, tasks.len());
        let mut request_id = format!("{}-", self.name);
        let number_at = request_id.len();
        for task in &tasks {
            self.sent += 1;
            request_id.truncate(number_at);
            // A text takes all that is written into it.
            let _ = write!(request_id, "{}", self.sent);
            self.encoder.item(&request_id, task);
        }
        self.current = Some((tasks, handed + 1));
        Some(self.encoder.end(&self.namespace))
    }
}

/// Sees each answer as it comes.
type Answered = Box<dyn FnMut(&BatchHandOffResponse) + Send>;

/// A caller that hands flocks of tasks on, one batch a call. What it did is counted in hand-offs.
pub(crate) struct Batches {
    tour: Tour,
    channel: Channel,
    grpc: Grpc<Channel>,
    next: Option<Bytes>,
    answered: Option<Answered>,
}

impl Batches {
    /// A caller without tasks, of batches of `size`. `name` must be new to the namespace.
    pub(crate) fn new(name: String, namespace: &str, size: usize, channel: Channel) -> Self {
        let tour = Tour::new(name, namespace, size);
        Self { tour, grpc: Grpc::new(channel.clone()), channel, next: None, answered: None }
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
        self.grpc.ready().await?;
        let path = PathAndQuery::from_static("/baton.v1.HandoffService/BatchHandOff");
        let answer = self.grpc.unary(Request::new(request), path, RawCodec).await?.into_inner();
        if let Some(answered) = &mut self.answered {
            answered(&answer::decode(&answer)?);
        }
        answer::done(&answer)
    }
}

#[cfg(test)]
mod tests {
    use baton_proto::v1::BatchHandOffRequest;
    use prost::Message as _;

    use super::Tour;
    use crate::ring::{HANDOFFS_PER_TASK, handoff};

    fn tour_of_one_flock(size: usize) -> (Tour, Vec<String>) {
        let mut tour = Tour::new("t".into(), "bench", size);
        let flock: Vec<String> = tour.name_flock().into_iter().map(|task| task.task_id).collect();
        tour.waiting.push_back(flock.clone());
        (tour, flock)
    }

    fn next(tour: &mut Tour) -> BatchHandOffRequest {
        let batch = tour.next().expect("the flock is not round yet");
        BatchHandOffRequest::decode(batch).expect("it is a request")
    }

    #[test]
    fn a_flock_goes_round_together_and_never_to_the_agent_that_has_it() {
        let (mut tour, flock) = tour_of_one_flock(3);
        let mut owner = tour.agent(0);
        for handed in 0..HANDOFFS_PER_TASK {
            assert_eq!(tour.left(), HANDOFFS_PER_TASK - handed);
            let batch = next(&mut tour);
            assert_eq!(batch.items.iter().map(|item| &*item.task_id).collect::<Vec<_>>(), flock);
            for item in &batch.items {
                assert_eq!((&item.from_agent, item.owner_epoch), (&owner, Some(handed + 1)));
                assert_ne!(item.to_agent, owner);
            }
            owner.clone_from(&batch.items[0].to_agent);
        }
        assert!(tour.next().is_none());
    }

    #[test]
    fn a_batch_is_what_it_would_be_if_its_items_were_made_one_by_one() {
        // Enough of them that the numbers in request ids grow from one digit to five.
        let (mut tour, flock) = tour_of_one_flock(400);
        let mut sent = 0;
        for handed in 0..HANDOFFS_PER_TASK {
            let batch = tour.next().expect("the flock is not round yet");
            let item = |task: &String| {
                sent += 1;
                let agents = [tour.agent(handed), tour.agent(handed + 1)];
                handoff("", format!("t-{sent}"), task.clone(), agents, handed)
            };
            let plain =
                BatchHandOffRequest { items: flock.iter().map(item).collect(), namespace: "bench".into() };
            assert_eq!(batch, plain.encode_to_vec());
            assert_eq!(BatchHandOffRequest::decode(batch).expect("it is a request"), plain);
        }
    }
}
