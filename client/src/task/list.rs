//! Lists tasks.
//!
//! Knows nothing of how pages become a stream.

use baton_proto::v1;

use super::{Task, TaskStatus, task_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    page::{Page, listing},
    services,
    setters::{deadline_setter, page_setters},
};

/// Lists the tasks that match all of the given conditions. See [`Client::list_tasks`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ListTasks {
    call: Call,
    request: v1::ListTasksRequest,
}

impl ListTasks {
    /// Only tasks of this owner.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.request.assigned_agent = agent.into();
        self
    }

    /// Only tasks in this status.
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.request.status = status.to_wire();
        self
    }

    page_setters!();
    deadline_setter!();

    /// Gets one page.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the page token is not from this listing.
    pub async fn send(self) -> Result<Page<Task>, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::tasks(channel).list_tasks(request).await
            })
            .await?;
        Ok(Page::new(answer.tasks.into_iter().map(task_from_wire).collect(), answer.next_page_token))
    }
}

listing!(ListTasks => Task);

impl Client {
    /// Lists tasks in order of their ids: a page when awaited, all of them with [`stream`](ListTasks::stream).
    pub fn list_tasks(&self) -> ListTasks {
        let request = v1::ListTasksRequest { namespace: self.namespace().to_owned(), ..Default::default() };
        ListTasks { call: Call::new(self), request }
    }
}
