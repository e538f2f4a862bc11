//! Systems that can take a hand-off, each started for a run and stopped after it.
//!
//! Each file is one of them. Knows nothing of rounds and figures.

mod baton;
mod echo;
mod etcd;
mod file;
mod grpc;
mod macp;
mod postgres;
mod redis;
mod state;

pub(crate) use baton::{BatonPeer, NAMESPACE};
pub(crate) use echo::Echo;
pub(crate) use etcd::Etcd;
pub(crate) use file::BareFile;
pub(crate) use grpc::{BatonClient, create_tasks, first_error};
pub(crate) use macp::Macp;
pub(crate) use postgres::Postgres;
pub(crate) use redis::Redis;

use std::{
    fmt,
    path::PathBuf,
    time::{Duration, Instant},
};

use baton_proto::v1::{CreateTaskRequest, HandOffRequest};
use prost_types::Struct;

use crate::{
    drive::Caller,
    failure::Failure,
    ring::{HANDOFFS_PER_TASK, Ring, state_of_agent},
};

/// Tasks that a caller creates when it has run out.
const REFILL_TASKS: usize = 50;
/// Longest that a peer may take until it serves.
const START_TIME_MAX: Duration = Duration::from_secs(60);
/// How often a peer that is starting is asked whether it serves.
const START_POLL: Duration = Duration::from_millis(50);

/// What a peer is started with.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The folder that holds the folders of servers.
    pub data: PathBuf,
    /// Connections that gRPC calls share.
    pub connections: u16,
    /// Callers that there will be.
    pub callers: usize,
}

/// Why a peer takes no part in a run.
#[derive(Debug)]
pub(crate) struct Absent(String);

/// A system that can take hand-offs.
pub(crate) trait Peer: Sized + Send + Sync + 'static {
    /// What it is called in tables and on the command line.
    const NAME: &'static str;
    /// How often one task can be handed on.
    const HANDOFFS_PER_TASK: u64 = HANDOFFS_PER_TASK;
    /// What one caller uses of it.
    type Client: PeerClient;

    /// Which version it is, and the settings that matter, in a line.
    fn about(&self) -> String;

    /// What caller number `caller` uses.
    fn client(&self, caller: usize) -> impl Future<Output = Result<Self::Client, Failure>> + Send;

    /// Stops it.
    fn stop(self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What one caller uses of a peer.
pub(crate) trait PeerClient: Send + 'static {
    /// Makes tasks known, each owned at epoch 1 by the agent that is given.
    fn create(
        &mut self,
        namespace: &str,
        tasks: Vec<CreateTaskRequest>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Sets what an agent knows.
    fn know(
        &mut self,
        namespace: &str,
        agent: &str,
        state: Struct,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Hands a task over: checks owner and epoch, changes both, moves the state, adds to the history; all of it or nothing.
    fn hand_off(&mut self, request: HandOffRequest) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// A caller that hands the tasks of its ring on, one hand-off a call.
pub(crate) struct HandOffs<C> {
    ring: Ring,
    client: C,
    next: Option<HandOffRequest>,
}

impl<C: PeerClient> HandOffs<C> {
    /// A caller whose first agent knows something, and that has no tasks yet.
    ///
    /// # Errors
    /// The peer refuses.
    pub(crate) async fn new(ring: Ring, client: C) -> Result<Self, Failure> {
        let (agent, state) = (ring.agent(0), state_of_agent(&ring.agent(0)));
        Self::with_state(ring, client, &agent, state).await
    }

    /// A caller whose agent `agent` knows `state`.
    ///
    /// # Errors
    /// The peer refuses.
    pub(crate) async fn with_state(
        ring: Ring,
        mut client: C,
        agent: &str,
        state: Struct,
    ) -> Result<Self, Failure> {
        client.know(ring.namespace(), agent, state).await?;
        Ok(Self { ring, client, next: None })
    }

    async fn refill(&mut self) -> Result<(), Failure> {
        let tasks = self.ring.name_tasks(REFILL_TASKS);
        let ids: Vec<String> = tasks.iter().map(|task| task.task_id.clone()).collect();
        self.client.create(self.ring.namespace(), tasks).await?;
        ids.into_iter().for_each(|id| self.ring.put(id));
        Ok(())
    }
}

impl<C: PeerClient> Caller for HandOffs<C> {
    async fn stock(&mut self, calls: usize) -> Result<(), Failure> {
        while self.ring.left() < calls as u64 {
            self.refill().await?;
        }
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        while self.next.is_none() {
            self.next = self.ring.next();
            if self.next.is_none() {
                self.refill().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<u64, Failure> {
        let request = self.next.take().ok_or_else(|| Failure::new("no hand-off was made ready"))?;
        self.client.hand_off(request).await?;
        Ok(1)
    }
}

impl Absent {
    /// It is not on this machine; `how` installs it.
    fn not_installed(how: impl fmt::Display) -> Self {
        Self(format!("not installed ({how})"))
    }
}

impl fmt::Display for Absent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl From<Failure> for Absent {
    fn from(failure: Failure) -> Self {
        Self(format!("could not be started: {failure}"))
    }
}

/// Asks a peer that is starting until `answers` gives something.
///
/// # Errors
/// `child` has ended, or it takes too long; with the last thing that went wrong.
async fn until_serving<T, F>(
    child: &mut crate::child::Child,
    mut answers: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let deadline = Instant::now() + START_TIME_MAX;
    loop {
        child.lives()?;
        match answers().await {
            Ok(answer) => return Ok(answer),
            Err(failure) if Instant::now() >= deadline => return Err(failure),
            Err(_) => tokio::time::sleep(START_POLL).await,
        }
    }
}

/// The first line that a program prints with these arguments.
async fn version(program: &std::path::Path, argument: &str) -> String {
    let output = tokio::process::Command::new(program).arg(argument).output().await;
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("version unknown").to_owned()
}
