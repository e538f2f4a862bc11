//! Creates many tasks in one call.
//!
//! Knows nothing of how the server makes them durable together.

use baton_proto::v1;
use serde::Serialize;

use super::{Task, task_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::{Error, FieldViolation, from_item},
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter},
    value::to_struct,
};

/// One task of a batch.
#[derive(Clone, Debug)]
pub struct NewTask {
    request: v1::CreateTaskRequest,
    invalid: Option<FieldViolation>,
}

impl NewTask {
    /// A task with this id, owned by this agent; both 1 to 256 bytes.
    #[must_use]
    pub fn new(task_id: impl Into<String>, agent: impl Into<String>) -> Self {
        let request = v1::CreateTaskRequest {
            task_id: task_id.into(),
            assigned_agent: agent.into(),
            ..Default::default()
        };
        Self { request, invalid: None }
    }

    /// What is to be done, at most 16 KiB.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.request.description = description.into();
        self
    }

    /// Free-form data: anything that serializes to a JSON object, at most 256 KiB and 32 levels deep.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Serialize) -> Self {
        match to_struct("metadata", metadata) {
            Ok(metadata) => self.request.metadata = Some(metadata),
            Err(violation) => self.invalid = Some(violation),
        }
        self
    }

    /// Sends this request id for the task instead of a random one.
    #[must_use]
    pub fn request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request.request_id = request_id.into();
        self
    }
}

/// Creates several tasks. See [`Client::batch_create_tasks`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct BatchCreateTasks {
    call: Call,
    request: v1::BatchCreateTasksRequest,
}

impl BatchCreateTasks {
    deadline_setter!();

    /// Makes the call. On return, all tasks that were created are durable.
    ///
    /// Gives one result for each task, in the order of the request.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the batch as a whole is; what is wrong with one task is in its result.
    pub async fn send(self) -> Result<Vec<Result<Task, Error>>, Error> {
        let answer = self
            .call
            .mutate(self.request, |channel, request| async move {
                services::tasks(channel).batch_create_tasks(request).await
            })
            .await?;
        Ok(answer.results.into_iter().map(result_from_wire).collect())
    }
}

awaitable!(BatchCreateTasks => Result<Vec<Result<Task, Error>>, Error>);

fn result_from_wire(result: v1::CreateTaskResult) -> Result<Task, Error> {
    match result.error {
        Some(error) => Err(from_item(error)),
        None => promised(result.task, "results.task").map(task_from_wire),
    }
}

impl Client {
    /// Creates 1 to 1,000 tasks, each on its own: one may fail while the others succeed.
    pub fn batch_create_tasks(&self, tasks: impl IntoIterator<Item = NewTask>) -> BatchCreateTasks {
        let mut call = Call::new(self);
        let mut items = Vec::new();
        for (index, task) in tasks.into_iter().enumerate() {
            let at_index = |wrong: FieldViolation| {
                FieldViolation::new(format!("items[{index}].{}", wrong.field), wrong.description)
            };
            call.invalid.extend(task.invalid.map(at_index));
            items.push(task.request);
        }
        let request = v1::BatchCreateTasksRequest { items, namespace: self.namespace().to_owned() };
        BatchCreateTasks { call, request }
    }
}
