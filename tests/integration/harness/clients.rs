//! The generated clients of all services over one connection, and the questions that most tests ask.
//!
//! Knows nothing of what answers.

use std::{io, net::SocketAddr, time::Duration};

use baton_proto::v1::{
    self, WatchHandoffsRequest, WatchHandoffsResponse, handoff_service_client::HandoffServiceClient,
    monitor_service_client::MonitorServiceClient, state_service_client::StateServiceClient,
    task_service_client::TaskServiceClient, validation_service_client::ValidationServiceClient,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tonic::{
    Status, Streaming,
    transport::{Channel, Endpoint, Uri},
};
use tower::service_fn;

use super::in_time;

/// Largest answer that is taken, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest wait of the client for one answer: a call that is handed to the library in the very moment in which its connection ends may be left
/// lying there until the next one comes.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// One caller.
#[derive(Clone)]
pub(crate) struct Clients {
    pub(crate) channel: Channel,
    pub(crate) tasks: TaskServiceClient<Channel>,
    pub(crate) states: StateServiceClient<Channel>,
    pub(crate) handoffs: HandoffServiceClient<Channel>,
    pub(crate) rules: ValidationServiceClient<Channel>,
    pub(crate) monitor: MonitorServiceClient<Channel>,
}

impl Clients {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(connect_once(address, |endpoint| endpoint).await)
    }

    /// A caller to whom no more than `window_bytes` are sent before it reads: one that does not read is felt soon.
    pub(crate) async fn connect_narrow(address: SocketAddr, window_bytes: u32) -> Self {
        Self::over(connect_once(address, |endpoint| endpoint.initial_stream_window_size(window_bytes)).await)
    }

    fn over(channel: Channel) -> Self {
        Self {
            tasks: TaskServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            states: StateServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            handoffs: HandoffServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            rules: ValidationServiceClient::new(channel.clone()),
            monitor: MonitorServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX),
            channel,
        }
    }

    /// Creates a task and returns it.
    pub(crate) async fn create(&mut self, request: v1::CreateTaskRequest) -> Result<v1::Task, Status> {
        Ok(self.tasks.create_task(request).await?.into_inner().task.expect("a created task is given"))
    }

    /// Hands a task over; hand-off and task after it.
    pub(crate) async fn hand_off(
        &mut self,
        request: v1::HandOffRequest,
    ) -> Result<(v1::Handoff, v1::Task), Status> {
        let answer = self.handoffs.hand_off(request).await?.into_inner();
        Ok((answer.handoff.expect("the hand-off is given"), answer.task.expect("the task is given")))
    }

    pub(crate) async fn task(&mut self, namespace: &str, task_id: &str) -> Result<v1::Task, Status> {
        let request = v1::GetTaskRequest { namespace: namespace.into(), task_id: task_id.into() };
        Ok(self.tasks.get_task(request).await?.into_inner().task.expect("a task is given"))
    }

    pub(crate) async fn handoff(&mut self, namespace: &str, handoff_id: &str) -> Result<v1::Handoff, Status> {
        let request = v1::GetHandoffRequest { namespace: namespace.into(), handoff_id: handoff_id.into() };
        Ok(self.handoffs.get_handoff(request).await?.into_inner().handoff.expect("a hand-off is given"))
    }

    /// An agent's state, now.
    pub(crate) async fn state(&mut self, namespace: &str, agent_id: &str) -> Result<v1::AgentState, Status> {
        self.state_at(namespace, agent_id, 0).await
    }

    /// An agent's state as it was at a revision; 0: now.
    pub(crate) async fn state_at(
        &mut self,
        namespace: &str,
        agent_id: &str,
        at_revision: u64,
    ) -> Result<v1::AgentState, Status> {
        let (namespace, agent_id) = (namespace.into(), agent_id.into());
        let request = v1::GetAgentStateRequest { namespace, agent_id, at_revision };
        let answer = self.states.get_agent_state(request).await?.into_inner();
        Ok(answer.agent_state.expect("a state is given"))
    }

    /// All of a task's history.
    pub(crate) async fn history(&mut self, namespace: &str, task_id: &str) -> Vec<v1::TaskHistoryEntry> {
        let mut entries = Vec::new();
        let mut page_token = String::new();
        loop {
            let (namespace, task_id) = (namespace.into(), task_id.into());
            let request = v1::GetTaskHistoryRequest { namespace, task_id, page_size: 1_000, page_token };
            let page = self.tasks.get_task_history(request).await.expect("the history is there").into_inner();
            entries.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return entries;
            }
        }
    }

    /// The newest revision of a namespace.
    pub(crate) async fn head(&mut self, namespace: &str) -> u64 {
        let request = v1::GetSummaryRequest { namespace: namespace.into(), ..Default::default() };
        self.monitor.get_summary(request).await.expect("a summary can always be had").into_inner().revision
    }

    /// Figures of all of a namespace's hand-offs.
    pub(crate) async fn summary(&mut self, namespace: &str) -> v1::Summary {
        let request = v1::GetSummaryRequest { namespace: namespace.into(), ..Default::default() };
        let answer = self.monitor.get_summary(request).await.expect("a summary can always be had");
        answer.into_inner().total.expect("figures are given")
    }

    pub(crate) async fn watch(
        &mut self,
        request: WatchHandoffsRequest,
    ) -> Result<Streaming<WatchHandoffsResponse>, Status> {
        Ok(in_time(self.handoffs.watch_handoffs(request)).await?.into_inner())
    }

    /// The events that a watch gives, from its beginning up to and with revision `until`.
    pub(crate) async fn events(
        &mut self,
        request: WatchHandoffsRequest,
        until: u64,
    ) -> Vec<v1::HandoffEvent> {
        let mut stream = self.watch(request).await.expect("the watch begins");
        events_until(&mut stream, until).await
    }

    /// Has the server verify a namespace's log, or all of them if it is empty; the last message of each.
    pub(crate) async fn verify(&mut self, namespace: &str) -> Result<Vec<v1::VerifyLogResponse>, Status> {
        let request = v1::VerifyLogRequest { namespace: namespace.into() };
        let mut stream = self.monitor.verify_log(request).await?.into_inner();
        let mut done = Vec::new();
        while let Some(message) = in_time(stream.message()).await? {
            if message.done {
                done.push(message);
            }
        }
        Ok(done)
    }
}

/// A channel over one connection, which ends with it: another server, of another test, may listen on the same port by then.
async fn connect_once(address: SocketAddr, set: impl FnOnce(Endpoint) -> Endpoint) -> Channel {
    let stream = TcpStream::connect(address).await.expect("the server listens");
    stream.set_nodelay(true).expect("a connection takes its options");
    let mut only = Some(TokioIo::new(stream));
    let connector = service_fn(move |_: Uri| {
        let connected = only.take().ok_or_else(|| io::Error::other("the connection has ended"));
        async { connected }
    });
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address makes a URI");
    let endpoint = set(endpoint.timeout(CALL_TIMEOUT));
    endpoint.connect_with_connector(connector).await.expect("the connection is there")
}

/// The events of a stream up to and with revision `until`.
pub(crate) async fn events_until(
    stream: &mut Streaming<WatchHandoffsResponse>,
    until: u64,
) -> Vec<v1::HandoffEvent> {
    let mut events = Vec::new();
    let mut revision = 0;
    while revision < until {
        let message =
            in_time(stream.message()).await.expect("the watch goes on").expect("a watch has no end");
        events.extend(message.events);
        revision = message.revision;
    }
    events
}
