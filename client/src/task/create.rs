//! Creates one task.
//!
//! Knows nothing of batches or of what happens to the task afterwards.

use baton_proto::v1;
use serde::Serialize;

use super::{OwnedTask, Task, task_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
    value::to_struct,
};

/// Creates a task. See [`Client::create_task`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct CreateTask {
    call: Call,
    request: v1::CreateTaskRequest,
}

impl CreateTask {
    /// The first owner, 1 to 256 bytes. It must be given.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.request.assigned_agent = agent.into();
        self
    }

    /// What is to be done, at most 16 KiB.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self
    }

    /// Free-form data: anything that serializes to a JSON object, at most 256 KiB and 32 levels deep.
    ///
    /// Numbers are 64-bit floats on the way: an integer beyond 2^53 is refused, not rounded.
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        self.request.metadata = self.call.accept(to_struct("metadata", metadata));
        self
    }

    request_id_setter!();
    deadline_setter!();

    /// Makes the call. On return the task is durable.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] if the id is taken; [`Error::Invalid`] with everything that is wrong with the request.
    pub async fn send(self) -> Result<Task, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::tasks(channel).create_task(request).await
            })
            .await?;
        promised(answer.task, "task").map(task_from_wire)
    }

    /// Makes the call and returns what the task's owner acts with.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    pub async fn owned(self) -> Result<OwnedTask, Error> {
        let client = self.call.client.clone();
        let task = self.send().await?;
        Ok(client.own(&task))
    }
}

awaitable!(CreateTask => Result<Task, Error>);

impl Client {
    /// Creates a task: pending, owned by the [`agent`](CreateTask::agent) at owner epoch 1. The id has 1 to 256 bytes and no control characters.
    ///
    /// ```no_run
    /// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
    /// let task = client
    ///     .create_task("refund-17")
    ///     .agent("triage")
    ///     .description("refund order 1142")
    ///     .metadata(serde_json::json!({"order": 1142}))
    ///     .await?;
    /// assert_eq!(task.owner_epoch, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_task(&self, task_id: impl Into<String>) -> CreateTask {
        let request = v1::CreateTaskRequest {
            namespace: self.namespace().to_owned(),
            task_id: task_id.into(),
            ..Default::default()
        };
        CreateTask { call: Call::new(self), request }
    }
}
