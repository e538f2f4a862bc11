//! What happened to a task.
//!
//! Knows nothing of how pages become a stream.

use baton_proto::v1;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{TaskStatus, from_wire::history_entry_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    page::{Page, listing},
    services,
    setters::{deadline_setter, page_setters},
    wire_enum::wire_enum,
};

/// One line of a task's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskHistoryEntry {
    /// The revision at which it happened.
    pub revision: u64,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: TaskHistoryType,
    /// The task's status after it.
    pub status: TaskStatus,
    /// The task's owner after it.
    pub assigned_agent: String,
    /// The owner epoch after it.
    pub owner_epoch: u64,
    /// The sender, for entries about hand-offs.
    pub from_agent: Option<String>,
    /// The receiver, for entries about hand-offs.
    pub to_agent: Option<String>,
    /// Why: the reason of a hand-off, or the outcome of a task that ended.
    pub reason: Option<String>,
    /// The hand-off, for entries about hand-offs.
    pub handoff_id: Option<String>,
    /// What the rules said against a rejected hand-off, or the error of a failed one, a line each.
    pub errors: Vec<String>,
}

wire_enum! {
    /// What an entry of a task's history tells.
    pub enum TaskHistoryType ("kind of history entry") is v1::TaskHistoryType {
        /// The task was created.
        Created = "created",
        /// Its owner began.
        Started = "started",
        /// Description, metadata or progress changed.
        Updated = "updated",
        /// It was completed.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was cancelled.
        Cancelled = "cancelled",
        /// A hand-off was initiated; nothing has moved yet.
        HandoffInitiated = "handoff_initiated",
        /// A hand-off was completed: the owner changed.
        HandoffCompleted = "handoff_completed",
        /// A hand-off could not be executed; nothing moved.
        HandoffFailed = "handoff_failed",
        /// The rules refused a hand-off; nothing moved.
        HandoffRejected = "handoff_rejected",
        /// An initiated hand-off was taken back; nothing moved.
        HandoffWithdrawn = "handoff_withdrawn",
    }
}

/// Gets what happened to a task. See [`Client::task_history`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct TaskHistory {
    call: Call,
    request: v1::GetTaskHistoryRequest,
}

impl TaskHistory {
    page_setters!();
    deadline_setter!();

    /// Gets one page.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such task.
    pub async fn send(self) -> Result<Page<TaskHistoryEntry>, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::tasks(channel).get_task_history(request).await
            })
            .await?;
        let entries = answer.entries.into_iter().map(history_entry_from_wire).collect();
        Ok(Page { dropped_count: answer.dropped_count, ..Page::new(entries, answer.next_page_token) })
    }
}

listing!(TaskHistory => TaskHistoryEntry);

impl Client {
    /// What happened to a task, oldest first: a page when awaited, all of it with [`stream`](TaskHistory::stream).
    ///
    /// Refused and failed hand-offs are part of it. The newest 10,000 entries are kept.
    pub fn task_history(&self, task_id: impl Into<String>) -> TaskHistory {
        let request = v1::GetTaskHistoryRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            ..Default::default()
        };
        TaskHistory { call: Call::new(self), request }
    }
}
