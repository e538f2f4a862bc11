//! Lists hand-offs.
//!
//! Knows nothing of how pages become a stream.

use baton_proto::v1;

use super::{Handoff, HandoffStatus, handoff_from_wire};
use crate::{
    call::Call,
    client::Client,
    error::Error,
    page::{Page, listing},
    services,
    setters::{deadline_setter, page_setters},
};

/// Lists the hand-offs that match all of the given conditions. See [`Client::list_handoffs`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct ListHandoffs {
    call: Call,
    request: v1::ListHandoffsRequest,
}

impl ListHandoffs {
    /// Only hand-offs of this task.
    pub fn task(mut self, task_id: impl Into<String>) -> Self {
        self.request.task_id = task_id.into();
        self
    }

    /// Only hand-offs that this agent sent or received.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.request.agent_id = agent.into();
        self
    }

    /// Only hand-offs in this status.
    pub fn status(mut self, status: HandoffStatus) -> Self {
        self.request.status = status.to_wire();
        self
    }

    page_setters!();
    deadline_setter!();

    /// Gets one page.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the page token is not from this listing.
    pub async fn send(self) -> Result<Page<Handoff>, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::handoffs(channel).list_handoffs(request).await
            })
            .await?;
        Ok(Page::new(answer.handoffs.into_iter().map(handoff_from_wire).collect(), answer.next_page_token))
    }
}

listing!(ListHandoffs => Handoff);

impl Client {
    /// Lists hand-offs in the order in which they were created: a page when awaited, all of them with [`stream`](ListHandoffs::stream).
    pub fn list_handoffs(&self) -> ListHandoffs {
        let request =
            v1::ListHandoffsRequest { namespace: self.namespace().to_owned(), ..Default::default() };
        ListHandoffs { call: Call::new(self), request }
    }
}
