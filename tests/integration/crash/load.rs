//! Callers that create tasks, hand them on, write progress and state, and compete for tasks that they share.
//!
//! Every call has a request id, and a caller whose call was broken off keeps it to ask again. Knows nothing of kills.

use baton_proto::v1;
use tonic::{Code, Status};

use super::ledger::Answer;
use crate::harness::{Clients, Refused, create, hand_off, state};

/// Hand-offs of a task before a new one is begun: fewer than the rules allow.
const HANDOFFS_PER_TASK: u64 = 20;
/// The agents that tasks go round: enough of them for no ping-pong.
const AGENTS: [&str; 5] = ["triage", "billing", "legal", "engineering", "person"];

/// A call, as it is asked and asked again.
#[derive(Clone, Debug)]
enum Ask {
    Create(v1::CreateTaskRequest),
    HandOff(v1::HandOffRequest),
    Progress(v1::UpdateTaskRequest),
    State(v1::UpdateAgentStateRequest, u64),
}

/// One caller.
pub(super) struct Worker {
    index: usize,
    namespace: &'static str,
    random: fastrand::Rng,
    /// How many calls it has made: its request ids.
    calls: u64,
    /// How often it has written its agent's state.
    writes: u64,
    /// The task that it alone works on, as it last saw it.
    task: Option<v1::Task>,
    tasks: u64,
    /// The call whose outcome it does not know.
    unknown: Option<Ask>,
}

impl Worker {
    pub(super) fn new(index: usize, namespace: &'static str, random: fastrand::Rng) -> Self {
        Self { index, namespace, random, calls: 0, writes: 0, task: None, tasks: 0, unknown: None }
    }

    /// Works until the server is gone, and gives back what was answered.
    pub(super) async fn work(mut self, mut clients: Clients) -> (Self, Vec<Answer>) {
        let mut answers = Vec::new();
        while let Ok(ask) = self.next(&mut clients).await {
            self.unknown = Some(ask.clone());
            let Ok(answer) = self.ask(&mut clients, ask).await else { break };
            self.unknown = None;
            self.learn(&answer);
            answers.push(answer);
        }
        (self, answers)
    }

    /// Asks once more for what was broken off, if something was.
    pub(super) async fn ask_again(&mut self, clients: &mut Clients) -> Option<Answer> {
        let ask = self.unknown.take()?;
        let answer = self.ask(clients, ask.clone()).await;
        let answer = answer.unwrap_or_else(|status| panic!("{ask:?} has no outcome even now: {status}"));
        self.learn(&answer);
        Some(answer)
    }

    /// What to do next. An error: the server is gone.
    async fn next(&mut self, clients: &mut Clients) -> Result<Ask, Status> {
        self.calls += 1;
        let request_id = format!("w{}-{}", self.index, self.calls);
        let namespace = self.namespace;
        match self.random.u32(0..20) {
            0..3 => {
                self.writes += 1;
                let (agent, count) = (format!("writer-{}", self.index), self.writes.to_string());
                let update = state(namespace, &agent, &[("count", &count)]);
                Ok(Ask::State(v1::UpdateAgentStateRequest { request_id, ..update }, self.writes))
            }
            3..6 => self.contend(clients, request_id).await,
            choice => Ok(match self.task.clone() {
                Some(task) if task.handoff_count < HANDOFFS_PER_TASK as u32 && choice < 9 => {
                    Ask::Progress(v1::UpdateTaskRequest {
                        namespace: namespace.into(),
                        request_id,
                        task_id: task.task_id,
                        owner_epoch: Some(task.owner_epoch),
                        progress: Some(v1::TaskProgress {
                            percent: self.random.u32(0..=100),
                            note: String::new(),
                        }),
                        ..Default::default()
                    })
                }
                Some(task) if task.handoff_count < HANDOFFS_PER_TASK as u32 => {
                    Ask::HandOff(passed_on(namespace, request_id, &task))
                }
                _ => {
                    self.tasks += 1;
                    let task_id = format!("w{}-task-{}", self.index, self.tasks);
                    Ask::Create(v1::CreateTaskRequest {
                        request_id,
                        ..create(namespace, &task_id, AGENTS[0])
                    })
                }
            }),
        }
    }

    /// A hand-off of a task that the others of the namespace hand on as well: whoever comes late is refused.
    async fn contend(&mut self, clients: &mut Clients, request_id: String) -> Result<Ask, Status> {
        // Shared tasks are used up one after the other, at a pace that the workers' own tasks set.
        let task_id = format!("shared-{}", self.tasks / 2);
        match clients.task(self.namespace, &task_id).await {
            Ok(task) => Ok(Ask::HandOff(passed_on(self.namespace, request_id, &task))),
            Err(status) if status.code() == Code::NotFound => Ok(Ask::Create(v1::CreateTaskRequest {
                request_id,
                ..create(self.namespace, &task_id, AGENTS[0])
            })),
            Err(status) => Err(status),
        }
    }

    /// An error: the outcome is unknown.
    async fn ask(&self, clients: &mut Clients, ask: Ask) -> Result<Answer, Status> {
        let namespace = self.namespace;
        match ask {
            Ask::Create(request) => match clients.create(request.clone()).await {
                Ok(task) => Ok(Answer::Task { namespace, task: Box::new(task) }),
                // Another worker was first to make a shared task.
                Err(status) if status.code() == Code::AlreadyExists => {
                    let task = clients.task(namespace, &request.task_id).await?;
                    Ok(Answer::Task { namespace, task: Box::new(task) })
                }
                Err(status) => Err(status),
            },
            Ask::HandOff(request) => match clients.hand_off(request.clone()).await {
                Ok((handoff, task)) => {
                    let (handoff, task) = (Box::new(handoff), Box::new(task));
                    Ok(Answer::Completed { namespace, handoff, task })
                }
                Err(status) if status.code() == Code::FailedPrecondition => {
                    let handoff_id = Refused::from(status).value("handoff_id").to_owned();
                    Ok(Answer::Rejected { namespace, handoff_id, task_id: request.task_id })
                }
                Err(status) => Err(status),
            },
            Ask::Progress(request) => {
                let answer = clients.tasks.update_task(request).await?.into_inner();
                Ok(Answer::Task { namespace, task: Box::new(answer.task.expect("the task is given")) })
            }
            Ask::State(request, count) => {
                let agent_id = request.agent_id.clone();
                let answer = clients.states.update_agent_state(request).await?.into_inner();
                let revision = answer.agent_state.expect("a receipt is given").revision;
                Ok(Answer::State { namespace, agent_id, count, revision })
            }
        }
    }

    fn learn(&mut self, answer: &Answer) {
        let (Answer::Task { task, .. } | Answer::Completed { task, .. }) = answer else { return };
        if !task.task_id.starts_with("shared") {
            self.task = Some((**task).clone());
        }
    }
}

/// The task handed to the next agent of the round, with the epoch that its caller saw. The state stays: writers own theirs.
fn passed_on(namespace: &str, request_id: String, task: &v1::Task) -> v1::HandOffRequest {
    let present =
        AGENTS.iter().position(|agent| *agent == task.assigned_agent).expect("tasks stay in the round");
    let to = AGENTS[(present + 1) % AGENTS.len()];
    v1::HandOffRequest {
        request_id,
        owner_epoch: Some(task.owner_epoch),
        ..hand_off(namespace, &task.task_id, &task.assigned_agent, to)
    }
}
