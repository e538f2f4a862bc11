//! One caller's hand-offs: its tasks go round a ring of its own agents, within the rules.
//!
//! Knows which hand-off comes next, not when it is sent or how long it takes.

use std::collections::VecDeque;

use baton_proto::v1::{
    BatchCreateTasksRequest, CreateTaskRequest, HandOffRequest, HandoffContext, UpdateAgentStateRequest,
    state_service_client::StateServiceClient, task_service_client::TaskServiceClient,
};
use prost_types::{Struct, Value, value::Kind};
use tonic::{Status, transport::Channel};

/// Agents in a ring: with four, no pair of them hands to one another more than twice in eight hand-offs, and the rule `ping_pong` allows four.
const RING_AGENTS: usize = 4;
/// Hand-offs of one task, below the 32 of the rule `too_many_handoffs`.
const HANDOFFS_PER_TASK: u64 = 30;
/// Tasks that a ring makes when it has run out.
const REFILL_TASKS: usize = 100;
/// Tasks in one BatchCreateTasks, as the contract bounds it.
const BATCH_TASKS_MAX: usize = 1_000;

/// The hand-offs of one caller.
pub(super) struct Ring {
    name: String,
    namespace: String,
    agents: [String; RING_AGENTS],
    ready: VecDeque<String>,
    made: usize,
    imagines: bool,
    sent: u64,
    // The task under way, and how often it was handed on.
    current: Option<(String, u64)>,
}

impl Ring {
    /// A ring without tasks. `name` must be new to the namespace: task, agent and request ids are made of it.
    pub(super) fn new(name: String, namespace: &str) -> Self {
        Self {
            agents: std::array::from_fn(|index| format!("{name}-agent-{index}")),
            name,
            namespace: namespace.to_owned(),
            ready: VecDeque::new(),
            made: 0,
            imagines: false,
            sent: 0,
            current: None,
        }
    }

    /// Makes tasks up from now on instead of creating them: for a server that keeps none.
    pub(super) fn imagine(&mut self) {
        self.imagines = true;
    }

    /// Creates `count` tasks of the ring's first agent.
    pub(super) async fn create(&mut self, count: usize, channel: &Channel) -> Result<(), Status> {
        let mut client = TaskServiceClient::new(channel.clone());
        let mut left = count;
        while left > 0 {
            let ids: Vec<String> = (0..left.min(BATCH_TASKS_MAX)).map(|_| self.name_task()).collect();
            left -= ids.len();
            let items = ids.iter().map(|id| self.creation(id)).collect();
            let request = BatchCreateTasksRequest { namespace: self.namespace.clone(), items };
            let results = client.batch_create_tasks(request).await?.into_inner().results;
            if let Some(error) = results.into_iter().find_map(|result| result.error) {
                return Err(Status::new(tonic::Code::from_i32(error.code), error.message));
            }
            self.ready.extend(ids);
        }
        Ok(())
    }

    /// Gives the first agent something to know, which every hand-off then carries along.
    pub(super) async fn seed_state(&self, channel: &Channel) -> Result<(), Status> {
        let fields = (0..4).map(|index| {
            let text = format!("what the agents of {} know about matter {index}", self.name);
            (format!("matter_{index}"), Value { kind: Some(Kind::StringValue(text)) })
        });
        let request = UpdateAgentStateRequest {
            namespace: self.namespace.clone(),
            agent_id: self.agents[0].clone(),
            state: Some(Struct { fields: fields.collect() }),
            ..Default::default()
        };
        StateServiceClient::new(channel.clone()).update_agent_state(request).await?;
        Ok(())
    }

    /// The next hand-off; `None` once all tasks have been round.
    fn next(&mut self) -> Option<HandOffRequest> {
        let (task, handed) = match self.current.take() {
            Some((task, handed)) if handed < HANDOFFS_PER_TASK => (task, handed),
            _ => (self.ready.pop_front()?, 0),
        };
        self.current = Some((task.clone(), handed + 1));
        self.sent += 1;
        let agent = |index: u64| self.agents[(index % RING_AGENTS as u64) as usize].clone();
        Some(HandOffRequest {
            namespace: self.namespace.clone(),
            request_id: format!("{}-{}", self.name, self.sent),
            task_id: task,
            from_agent: agent(handed),
            to_agent: agent(handed + 1),
            reason: "the next agent knows more about it".to_owned(),
            // Epoch 1 at creation, and one more with each hand-off.
            owner_epoch: Some(handed + 1),
            transfer: None,
            context: Some(HandoffContext {
                summary: "the customer was charged twice and wants the second charge back".to_owned(),
                completed: vec!["both charges found".to_owned()],
                remaining: vec!["refund the second charge".to_owned()],
                ..Default::default()
            }),
        })
    }

    /// The next hand-off; makes new tasks when they have run out.
    pub(super) async fn next_or_refill(&mut self, channel: &Channel) -> Result<HandOffRequest, Status> {
        if let Some(request) = self.next() {
            return Ok(request);
        }
        if self.imagines {
            let task = self.name_task();
            self.ready.push_back(task);
        } else {
            self.create(REFILL_TASKS, channel).await?;
        }
        self.next().ok_or_else(|| Status::internal("no task although some were just created"))
    }

    fn name_task(&mut self) -> String {
        self.made += 1;
        format!("{}-task-{}", self.name, self.made)
    }

    fn creation(&self, task_id: &str) -> CreateTaskRequest {
        CreateTaskRequest {
            request_id: task_id.to_owned(),
            task_id: task_id.to_owned(),
            description: "one of many tasks that go round a ring of agents".to_owned(),
            assigned_agent: self.agents[0].clone(),
            ..Default::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HANDOFFS_PER_TASK, Ring};

    #[test]
    fn each_hand_off_starts_where_the_last_one_of_its_task_ended() {
        let mut ring = Ring::new("r".into(), "bench");
        ring.ready.extend(["a", "b", "c"].map(str::to_owned));
        let (mut count, mut last): (u64, Option<baton_proto::v1::HandOffRequest>) = (0, None);
        while let Some(request) = ring.next() {
            assert_ne!(request.from_agent, request.to_agent);
            if let Some(last) = last.filter(|last| last.task_id == request.task_id) {
                assert_eq!(request.from_agent, last.to_agent);
                assert_eq!(request.owner_epoch, last.owner_epoch.map(|epoch| epoch + 1));
            } else {
                assert_eq!(request.owner_epoch, Some(1));
            }
            last = Some(request);
            count += 1;
        }
        assert_eq!(count, 3 * HANDOFFS_PER_TASK);
    }
}
