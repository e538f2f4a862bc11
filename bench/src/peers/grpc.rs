//! The client of Baton and of its echo: the same code for both, so that they differ in nothing but the server.

use std::time::Duration;

use baton_proto::v1::{
    BatchCreateTasksRequest, BatchCreateTasksResponse, CreateTaskRequest, HandOffRequest, ItemError,
    UpdateAgentStateRequest, handoff_service_client::HandoffServiceClient,
    state_service_client::StateServiceClient, task_service_client::TaskServiceClient,
};
use prost_types::Struct;
use tokio::time::sleep;
use tonic::{Code, Status, transport::Channel};

use super::PeerClient;
use crate::failure::Failure;

/// How often a creation is tried while the server's queue is full.
const CREATE_TRIES_MAX: u32 = 1_000;
/// How long a creation waits before it is tried again.
const CREATE_PAUSE: Duration = Duration::from_millis(10);

/// A client of Baton's contract on a connection that it shares with others.
#[derive(Clone)]
pub(crate) struct BatonClient {
    channel: Channel,
    handoffs: HandoffServiceClient<Channel>,
    // An echo keeps nothing, so nothing need be made known to it.
    keeps: bool,
}

impl BatonClient {
    /// A client of a server that keeps what it is told.
    pub(crate) fn new(channel: Channel) -> Self {
        Self { handoffs: HandoffServiceClient::new(channel.clone()), channel, keeps: true }
    }

    /// A client of an echo.
    pub(crate) fn of_echo(channel: Channel) -> Self {
        Self { keeps: false, ..Self::new(channel) }
    }
}

impl PeerClient for BatonClient {
    async fn create(&mut self, namespace: &str, tasks: Vec<CreateTaskRequest>) -> Result<(), Failure> {
        if self.keeps {
            create_tasks(&self.channel, namespace, tasks).await?;
        }
        Ok(())
    }

    async fn know(&mut self, namespace: &str, agent: &str, state: Struct) -> Result<(), Failure> {
        if !self.keeps {
            return Ok(());
        }
        let request = UpdateAgentStateRequest {
            namespace: namespace.to_owned(),
            agent_id: agent.to_owned(),
            state: Some(state),
            ..Default::default()
        };
        StateServiceClient::new(self.channel.clone()).update_agent_state(request).await?;
        Ok(())
    }

    async fn hand_off(&mut self, request: HandOffRequest) -> Result<(), Failure> {
        self.handoffs.hand_off(request).await?;
        Ok(())
    }
}

/// Creates up to 1,000 tasks in one call; those that the server's queue has no room for are sent again, as the contract says.
///
/// # Errors
/// The call fails, or one of the tasks is refused.
pub(crate) async fn create_tasks(
    channel: &Channel,
    namespace: &str,
    mut items: Vec<CreateTaskRequest>,
) -> Result<(), Failure> {
    let mut client = TaskServiceClient::new(channel.clone());
    for _ in 0..CREATE_TRIES_MAX {
        let request = BatchCreateTasksRequest { namespace: namespace.to_owned(), items: items.clone() };
        match client.batch_create_tasks(request).await {
            Ok(response) => items = still_to_create(items, response.into_inner())?,
            Err(status) if status.code() == Code::ResourceExhausted => {}
            Err(status) => return Err(status.into()),
        }
        if items.is_empty() {
            return Ok(());
        }
        sleep(CREATE_PAUSE).await;
    }
    Err(Failure::new("the server's queue stays full"))
}

/// The items that found the queue full.
fn still_to_create(
    items: Vec<CreateTaskRequest>,
    response: BatchCreateTasksResponse,
) -> Result<Vec<CreateTaskRequest>, Failure> {
    let mut left = Vec::new();
    for (item, result) in items.into_iter().zip(response.results) {
        match result.error {
            Some(error) if error.code == Code::ResourceExhausted as i32 => left.push(item),
            error => first_error(std::iter::once(error))?,
        }
    }
    Ok(left)
}

/// Fails with the first item of a batch that was refused.
///
/// # Errors
/// One was.
pub(crate) fn first_error(errors: impl Iterator<Item = Option<ItemError>>) -> Result<(), Failure> {
    match errors.flatten().next() {
        Some(error) => Err(Status::new(Code::from_i32(error.code), error.message).into()),
        None => Ok(()),
    }
}
