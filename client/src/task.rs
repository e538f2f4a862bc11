//! Tasks: what they are, and what can be asked about them.
//!
//! Knows nothing of the wire, which `task/from_wire.rs` reads, nor of how a call is made.

mod batch;
mod create;
mod finish;
mod from_wire;
mod history;
mod last_act;
mod list;
mod owned;
mod update;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use baton_proto::v1;

pub(crate) use self::from_wire::task_from_wire;
pub use self::{
    batch::{BatchCreateTasks, NewTask},
    create::CreateTask,
    finish::{CancelTask, CompleteTask, FailTask},
    history::{TaskHistory, TaskHistoryEntry, TaskHistoryType},
    last_act::{ExecuteOwned, FinishOwned, HandOffOwned, OwnerError},
    list::ListTasks,
    owned::OwnedTask,
    update::UpdateTask,
};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter},
    wire_enum::wire_enum,
};

/// One piece of work. At each moment exactly one agent may act on it: its owner.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// The tenant whose log holds the task.
    pub namespace: String,
    /// Chosen by the creator, unique in the namespace.
    pub task_id: String,
    /// What is to be done.
    pub description: String,
    /// Where the task stands in its life.
    pub status: TaskStatus,
    /// The owner.
    pub assigned_agent: String,
    /// When the task was created.
    pub created_at: DateTime<Utc>,
    /// When anything of the task last changed.
    pub updated_at: DateTime<Utc>,
    /// Free-form data of the task's users, a JSON object.
    pub metadata: Value,
    /// The revision of the event that last changed the task.
    pub revision: u64,
    /// The fencing token: 1 at creation, one more each time the owner changes.
    pub owner_epoch: u64,
    /// How many hand-offs of this task were completed.
    pub handoff_count: u32,
    /// The hand-off that was initiated and is not closed yet.
    pub open_handoff_id: Option<String>,
    /// How far the owner says it is.
    pub progress: Option<TaskProgress>,
    /// Why the task failed or was cancelled, or what its completion gave.
    pub outcome: Option<String>,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskProgress {
    /// From 0 to 100.
    pub percent: u32,
    /// What was last done, in a line.
    pub note: String,
}

wire_enum! {
    /// The life of a task: pending → in progress → completed, failed or cancelled. A hand-off makes it handed off, from where its new owner
    /// starts it again.
    pub enum TaskStatus ("task status") is v1::TaskStatus {
        /// Created, not begun.
        Pending = "pending",
        /// Its owner works on it.
        InProgress = "in_progress",
        /// Done. Final.
        Completed = "completed",
        /// Given up by its owner. Final.
        Failed = "failed",
        /// Handed to a new owner that has not begun yet.
        HandedOff = "handed_off",
        /// Called off. Final.
        Cancelled = "cancelled",
    }
}

impl TaskStatus {
    /// Whether the task has come to its end.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// Gets one task. See [`Client::get_task`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct GetTask {
    call: Call,
    request: v1::GetTaskRequest,
}

impl GetTask {
    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such task.
    pub async fn send(self) -> Result<Task, Error> {
        let answer =
            self.call
                .read(self.request, |channel, request| async move {
                    services::tasks(channel).get_task(request).await
                })
                .await?;
        promised(answer.task, "task").map(task_from_wire)
    }
}

awaitable!(GetTask => Result<Task, Error>);

impl Client {
    /// Gets a task as of the newest durable revision.
    pub fn get_task(&self, task_id: impl Into<String>) -> GetTask {
        let request = v1::GetTaskRequest { namespace: self.namespace().to_owned(), task_id: task_id.into() };
        GetTask { call: Call::new(self), request }
    }
}
