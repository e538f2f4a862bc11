//! A caller that makes one task and hands it on many times, whatever the log does.
//!
//! Each of its calls keeps its request id until it is answered. Knows nothing of which faults there are.

use baton_proto::v1::{self, ErrorReason};
use tonic::Status;

use crate::harness::{Clients, Refused, create, hand_off};

/// The agents that a task goes round.
const AGENTS: [&str; 4] = ["triage", "billing", "legal", "person"];

/// One caller and its task.
pub(super) struct Writer {
    pub(super) task_id: String,
    /// The completed hand-offs, as answered.
    pub(super) answered: Vec<v1::Handoff>,
    created: bool,
    wanted: usize,
    /// How often the log was full.
    pub(super) full: usize,
    /// How often a call came to nothing, or nobody knows.
    pub(super) broken_off: usize,
}

impl Writer {
    pub(super) fn new(index: usize, wanted: usize) -> Self {
        let task_id = format!("task-{index}");
        Self { task_id, answered: Vec::new(), created: false, wanted, full: 0, broken_off: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.created && self.answered.len() == self.wanted
    }

    /// Works until it is done or the server is gone.
    pub(super) async fn work(mut self, mut clients: Clients) -> Self {
        while !self.is_done() {
            let Err(status) = self.step(&mut clients).await else { continue };
            match Self::reason(status) {
                Some(ErrorReason::LogFull) => self.full += 1,
                Some(ErrorReason::LogUnavailable) => self.broken_off += 1,
                Some(ErrorReason::ShuttingDown) | None => break,
                Some(other) => panic!("a failing log is no reason for {other:?}"),
            }
        }
        self
    }

    /// Why the server refused; `None`: there is no server.
    fn reason(status: Status) -> Option<ErrorReason> {
        let refused = Refused::from(status);
        refused.details.error_info().is_some().then(|| {
            assert!(refused.details.retry_info().is_some(), "no RetryInfo: {refused:?}");
            refused.reason()
        })
    }

    async fn step(&mut self, clients: &mut Clients) -> Result<(), Status> {
        if !self.created {
            clients.create(create("", &self.task_id, AGENTS[0])).await?;
            self.created = true;
            return Ok(());
        }
        let count = self.answered.len();
        let request = v1::HandOffRequest {
            request_id: format!("{}-{count}", self.task_id),
            owner_epoch: Some(count as u64 + 1),
            ..hand_off("", &self.task_id, AGENTS[count % 4], AGENTS[(count + 1) % 4])
        };
        let (handoff, _) = clients.hand_off(request).await?;
        self.answered.push(handoff);
        Ok(())
    }
}
