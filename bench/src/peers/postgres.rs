//! PostgreSQL: one statement does the hand-off, committed durably before the answer.
//!
//! It refuses to run as root, so then it is run as the user that its package makes.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    sync::Arc,
};

use baton_proto::v1::{CreateTaskRequest, HandOffRequest};
use prost_types::Struct;
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;
use tokio::process::Command;
use tokio_postgres::{Client, NoTls, Statement, types::ToSql};

use super::{Absent, Peer, PeerClient, Place, state, until_serving};
use crate::{
    baton::new_folder,
    child::{Child, find_program, free_port},
    failure::{Failure, While as _},
};

/// The user that is made with the package, and the one that the database is made with.
const USER: &str = "postgres";
/// Connections that callers share, statements pipelined: each is a process there.
const CONNECTIONS_MAX: usize = 16;

/// Tasks, states and histories.
const SCHEMA: &str = "
CREATE TABLE task (id text PRIMARY KEY, owner text NOT NULL, epoch bigint NOT NULL, status text NOT NULL);
CREATE TABLE state (agent text PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE history (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, task_id text NOT NULL, at timestamptz NOT NULL, entry bytea NOT NULL);
CREATE INDEX history_task ON history (task_id);
";

/// Checks owner and epoch, changes both, moves the state and adds to the history. No row: the task is another's.
const HAND_OFF: &str = "
WITH moved AS (
  UPDATE task SET owner = $3, epoch = epoch + 1, status = 'HANDED_OFF' WHERE id = $1 AND owner = $2 AND epoch = $4 RETURNING id
), known AS (
  INSERT INTO state (agent, value) SELECT $3, state.value FROM state, moved WHERE state.agent = $2
  ON CONFLICT (agent) DO UPDATE SET value = excluded.value
)
INSERT INTO history (task_id, at, entry) SELECT moved.id, now(), $5 FROM moved
";
const CREATE: &str =
    "INSERT INTO task (id, owner, epoch, status) SELECT unnest($1::text[]), $2, 1, 'PENDING'";
const KNOW: &str = "INSERT INTO state (agent, value) VALUES ($1, $2) ON CONFLICT (agent) DO UPDATE SET value = excluded.value";

/// A running PostgreSQL.
pub(crate) struct Postgres {
    child: Child,
    connections: Vec<Arc<Connection>>,
    version: String,
    // Removed when dropped.
    _folder: TempDir,
}

/// A connection and the statements that were prepared on it.
struct Connection {
    client: Client,
    hand_off: Statement,
    create: Statement,
    know: Statement,
}

impl Postgres {
    /// Makes a database in an empty folder and starts it.
    ///
    /// # Errors
    /// It is not installed, or cannot be started.
    pub(crate) async fn start(place: &Place) -> Result<Self, Absent> {
        let folders = debian_folders();
        let how = "apt-get install postgresql";
        let initdb = find_program("initdb", &folders).ok_or_else(|| Absent::not_installed(how))?;
        let server = find_program("postgres", &folders).ok_or_else(|| Absent::not_installed(how))?;
        let folder = new_folder(&place.data)?;
        let run_as = RunAs::find()?;
        run_as.own(folder.path())?;
        let data = folder.path().join("data");
        make_database(&initdb, &data, run_as).await?;
        let port = free_port()?;
        let mut command = run_as.command(&server);
        command
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""])
            .args(["-c", "synchronous_commit=on", "-c", "fsync=on"])
            .current_dir(folder.path());
        let mut child = Child::start("postgres", command, folder.path().join("postgres.log"))?;
        let first = until_serving(&mut child, || connect(port)).await?;
        first.batch_execute(SCHEMA).await.map_err(failed)?;
        let version: String = first.query_one("SHOW server_version", &[]).await.map_err(failed)?.get(0);
        let mut connections = Vec::new();
        for _ in 0..place.callers.clamp(1, CONNECTIONS_MAX) {
            connections.push(Arc::new(Connection::prepare(connect(port).await?).await?));
        }
        Ok(Self { child, connections, version, _folder: folder })
    }
}

impl Peer for Postgres {
    const NAME: &'static str = "postgres";
    type Client = PostgresClient;

    fn about(&self) -> String {
        format!(
            "PostgreSQL {}; one statement, prepared; synchronous_commit on, {} connections",
            self.version,
            self.connections.len()
        )
    }

    async fn client(&self, caller: usize) -> Result<PostgresClient, Failure> {
        Ok(PostgresClient(Arc::clone(&self.connections[caller % self.connections.len()])))
    }

    async fn stop(self) -> Result<(), Failure> {
        drop(self.connections);
        // SIGINT is its fast way to stop: open connections are cut.
        self.child.stop(Signal::INT).await
    }
}

/// A client on a connection that it shares with others.
pub(crate) struct PostgresClient(Arc<Connection>);

impl PeerClient for PostgresClient {
    async fn create(&mut self, _namespace: &str, tasks: Vec<CreateTaskRequest>) -> Result<(), Failure> {
        let Some(owner) = tasks.first().map(|task| task.assigned_agent.clone()) else { return Ok(()) };
        let ids: Vec<String> = tasks.into_iter().map(|task| task.task_id).collect();
        self.0.client.execute(&self.0.create, &[&ids, &owner]).await.map_err(failed)?;
        Ok(())
    }

    async fn know(&mut self, _namespace: &str, agent: &str, known: Struct) -> Result<(), Failure> {
        self.0.client.execute(&self.0.know, &[&agent, &state::state(&known)]).await.map_err(failed)?;
        Ok(())
    }

    async fn hand_off(&mut self, request: HandOffRequest) -> Result<(), Failure> {
        let epoch = i64::try_from(state::epoch(&request)).unwrap_or(i64::MAX);
        let entry = state::entry(&request);
        let values: [&(dyn ToSql + Sync); 5] =
            [&request.task_id, &request.from_agent, &request.to_agent, &epoch, &entry];
        match self.0.client.execute(&self.0.hand_off, &values).await.map_err(failed)? {
            1 => Ok(()),
            _ => Err(Failure::new("postgres: the task is owned by another agent, or at another epoch")),
        }
    }
}

impl Connection {
    async fn prepare(client: Client) -> Result<Self, Failure> {
        Ok(Self {
            hand_off: client.prepare(HAND_OFF).await.map_err(failed)?,
            create: client.prepare(CREATE).await.map_err(failed)?,
            know: client.prepare(KNOW).await.map_err(failed)?,
            client,
        })
    }
}

/// Opens a connection; it ends with its client.
async fn connect(port: u16) -> Result<Client, Failure> {
    let settings = format!("host=127.0.0.1 port={port} user={USER} dbname=postgres");
    let (client, connection) = tokio_postgres::connect(&settings, NoTls).await.map_err(failed)?;
    tokio::spawn(async move {
        // Its calls fail when it does.
        let _seen_by_callers = connection.await;
    });
    Ok(client)
}

fn failed(error: tokio_postgres::Error) -> Failure {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    Failure::new(format!("postgres: {error}{cause}"))
}

async fn make_database(initdb: &Path, data: &Path, run_as: RunAs) -> Result<(), Failure> {
    let mut command = run_as.command(initdb);
    command.args(["-A", "trust", "-U", USER, "-E", "UTF8", "--no-locale", "-D"]).arg(data);
    command.current_dir(data.parent().unwrap_or(data));
    let output = command.output().await.during("starting initdb")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("initdb: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// Where Debian puts what PATH does not have; the newest version first.
fn debian_folders() -> Vec<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    folders.sort_by(|one, other| other.cmp(one));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

/// The user that the database runs as.
#[derive(Clone, Copy)]
enum RunAs {
    /// Whoever runs this.
    Self_,
    /// Another, by ids of user and group.
    Other(u32, u32),
}

impl RunAs {
    /// Whoever runs this, unless that is root.
    fn find() -> Result<Self, Failure> {
        if !geteuid().is_root() {
            return Ok(Self::Self_);
        }
        let users = fs::read_to_string("/etc/passwd").during("reading /etc/passwd")?;
        users
            .lines()
            .find_map(|line| {
                let mut words = line.split(':');
                let ids = (words.next()? == USER).then(|| (words.nth(1), words.next()))?;
                Some(Self::Other(ids.0?.parse().ok()?, ids.1?.parse().ok()?))
            })
            .ok_or_else(|| {
                Failure::new(format!("it refuses to run as root, and there is no user {USER} to run it as"))
            })
    }

    /// Gives it the folder.
    fn own(self, folder: &Path) -> Result<(), Failure> {
        match self {
            Self::Self_ => Ok(()),
            Self::Other(user, group) => {
                chown(folder, Some(user), Some(group)).during("giving its folder to the user")
            }
        }
    }

    fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Self::Other(user, group) = self {
            command.uid(user).gid(group);
        }
        command
    }
}
