//! The hand-offs of one caller: its tasks go round a ring of its own agents, within the rules that a namespace has by default.
//!
//! Knows which hand-off comes next, not who answers it or how long that takes.

use std::collections::VecDeque;

use baton_proto::v1::{CreateTaskRequest, HandOffRequest, HandoffContext};
use prost_types::{Struct, Value, value::Kind};

/// Agents in a ring: with four, no pair of them hands to one another more than twice in eight hand-offs, and the rule `ping_pong` allows four.
pub(crate) const RING_AGENTS: u64 = 4;
/// Hand-offs of one task, below the 32 of the rule `too_many_handoffs`.
pub(crate) const HANDOFFS_PER_TASK: u64 = 30;

/// The hand-offs of one caller.
pub(crate) struct Ring {
    name: String,
    namespace: String,
    handoffs_per_task: u64,
    waiting: VecDeque<String>,
    named: usize,
    sent: u64,
    // The task under way, and how often it was handed on.
    current: Option<(String, u64)>,
}

impl Ring {
    /// A ring without tasks, each of which will be handed on `handoffs_per_task` times. `name` must be new to the namespace: task,
    /// agent and request ids are made of it.
    pub(crate) fn new(name: String, namespace: &str, handoffs_per_task: u64) -> Self {
        Self {
            name,
            namespace: namespace.to_owned(),
            handoffs_per_task,
            waiting: VecDeque::new(),
            named: 0,
            sent: 0,
            current: None,
        }
    }

    /// Its namespace.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The agent at this place of the ring; places repeat.
    pub(crate) fn agent(&self, place: u64) -> String {
        format!("{}-agent-{}", self.name, place % RING_AGENTS)
    }

    /// Hand-offs that its tasks allow before it needs more of them.
    pub(crate) fn left(&self) -> u64 {
        let current = self.current.as_ref().map_or(0, |(_, handed)| self.handoffs_per_task - handed);
        current + self.waiting.len() as u64 * self.handoffs_per_task
    }

    /// Names `count` new tasks of its first agent. They must be created, and then put in with [`Ring::put`].
    pub(crate) fn name_tasks(&mut self, count: usize) -> Vec<CreateTaskRequest> {
        (0..count)
            .map(|_| {
                self.named += 1;
                let task_id = format!("{}-task-{}", self.name, self.named);
                creation(task_id, self.agent(0))
            })
            .collect()
    }

    /// Puts in a task of its first agent that was created.
    pub(crate) fn put(&mut self, task_id: String) {
        self.waiting.push_back(task_id);
    }

    /// The next hand-off; `None` once all tasks have been round.
    pub(crate) fn next(&mut self) -> Option<HandOffRequest> {
        let (task, handed) = match self.current.take() {
            Some((task, handed)) if handed < self.handoffs_per_task => (task, handed),
            _ => (self.waiting.pop_front()?, 0),
        };
        self.current = Some((task.clone(), handed + 1));
        self.sent += 1;
        let request_id = format!("{}-{}", self.name, self.sent);
        Some(handoff(&self.namespace, request_id, task, [self.agent(handed), self.agent(handed + 1)], handed))
    }
}

/// A task to be created; its request id is its own.
pub(crate) fn creation(task_id: String, agent: String) -> CreateTaskRequest {
    CreateTaskRequest {
        request_id: task_id.clone(),
        task_id,
        description: "one of many tasks that go round a ring of agents".to_owned(),
        assigned_agent: agent,
        ..Default::default()
    }
}

/// A hand-off as all benchmarks send it, of a task that was handed on `handed` times before.
pub(crate) fn handoff(
    namespace: &str,
    request_id: String,
    task_id: String,
    [from_agent, to_agent]: [String; 2],
    handed: u64,
) -> HandOffRequest {
    HandOffRequest {
        namespace: namespace.to_owned(),
        request_id,
        task_id,
        from_agent,
        to_agent,
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
    }
}

/// What the first agent of a ring knows, and every hand-off then carries along: about 300 bytes.
pub(crate) fn state_of_agent(name: &str) -> Struct {
    let fields = (0..4).map(|index| {
        let text = format!("what the agents of {name} know about matter {index}");
        (format!("matter_{index}"), Value { kind: Some(Kind::StringValue(text)) })
    });
    Struct { fields: fields.collect() }
}

#[cfg(test)]
mod tests {
    use super::{HANDOFFS_PER_TASK, HandOffRequest, Ring};

    #[test]
    fn each_hand_off_starts_where_the_last_one_of_its_task_ended() {
        let mut ring = Ring::new("r".into(), "bench", HANDOFFS_PER_TASK);
        for task in ["a", "b", "c"] {
            ring.put(task.to_owned());
        }
        assert_eq!(ring.left(), 3 * HANDOFFS_PER_TASK);
        let (mut count, mut last): (u64, Option<HandOffRequest>) = (0, None);
        while let Some(request) = ring.next() {
            assert_ne!(request.from_agent, request.to_agent);
            if let Some(last) = last.filter(|last| last.task_id == request.task_id) {
                assert_eq!(request.from_agent, last.to_agent);
                assert_eq!(request.owner_epoch, last.owner_epoch.map(|epoch| epoch + 1));
            } else {
                assert_eq!((request.from_agent.clone(), request.owner_epoch), (ring.agent(0), Some(1)));
            }
            last = Some(request);
            count += 1;
            assert_eq!(ring.left(), 3 * HANDOFFS_PER_TASK - count);
        }
        assert_eq!(count, 3 * HANDOFFS_PER_TASK);
    }
}
