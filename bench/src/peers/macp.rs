//! MACP runtime: a session for each task, handed over by offer, acceptance and commitment.
//!
//! The few messages of its API that this takes are written out here (`macp.v1`). Sessions are begun before they are measured, as tasks are; a
//! session takes one hand-off.

use std::path::PathBuf;

use baton_proto::v1::{CreateTaskRequest, HandOffRequest};
use http::uri::PathAndQuery;
use prost::Message;
use prost_types::Struct;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;
use tonic::{Request, client::Grpc, metadata::AsciiMetadataValue, transport::Channel};
use tonic_prost::ProstCodec;

use super::{Absent, Peer, PeerClient, Place, until_serving};
use crate::{
    baton::{connect, new_folder},
    child::{Child, find_program, free_port},
    failure::Failure,
};

/// How it is installed.
const INSTALL: &str = "cargo install macp-runtime --version 0.13.0, which needs protoc";
/// Longest that a session may wait for its hand-off, in milliseconds: a day.
const SESSION_MS: i64 = 86_400_000;
/// Shortest id of a session that it takes.
const SESSION_ID_BYTES_MIN: usize = 22;
/// The limits that it sets for each sender in a minute, out of the way.
const LIMIT: &str = "1000000000";

/// A running runtime.
pub(crate) struct Macp {
    child: Child,
    channels: Vec<Channel>,
    // Removed when dropped.
    _folder: TempDir,
}

impl Macp {
    /// Starts a runtime on an empty folder.
    ///
    /// # Errors
    /// It is not installed, or cannot be started.
    pub(crate) async fn start(place: &Place) -> Result<Self, Absent> {
        let program =
            find_program("macp-runtime", &cargo_folders()).ok_or_else(|| Absent::not_installed(INSTALL))?;
        let folder = new_folder(&place.data)?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut command = Command::new(program);
        command
            .env("MACP_BIND_ADDR", &address)
            .env("MACP_ALLOW_INSECURE", "1")
            .env("MACP_DATA_DIR", folder.path().join("data"))
            .env("MACP_SESSION_START_LIMIT_PER_MINUTE", LIMIT)
            .env("MACP_MESSAGE_LIMIT_PER_MINUTE", LIMIT)
            .env("RUST_LOG", "warn")
            .current_dir(folder.path());
        let mut child = Child::start("macp-runtime", command, folder.path().join("macp.log"))?;
        let url = format!("http://{address}");
        let channels = until_serving(&mut child, || connect(&url, place.connections)).await?;
        Ok(Self { child, channels, _folder: folder })
    }
}

/// Where `cargo install` puts what PATH does not have.
fn cargo_folders() -> Vec<PathBuf> {
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cargo = home("CARGO_HOME").or_else(|| Some(home("HOME")?.join(".cargo")));
    cargo.map(|folder| folder.join("bin")).into_iter().collect()
}

impl Peer for Macp {
    const NAME: &'static str = "macp";
    const HANDOFFS_PER_TASK: u64 = 1;
    type Client = MacpClient;

    fn about(&self) -> String {
        "MACP runtime, storage in files; offer, accept, commitment: three calls for each hand-off".into()
    }

    async fn client(&self, caller: usize) -> Result<MacpClient, Failure> {
        Ok(MacpClient(Grpc::new(self.channels[caller % self.channels.len()].clone())))
    }

    async fn stop(self) -> Result<(), Failure> {
        drop(self.channels);
        self.child.stop(Signal::TERM).await
    }
}

/// A client on a connection that it shares with others.
pub(crate) struct MacpClient(Grpc<Channel>);

impl MacpClient {
    async fn send(
        &mut self,
        session: &str,
        sender: &str,
        message_type: &str,
        payload: Vec<u8>,
    ) -> Result<(), Failure> {
        let envelope = Envelope {
            macp_version: "1.0".into(),
            mode: "macp.mode.handoff.v1".into(),
            message_type: message_type.into(),
            message_id: message_type.into(),
            session_id: session.into(),
            sender: sender.into(),
            payload,
        };
        let mut request = Request::new(Send { envelope: Some(envelope) });
        let bearer = AsciiMetadataValue::try_from(format!("Bearer {sender}"))
            .map_err(|_| Failure::new(format!("{sender} cannot be sent as an identity")))?;
        request.metadata_mut().insert("authorization", bearer);
        self.0.ready().await?;
        let path = PathAndQuery::from_static("/macp.v1.MACPRuntimeService/Send");
        let codec: ProstCodec<Send, SendResponse> = ProstCodec::new();
        let ack = self.0.unary(request, path, codec).await?.into_inner().ack.unwrap_or_default();
        if ack.ok {
            return Ok(());
        }
        let error = ack.error.unwrap_or_default();
        Err(Failure::new(format!("macp: {message_type} was refused: {} {}", error.code, error.message)))
    }
}

impl PeerClient for MacpClient {
    async fn create(&mut self, _namespace: &str, tasks: Vec<CreateTaskRequest>) -> Result<(), Failure> {
        for task in tasks {
            let owner = task.assigned_agent;
            let start = SessionStart {
                intent: task.description,
                // The ring's first agent hands to its second.
                participants: vec![owner.clone(), owner.replace("-agent-0", "-agent-1")],
                mode_version: MODE_VERSION.into(),
                configuration_version: CONFIGURATION_VERSION.into(),
                policy_version: POLICY_VERSION.into(),
                ttl_ms: SESSION_MS,
            };
            self.send(&session(&task.task_id), &owner, "SessionStart", start.encode_to_vec()).await?;
        }
        Ok(())
    }

    async fn know(&mut self, _namespace: &str, _agent: &str, _known: Struct) -> Result<(), Failure> {
        // It keeps no state of agents, and moves none.
        Ok(())
    }

    async fn hand_off(&mut self, request: HandOffRequest) -> Result<(), Failure> {
        let session = session(&request.task_id);
        let (from, to) = (&request.from_agent, &request.to_agent);
        let offer = Offer {
            handoff_id: request.request_id.clone(),
            target_participant: to.clone(),
            scope: "task".into(),
            reason: request.reason.clone(),
        };
        self.send(&session, from, "HandoffOffer", offer.encode_to_vec()).await?;
        let accept = Accept {
            handoff_id: request.request_id.clone(),
            accepted_by: to.clone(),
            reason: "taking it over".into(),
        };
        self.send(&session, to, "HandoffAccept", accept.encode_to_vec()).await?;
        let commitment = Commitment {
            commitment_id: request.request_id.clone(),
            action: "handoff.accepted".into(),
            authority_scope: "task".into(),
            reason: request.reason,
            mode_version: MODE_VERSION.into(),
            policy_version: POLICY_VERSION.into(),
            configuration_version: CONFIGURATION_VERSION.into(),
            outcome_positive: true,
        };
        self.send(&session, from, "Commitment", commitment.encode_to_vec()).await
    }
}

/// The session of a task, long enough to be taken.
fn session(task_id: &str) -> String {
    format!("{task_id:_<SESSION_ID_BYTES_MIN$}")
}

const MODE_VERSION: &str = "1.0.0";
const CONFIGURATION_VERSION: &str = "config.default";
const POLICY_VERSION: &str = "policy.default";

#[derive(Clone, PartialEq, Message)]
struct Send {
    #[prost(message, optional, tag = "1")]
    envelope: Option<Envelope>,
}

#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(string, tag = "1")]
    macp_version: String,
    #[prost(string, tag = "2")]
    mode: String,
    #[prost(string, tag = "3")]
    message_type: String,
    #[prost(string, tag = "4")]
    message_id: String,
    #[prost(string, tag = "5")]
    session_id: String,
    #[prost(string, tag = "6")]
    sender: String,
    #[prost(bytes = "vec", tag = "8")]
    payload: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct SendResponse {
    #[prost(message, optional, tag = "1")]
    ack: Option<Ack>,
}

#[derive(Clone, PartialEq, Message)]
struct Ack {
    #[prost(bool, tag = "1")]
    ok: bool,
    #[prost(message, optional, tag = "7")]
    error: Option<Refused>,
}

#[derive(Clone, PartialEq, Message)]
struct Refused {
    #[prost(string, tag = "1")]
    code: String,
    #[prost(string, tag = "2")]
    message: String,
}

#[derive(Clone, PartialEq, Message)]
struct SessionStart {
    #[prost(string, tag = "1")]
    intent: String,
    #[prost(string, repeated, tag = "2")]
    participants: Vec<String>,
    #[prost(string, tag = "3")]
    mode_version: String,
    #[prost(string, tag = "4")]
    configuration_version: String,
    #[prost(string, tag = "5")]
    policy_version: String,
    #[prost(int64, tag = "6")]
    ttl_ms: i64,
}

#[derive(Clone, PartialEq, Message)]
struct Offer {
    #[prost(string, tag = "1")]
    handoff_id: String,
    #[prost(string, tag = "2")]
    target_participant: String,
    #[prost(string, tag = "3")]
    scope: String,
    #[prost(string, tag = "4")]
    reason: String,
}

#[derive(Clone, PartialEq, Message)]
struct Accept {
    #[prost(string, tag = "1")]
    handoff_id: String,
    #[prost(string, tag = "2")]
    accepted_by: String,
    #[prost(string, tag = "3")]
    reason: String,
}

#[derive(Clone, PartialEq, Message)]
struct Commitment {
    #[prost(string, tag = "1")]
    commitment_id: String,
    #[prost(string, tag = "2")]
    action: String,
    #[prost(string, tag = "3")]
    authority_scope: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(string, tag = "5")]
    mode_version: String,
    #[prost(string, tag = "6")]
    policy_version: String,
    #[prost(string, tag = "7")]
    configuration_version: String,
    #[prost(bool, tag = "8")]
    outcome_positive: bool,
}
