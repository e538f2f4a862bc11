//! Ends a task: completes, fails or cancels it.
//!
//! Knows nothing of owners' handles, which send the same calls with their epoch.

use baton_proto::v1;

use super::{Task, task_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    from_wire::promised,
    services,
    setters::{awaitable, deadline_setter, request_id_setter},
};

/// Declares one way to end a task: the three differ in nothing but their names.
macro_rules! ending {
    ($(#[$attribute:meta])* $builder:ident, $request:ident, $rpc:ident, $errors:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        #[must_use = "a call is made when it is awaited"]
        pub struct $builder {
            call: Call,
            request: v1::$request,
        }

        impl $builder {
            fn new(client: &Client, task_id: String) -> Self {
                let namespace = client.namespace().to_owned();
                let request = v1::$request { namespace, task_id, ..Default::default() };
                Self { call: Call::new(client), request }
            }

            /// Why it ended, or what came of it; at most 4 KiB.
            pub fn outcome(mut self, outcome: impl Into<String>) -> Self {
                self.request.outcome = outcome.into();
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

            /// Makes the call. On return the end is durable.
            ///
            /// # Errors
            #[doc = $errors]
            pub async fn send(self) -> Result<Task, Error> {
                let answer = self
                    .call
                    .mutate(self.request, |channel, request| async move {
                        services::tasks(channel).$rpc(request).await
                    })
                    .await?;
                promised(answer.task, "task").map(task_from_wire)
            }
        }

        awaitable!($builder => Result<Task, Error>);
    };
}

ending!(
    /// Says that a task is done. See [`Client::complete_task`].
    CompleteTask, CompleteTaskRequest, complete_task,
    "[`Error::NotFound`], [`Error::WrongTaskStatus`] if the task is not in progress, [`Error::NotOwner`], [`Error::StaleOwner`]."
);
ending!(
    /// Says that a task cannot be done. See [`Client::fail_task`].
    FailTask, FailTaskRequest, fail_task,
    "[`Error::NotFound`], [`Error::WrongTaskStatus`] if the task is not in progress, [`Error::NotOwner`], [`Error::StaleOwner`]."
);
ending!(
    /// Calls a task off. See [`Client::cancel_task`].
    CancelTask, CancelTaskRequest, cancel_task,
    "[`Error::NotFound`], [`Error::WrongTaskStatus`] if the task is finished, [`Error::NotOwner`], [`Error::StaleOwner`]."
);

impl Client {
    /// Ends a task that is in progress as completed.
    pub fn complete_task(&self, task_id: impl Into<String>) -> CompleteTask {
        CompleteTask::new(self, task_id.into())
    }

    /// Ends a task that is in progress as failed.
    pub fn fail_task(&self, task_id: impl Into<String>) -> FailTask {
        FailTask::new(self, task_id.into())
    }

    /// Ends a task that is not finished as cancelled. People and supervisors may do so without naming the owner.
    pub fn cancel_task(&self, task_id: impl Into<String>) -> CancelTask {
        CancelTask::new(self, task_id.into())
    }
}
