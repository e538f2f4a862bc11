//! Changes a task that goes on: starts it, tells its progress, describes it anew.
//!
//! Knows nothing of how a task ends.

use baton_proto::v1;
use serde::Serialize;

use super::{Task, task_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
    value::to_struct,
};

/// Changes a task; all in one event. What is not given stays. See [`Client::update_task`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct UpdateTask {
    call: Call,
    request: v1::UpdateTaskRequest,
}

impl UpdateTask {
    /// Makes a pending or handed-off task in progress.
    pub fn start(mut self) -> Self {
        self.request.start = true;
        self
    }

    /// How far the task is, from 0 to 100, and what was last done, in a line of at most 4 KiB.
    pub fn progress(mut self, percent: u32, note: impl Into<String>) -> Self {
        self.request.progress = Some(v1::TaskProgress { percent, note: note.into() });
        self
    }

    /// The new description, at most 16 KiB.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = Some(description.into());
        self
    }

    /// The new metadata, which replaces all of it: anything that serializes to a JSON object, at most 256 KiB and 32 levels deep.
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.request.metadata = self.call.accept(to_struct("metadata", metadata));
        self
    }

    /// Acts only if the task is still at the revision that the caller saw.
    pub fn expected_revision(mut self, revision: u64) -> Self {
        self.request.expected_revision = Some(revision);
        self
    }

    /// Acts only if this agent owns the task.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.request.agent_id = agent.into();
        self
    }

    /// Acts only if this is the task's present owner epoch. An [`OwnedTask`](super::OwnedTask) always says so.
    pub fn owner_epoch(mut self, epoch: u64) -> Self {
        self.request.owner_epoch = Some(epoch);
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the change is durable.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::WrongTaskStatus`] if the task is finished or cannot be started from where it is, [`Error::NotOwner`],
    /// [`Error::StaleOwner`], [`Error::RevisionMismatch`].
    pub async fn send(self) -> Result<Task, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::tasks(channel).update_task(request).await
            })
            .await?;
        promised(answer.task, "task").map(task_from_wire)
    }
}

awaitable!(UpdateTask => Result<Task, Error>);

impl Client {
    /// Changes a task that is not finished.
    pub fn update_task(&self, task_id: impl Into<String>) -> UpdateTask {
        let request = v1::UpdateTaskRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            ..Default::default()
        };
        UpdateTask { call: Call::new(self), request }
    }
}
