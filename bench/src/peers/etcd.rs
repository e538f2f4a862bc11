//! etcd: one transaction compares owner and epoch and puts task, state and history entry.
//!
//! The few messages of its API that this takes are written out here (`etcdserverpb`), so that the client is the same tonic as Baton's.

use baton_proto::v1::{CreateTaskRequest, HandOffRequest};
use http::uri::PathAndQuery;
use prost::Message;
use prost_types::Struct;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::process::Command;
use tonic::{Request, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;

use super::{Absent, Peer, PeerClient, Place, state, until_serving, version};
use crate::{
    baton::{connect, new_folder},
    child::{Child, find_program, free_port},
    failure::Failure,
};

/// Operations in one transaction, as etcd bounds it by default.
const TRANSACTION_OPERATIONS_MAX: usize = 128;

/// A running etcd of one node.
pub(crate) struct Etcd {
    child: Child,
    channels: Vec<Channel>,
    version: String,
    // Removed when dropped.
    _folder: TempDir,
}

impl Etcd {
    /// Starts an etcd on an empty folder.
    ///
    /// # Errors
    /// It is not installed, or cannot be started.
    pub(crate) async fn start(place: &Place) -> Result<Self, Absent> {
        let program =
            find_program("etcd", &[]).ok_or_else(|| Absent::not_installed("apt-get install etcd-server"))?;
        let folder = new_folder(&place.data)?;
        let client = format!("http://127.0.0.1:{}", free_port()?);
        let peer = format!("http://127.0.0.1:{}", free_port()?);
        let mut command = Command::new(&program);
        command
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")])
            .args(["--logger", "zap", "--quota-backend-bytes", "8589934592"])
            .arg("--data-dir")
            .arg(folder.path().join("data"));
        let mut child = Child::start("etcd", command, folder.path().join("etcd.log"))?;
        let channels = until_serving(&mut child, async || {
            let channels = connect(&client, place.connections).await?;
            EtcdClient::new(channels[0].clone()).put(vec![put("ready", b"yes".to_vec())]).await?;
            Ok(channels)
        })
        .await?;
        // It says `etcd Version: 3.4.23`.
        let version = version(&program, "--version").await.replace(" Version:", "");
        Ok(Self { child, channels, version, _folder: folder })
    }
}

impl Peer for Etcd {
    const NAME: &'static str = "etcd";
    type Client = EtcdClient;

    fn about(&self) -> String {
        format!("{}; one node, one Txn for each hand-off", self.version)
    }

    async fn client(&self, caller: usize) -> Result<EtcdClient, Failure> {
        Ok(EtcdClient::new(self.channels[caller % self.channels.len()].clone()))
    }

    async fn stop(self) -> Result<(), Failure> {
        self.child.stop(Signal::TERM).await
    }
}

/// A client on a connection that it shares with others.
pub(crate) struct EtcdClient {
    grpc: Grpc<Channel>,
    // etcd copies nothing from key to key: the sender sends its state along.
    state: Vec<u8>,
}

impl EtcdClient {
    fn new(channel: Channel) -> Self {
        Self { grpc: Grpc::new(channel), state: Vec::new() }
    }

    async fn put(&mut self, puts: Vec<RequestOp>) -> Result<(), Failure> {
        self.transact(Txn { compare: Vec::new(), success: puts }).await
    }

    /// Runs a transaction that must succeed.
    async fn transact(&mut self, transaction: Txn) -> Result<(), Failure> {
        self.grpc.ready().await?;
        let path = PathAndQuery::from_static("/etcdserverpb.KV/Txn");
        let codec: ProstCodec<Txn, TxnResponse> = ProstCodec::new();
        let response = self.grpc.unary(Request::new(transaction), path, codec).await?.into_inner();
        if response.succeeded {
            Ok(())
        } else {
            Err(Failure::new("etcd: the task is owned by another agent, or at another epoch"))
        }
    }
}

impl PeerClient for EtcdClient {
    async fn create(&mut self, _namespace: &str, tasks: Vec<CreateTaskRequest>) -> Result<(), Failure> {
        for tasks in tasks.chunks(TRANSACTION_OPERATIONS_MAX) {
            let puts = tasks.iter().map(|task| put(&task_key(&task.task_id), owner(&task.assigned_agent, 1)));
            self.put(puts.collect()).await?;
        }
        Ok(())
    }

    async fn know(&mut self, _namespace: &str, agent: &str, known: Struct) -> Result<(), Failure> {
        self.state = state::state(&known);
        self.put(vec![put(&format!("state/{agent}"), self.state.clone())]).await
    }

    async fn hand_off(&mut self, request: HandOffRequest) -> Result<(), Failure> {
        let (task, epoch) = (task_key(&request.task_id), state::epoch(&request));
        let puts = vec![
            put(&task, owner(&request.to_agent, epoch + 1)),
            put(&format!("state/{}", request.to_agent), self.state.clone()),
            put(&format!("history/{}/{epoch}", request.task_id), state::entry(&request)),
        ];
        let compare = Compare {
            result: COMPARE_EQUAL,
            target: COMPARE_VALUE,
            key: task.into_bytes(),
            value: owner(&request.from_agent, epoch),
        };
        self.transact(Txn { compare: vec![compare], success: puts }).await
    }
}

fn task_key(task_id: &str) -> String {
    format!("task/{task_id}")
}

/// A task's value: its owner and its epoch.
fn owner(agent: &str, epoch: u64) -> Vec<u8> {
    format!("{agent}/{epoch}").into_bytes()
}

fn put(key: &str, value: Vec<u8>) -> RequestOp {
    RequestOp { put: Some(Put { key: key.as_bytes().to_vec(), value }) }
}

/// `Compare.CompareResult.EQUAL`.
const COMPARE_EQUAL: i32 = 0;
/// `Compare.CompareTarget.VALUE`.
const COMPARE_VALUE: i32 = 3;

#[derive(Clone, PartialEq, Message)]
struct Txn {
    #[prost(message, repeated, tag = "1")]
    compare: Vec<Compare>,
    #[prost(message, repeated, tag = "2")]
    success: Vec<RequestOp>,
}

#[derive(Clone, PartialEq, Message)]
struct Compare {
    #[prost(int32, tag = "1")]
    result: i32,
    #[prost(int32, tag = "2")]
    target: i32,
    #[prost(bytes = "vec", tag = "3")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "7")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RequestOp {
    #[prost(message, optional, tag = "2")]
    put: Option<Put>,
}

#[derive(Clone, PartialEq, Message)]
struct Put {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct TxnResponse {
    #[prost(bool, tag = "2")]
    succeeded: bool,
}
