//! Baton itself, with the settings that it has by default.

use baton_proto::v1::{
    GetTaskRequest, GetTaskResponse, HandOffResponse, handoff_service_client::HandoffServiceClient,
    task_service_client::TaskServiceClient,
};
use tonic::transport::Channel;

use super::{BatonClient, Peer, PeerClient as _, grpc::create_tasks};
use crate::{
    baton::{Baton, BatonProgram},
    failure::Failure,
    ring::{HANDOFFS_PER_TASK, Ring, state_of_agent},
};

/// The namespace that is loaded.
pub(crate) const NAMESPACE: &str = "bench";

/// A server and connections to it.
pub(crate) struct BatonPeer {
    server: Baton,
    channels: Vec<Channel>,
    version: String,
}

/// Answers of the server, for the echo to give.
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    /// Of a HandOff as all callers send it.
    pub hand_off: HandOffResponse,
    /// Of a GetTask of the task that was handed off.
    pub get_task: GetTaskResponse,
}

impl BatonPeer {
    /// Starts a server on an empty log.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) async fn start(program: &BatonProgram, connections: u16) -> Result<Self, Failure> {
        let server = program.start("").await?;
        let channels = server.connect(connections).await?;
        let version = server.info().await?.version;
        Ok(Self { server, channels, version })
    }

    /// The connections.
    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Hands one task off and gets it, for answers as they are.
    ///
    /// # Errors
    /// A call fails.
    pub(crate) async fn samples(&self) -> Result<Samples, Failure> {
        let channel = &self.channels[0];
        // As long as the names of callers are.
        let mut ring = Ring::new("caller-s".into(), NAMESPACE, HANDOFFS_PER_TASK);
        let tasks = ring.name_tasks(1);
        let task_id = tasks[0].task_id.clone();
        BatonClient::new(channel.clone())
            .know(NAMESPACE, &ring.agent(0), state_of_agent(&ring.agent(0)))
            .await?;
        create_tasks(channel, NAMESPACE, tasks).await?;
        ring.put(task_id.clone());
        let request =
            ring.next().ok_or_else(|| Failure::new("no hand-off of a task that was just put in"))?;
        let hand_off = HandoffServiceClient::new(channel.clone()).hand_off(request).await?.into_inner();
        let request = GetTaskRequest { namespace: NAMESPACE.into(), task_id };
        let get_task = TaskServiceClient::new(channel.clone()).get_task(request).await?.into_inner();
        Ok(Samples { hand_off, get_task })
    }
}

impl Peer for BatonPeer {
    const NAME: &'static str = "baton";
    type Client = BatonClient;

    fn about(&self) -> String {
        format!("baton {}, settings by default", self.version)
    }

    async fn client(&self, caller: usize) -> Result<BatonClient, Failure> {
        Ok(BatonClient::new(self.channels[caller % self.channels.len()].clone()))
    }

    async fn stop(self) -> Result<(), Failure> {
        self.server.stop().await?;
        Ok(())
    }
}
