//! A caller that makes one task, or many at once, and hands them on many times, whatever the log does.
//!
//! Each of its requests keeps its id until it is answered. Knows nothing of which faults there are.

use baton_proto::v1::{self, ErrorReason};
use tonic::Status;

use crate::harness::{Clients, Refused, create, hand_off};

/// The agents that a task goes round.
const AGENTS: [&str; 4] = ["triage", "billing", "legal", "person"];

/// One caller and its tasks.
pub(super) struct Writer {
    pub(super) task_ids: Vec<String>,
    /// The completed hand-offs, as answered: all tasks in turn, again and again.
    pub(super) answered: Vec<v1::Handoff>,
    created: bool,
    /// How often it hands each task on.
    wanted: usize,
    /// How often the log was full.
    pub(super) full: usize,
    /// How often a call came to nothing, or nobody knows.
    pub(super) broken_off: usize,
}

impl Writer {
    /// With one task it makes single calls, with more of them batches.
    pub(super) fn new(index: usize, tasks: usize, wanted: usize) -> Self {
        let task_ids = (0..tasks).map(|task| format!("task-{index}-{task}")).collect();
        Self { task_ids, answered: Vec::new(), created: false, wanted, full: 0, broken_off: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.created && self.answered.len() == self.wanted * self.task_ids.len()
    }

    /// Works until it is done or the server is gone.
    pub(super) async fn work(mut self, mut clients: Clients) -> Self {
        while !self.is_done() {
            let Err(refused) = self.step(&mut clients).await else { continue };
            match refused {
                Some(ErrorReason::LogFull) => self.full += 1,
                Some(ErrorReason::LogUnavailable) => self.broken_off += 1,
                Some(ErrorReason::ShuttingDown) | None => break,
                Some(other) => panic!("a failing log is no reason for {other:?}"),
            }
        }
        self
    }

    /// One call. If it is refused: why; `None`: there is no server.
    async fn step(&mut self, clients: &mut Clients) -> Result<(), Option<ErrorReason>> {
        match (self.task_ids.len(), self.created) {
            (1, false) => _ = clients.create(self.creations().remove(0)).await.map_err(reason)?,
            (1, true) => {
                let (handoff, _) = clients.hand_off(self.hand_offs().remove(0)).await.map_err(reason)?;
                self.answered.push(handoff);
            }
            (_, false) => {
                let batch = v1::BatchCreateTasksRequest { items: self.creations(), namespace: String::new() };
                let results =
                    clients.tasks.batch_create_tasks(batch).await.map_err(reason)?.into_inner().results;
                none_refused(results.iter().map(|result| result.error.as_ref()))?;
            }
            (_, true) => {
                let batch = v1::BatchHandOffRequest { items: self.hand_offs(), namespace: String::new() };
                let results =
                    clients.handoffs.batch_hand_off(batch).await.map_err(reason)?.into_inner().results;
                none_refused(results.iter().map(|result| result.error.as_ref()))?;
                self.answered.extend(results.into_iter().filter_map(|result| result.handoff));
            }
        }
        self.created = true;
        Ok(())
    }

    fn creations(&self) -> Vec<v1::CreateTaskRequest> {
        self.task_ids.iter().map(|task_id| create("", task_id, AGENTS[0])).collect()
    }

    fn hand_offs(&self) -> Vec<v1::HandOffRequest> {
        let count = self.answered.len() / self.task_ids.len();
        let request = |task_id: &String| v1::HandOffRequest {
            request_id: format!("{task_id}-{count}"),
            owner_epoch: Some(count as u64 + 1),
            ..hand_off("", task_id, AGENTS[count % 4], AGENTS[(count + 1) % 4])
        };
        self.task_ids.iter().map(request).collect()
    }
}

/// Why the server refused; `None`: there is no server.
fn reason(status: Status) -> Option<ErrorReason> {
    let refused = Refused::from(status);
    refused.details.error_info().is_some().then(|| {
        assert!(refused.details.retry_info().is_some(), "no RetryInfo: {refused:?}");
        refused.reason()
    })
}

/// The items of a batch are committed together, so the first that is refused tells of all.
fn none_refused<'a>(
    errors: impl Iterator<Item = Option<&'a v1::ItemError>>,
) -> Result<(), Option<ErrorReason>> {
    let errors: Vec<_> = errors.collect();
    let Some(first) = errors[0] else {
        assert!(errors.iter().all(Option::is_none), "a batch was committed in part");
        return Ok(());
    };
    assert!(errors.iter().all(|error| error.is_some_and(|error| error.reason == first.reason)));
    Err(ErrorReason::from_str_name(&format!("ERROR_REASON_{}", first.reason)))
}
