//! A writer that does whatever callers do, chosen by chance: most of it right, some of it refused.
//!
//! A call that was broken off is asked again in the server's next life. Knows nothing of watches.

use baton_proto::v1;
use tokio::sync::watch;

use super::{asks::Ask, truth::Answer};
use crate::harness::{Clients, context, create, hand_off, object, start, state};

/// The agents that tasks go round.
pub(super) const AGENTS: [&str; 6] = ["triage", "billing", "legal", "engineering", "person", "archive"];
/// Tasks of a namespace that writers share.
pub(super) const TASKS: usize = 24;

/// One writer.
pub(super) struct Writer {
    namespace: &'static str,
    index: usize,
    random: fastrand::Rng,
    calls: u64,
    /// The tasks as it last heard of them.
    known: Vec<v1::Task>,
    /// The call whose outcome it does not know.
    unknown: Option<Ask>,
    pub(super) answers: Vec<Answer>,
}

/// The id of one of the shared tasks.
pub(super) fn task_id(number: usize) -> String {
    format!("task-{number}")
}

impl Writer {
    pub(super) fn new(namespace: &'static str, index: usize, random: fastrand::Rng) -> Self {
        let (known, answers) = (Vec::new(), Vec::new());
        Self { namespace, index, random, calls: 0, known, unknown: None, answers }
    }

    pub(super) fn index(&self) -> usize {
        self.index
    }

    pub(super) fn namespace(&self) -> &'static str {
        self.namespace
    }

    /// Makes `calls` calls, or as many as it can before the server is gone. Each answer is counted in `answered`.
    pub(super) async fn work(
        mut self,
        mut clients: Clients,
        calls: u64,
        answered: watch::Sender<u64>,
    ) -> Self {
        for _ in 0..calls {
            let ask = match self.unknown.take() {
                Some(ask) => ask,
                None => self.next(),
            };
            self.unknown = Some(ask.clone());
            let Ok(answers) = ask.send(&mut clients).await else { break };
            self.unknown = None;
            answers.iter().for_each(|answer| self.learn(answer));
            self.answers.extend(answers);
            answered.send_modify(|count| *count += 1);
        }
        self
    }

    fn learn(&mut self, answer: &Answer) {
        let (Answer::Task(task) | Answer::Handoff(_, Some(task))) = answer else { return };
        match self.known.iter_mut().find(|known| known.task_id == task.task_id) {
            Some(known) if known.revision < task.revision => *known = (**task).clone(),
            Some(_) => {}
            None => self.known.push((**task).clone()),
        }
    }

    fn agent(&mut self) -> &'static str {
        AGENTS[self.random.usize(0..AGENTS.len())]
    }

    fn other_than(&mut self, agent: &str) -> &'static str {
        let others: Vec<&'static str> = AGENTS.into_iter().filter(|other| *other != agent).collect();
        others[self.random.usize(0..others.len())]
    }

    fn next(&mut self) -> Ask {
        self.calls += 1;
        let request_id = format!("w{}-{}", self.index, self.calls);
        let Some(task) = self.random.choice(&self.known).cloned() else { return self.create(request_id) };
        match self.random.u32(0..100) {
            0..9 => self.create(request_id),
            9..40 => Ask::HandOff(self.hand_off(request_id, &task)),
            40..46 => Ask::HandOff(self.mistaken(request_id, &task)),
            46..51 => self.batch(request_id),
            51..72 => self.in_two_steps(request_id, &task),
            72..84 => Ask::Update(self.update(request_id, &task)),
            84..88 => self.end(request_id, &task),
            88..98 => self.state(request_id),
            _ => self.switch(request_id),
        }
    }

    fn create(&mut self, request_id: String) -> Ask {
        let first = self.random.usize(0..TASKS);
        let agent = self.agent();
        let namespace = self.namespace;
        let task = |number: usize, request_id: String| v1::CreateTaskRequest {
            request_id,
            metadata: Some(object([("number", number.to_string())])),
            ..create(namespace, &task_id(number % TASKS), agent)
        };
        if self.random.bool() {
            return Ask::Create(task(first, request_id));
        }
        let items = (first..first + 3).map(|number| task(number, format!("{request_id}-{number}"))).collect();
        Ask::CreateBatch(v1::BatchCreateTasksRequest { items, namespace: namespace.into() })
    }

    fn hand_off(&mut self, request_id: String, task: &v1::Task) -> v1::HandOffRequest {
        let to = self.other_than(&task.assigned_agent);
        let long = self.random.u32(0..3) == 0;
        v1::HandOffRequest {
            request_id,
            owner_epoch: self.random.bool().then_some(task.owner_epoch),
            transfer: Some(self.transfer()),
            // Long enough that a watcher that does not read is felt.
            context: long.then(|| v1::HandoffContext { summary: "so it is ".repeat(200), ..context() }),
            ..hand_off(self.namespace, &task.task_id, &task.assigned_agent, to)
        }
    }

    fn transfer(&mut self) -> v1::TransferSpec {
        let scopes = [v1::TransferScope::All, v1::TransferScope::All, v1::TransferScope::None];
        let policies = [v1::ConflictPolicy::Overwrite, v1::ConflictPolicy::Keep, v1::ConflictPolicy::Fail];
        let scope = scopes[self.random.usize(0..3)];
        let policy = policies[self.random.usize(0..3)];
        v1::TransferSpec { scope: scope.into(), keys: Vec::new(), on_conflict: policy.into() }
    }

    /// A hand-off that is refused, and recorded as such.
    fn mistaken(&mut self, request_id: String, task: &v1::Task) -> v1::HandOffRequest {
        let asked = self.hand_off(request_id, task);
        match self.random.u32(0..4) {
            0 => v1::HandOffRequest { to_agent: asked.from_agent.clone(), ..asked },
            1 => v1::HandOffRequest { from_agent: self.other_than(&asked.from_agent).into(), ..asked },
            2 => v1::HandOffRequest { owner_epoch: Some(task.owner_epoch + 7), ..asked },
            _ => v1::HandOffRequest { reason: String::new(), ..asked },
        }
    }

    fn batch(&mut self, request_id: String) -> Ask {
        let tasks: Vec<_> = (0..4).filter_map(|_| self.random.choice(&self.known).cloned()).collect();
        let items = tasks.iter().enumerate();
        let items = items.map(|(item, task)| self.hand_off(format!("{request_id}-{item}"), task)).collect();
        Ask::HandOffBatch(v1::BatchHandOffRequest { items, namespace: self.namespace.into() })
    }

    /// Initiates a hand-off, or closes the one that is open.
    fn in_two_steps(&mut self, request_id: String, task: &v1::Task) -> Ask {
        let namespace = self.namespace.to_owned();
        let handoff_id = task.open_handoff_id.clone();
        if handoff_id.is_empty() {
            let v1::HandOffRequest { task_id, from_agent, to_agent, reason, transfer, .. } =
                self.hand_off(String::new(), task);
            return Ask::Initiate(v1::InitiateHandoffRequest {
                namespace,
                request_id,
                task_id,
                from_agent,
                to_agent,
                reason,
                transfer,
                ..Default::default()
            });
        }
        if self.random.u32(0..3) == 0 {
            let reason = "not now".to_owned();
            let owner_epoch = None;
            return Ask::Withdraw(v1::WithdrawHandoffRequest {
                namespace,
                request_id,
                handoff_id,
                owner_epoch,
                reason,
            });
        }
        Ask::Execute(v1::ExecuteHandoffRequest { namespace, request_id, handoff_id, owner_epoch: None })
    }

    fn update(&mut self, request_id: String, task: &v1::Task) -> v1::UpdateTaskRequest {
        let asked = v1::UpdateTaskRequest { request_id, ..start(self.namespace, &task.task_id) };
        if self.random.bool() {
            return asked;
        }
        let progress = v1::TaskProgress { percent: self.random.u32(0..=100), note: "further".into() };
        v1::UpdateTaskRequest { start: false, progress: Some(progress), ..asked }
    }

    fn end(&mut self, request_id: String, task: &v1::Task) -> Ask {
        let (namespace, task_id) = (self.namespace.to_owned(), task.task_id.clone());
        let (agent_id, owner_epoch, outcome) = (String::new(), None, "so it ends".to_owned());
        match self.random.u32(0..3) {
            0 => Ask::Complete(v1::CompleteTaskRequest {
                namespace,
                request_id,
                task_id,
                agent_id,
                owner_epoch,
                outcome,
            }),
            1 => Ask::Fail(v1::FailTaskRequest {
                namespace,
                request_id,
                task_id,
                agent_id,
                owner_epoch,
                outcome,
            }),
            _ => Ask::Cancel(v1::CancelTaskRequest {
                namespace,
                request_id,
                task_id,
                agent_id,
                owner_epoch,
                outcome,
            }),
        }
    }

    fn state(&mut self, request_id: String) -> Ask {
        let agent = self.agent();
        if self.random.u32(0..4) > 0 {
            let (key, value) = (format!("key-{}", self.random.u32(0..3)), self.random.u32(0..3).to_string());
            let update = state(self.namespace, agent, &[(&key, &value)]);
            return Ask::State(v1::UpdateAgentStateRequest { request_id, ..update });
        }
        Ask::Transfer(v1::TransferStateRequest {
            namespace: self.namespace.into(),
            request_id,
            from_agent: agent.into(),
            to_agent: self.other_than(agent).into(),
            transfer: None,
        })
    }

    fn switch(&mut self, request_id: String) -> Ask {
        let (namespace, name) = (self.namespace.to_owned(), "empty_reason".to_owned());
        if self.random.bool() {
            return Ask::RuleOff(v1::RemoveValidationRuleRequest { namespace, request_id, name });
        }
        let rule = Some(v1::ValidationRule { name, ..Default::default() });
        Ask::RuleOn(v1::AddValidationRuleRequest { namespace, request_id, rule })
    }
}
