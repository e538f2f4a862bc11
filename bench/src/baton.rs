//! `baton serve` as a child process, in a folder of its own that goes with it.
//!
//! Knows how the server is started and stopped, nothing of what is asked of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use baton_proto::v1::{
    GetServerInfoRequest, GetServerInfoResponse, monitor_service_client::MonitorServiceClient,
};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::{sleep, timeout},
};
use tonic::transport::{Channel, Endpoint};

use crate::{
    child::Child,
    failure::{Failure, While as _},
    machine::{processor_seconds, resident_bytes},
    options::Options,
};

/// Longest that the server may take until it serves, a log of many gigabytes included.
const START_TIME_MAX: Duration = Duration::from_secs(1_800);

/// How often it is looked for what a server tells of its start.
const TOLD_LOOKS: u32 = 50;
/// How long between two looks.
const TOLD_PAUSE: Duration = Duration::from_millis(20);

/// A server that uses less than this share of a processor is idle.
const IDLE_SHARE: f64 = 0.03;
/// How long it is looked at.
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// How often it is looked at before it is taken as it is.
const IDLE_LOOKS_MAX: u32 = 300;

/// A server whose memory has not shrunk for so many looks has settled.
const SETTLED_LOOKS: u32 = 4;

/// How servers are started in this run.
#[derive(Clone, Debug)]
pub(crate) struct BatonProgram {
    program: PathBuf,
    data: PathBuf,
    args: Vec<String>,
}

/// A folder with a log, and what its servers said.
pub(crate) struct BatonFolder(TempDir);

/// A running server.
pub(crate) struct Baton {
    child: Child,
    folder: BatonFolder,
    address: String,
    /// From its start as a process until it answered its first call.
    pub serving_after: Duration,
}

impl BatonProgram {
    /// Finds the program: the one that was given, or the one beside this program.
    ///
    /// # Errors
    /// There is none; the failure says what to run.
    pub(crate) fn find(options: &Options) -> Result<Self, Failure> {
        let program = match &options.server {
            Some(given) => given.clone(),
            None => std::env::current_exe()?.with_file_name("baton"),
        };
        if !program.is_file() {
            return Err(Failure::new(format!(
                "{} is not there: run `cargo build --release` for it, or name another with --server",
                program.display()
            )));
        }
        Ok(Self { program, data: data_folder(options), args: options.server_args.clone() })
    }

    /// Starts a server on a new, empty log. `settings` are lines of its TOML file; what they leave out has its default.
    ///
    /// # Errors
    /// It cannot be started, or ends before it serves.
    pub(crate) async fn start(&self, settings: &str) -> Result<Baton, Failure> {
        let folder = new_folder(&self.data)?;
        fs::write(folder.path().join("baton.toml"), settings).during("writing the server's settings")?;
        self.start_on(BatonFolder(folder)).await
    }

    /// Starts a server on a log that is there, with the settings of the one before it.
    ///
    /// # Errors
    /// It cannot be started, or ends before it serves.
    pub(crate) async fn start_on(&self, folder: BatonFolder) -> Result<Baton, Failure> {
        let mut command = Command::new(&self.program);
        command
            .args(["-o", "jsonl", "serve", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.data())
            .arg("--config")
            .arg(folder.0.path().join("baton.toml"))
            .args(&self.args);
        let begun = Instant::now();
        let (mut child, stdout) = Child::start_piped("baton", command, folder.said())?;
        let mut ready = String::new();
        let mut stdout = BufReader::new(stdout);
        timeout(START_TIME_MAX, stdout.read_line(&mut ready))
            .await
            .map_err(|_| Failure::new(format!("baton did not serve within {START_TIME_MAX:?}")))??;
        let Some(address) = address(&ready) else {
            child.lives()?;
            return Err(Failure::new(format!("baton did not say where it listens: {}", child.last_words())));
        };
        let mut baton = Baton { child, folder, address, serving_after: Duration::ZERO };
        baton.info().await?;
        baton.serving_after = begun.elapsed();
        Ok(baton)
    }
}

/// What the server says on stdout when it is ready: a JSON object with the address.
fn address(ready: &str) -> Option<String> {
    let ready: Value = serde_json::from_str(ready).ok()?;
    Some(format!("http://{}", ready["listen"].as_str()?))
}

impl BatonFolder {
    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// The file with what servers on this folder said.
    fn said(&self) -> PathBuf {
        self.0.path().join("baton.log")
    }

    /// Bytes of the database that holds the log. Exact while no server runs.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn log_bytes(&self) -> Result<u64, Failure> {
        Ok(fs::metadata(self.data().join("baton.db")).during("reading the size of the log")?.len())
    }
}

/// Whether a line of the log is one of those before the server serves: it has answered nothing yet, and is not stopping.
fn is_of_start(line: &str) -> bool {
    !line.contains("stopp") && !line.contains("rpc=") && !line.contains("connections_cut")
}

impl Baton {
    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, in bytes.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn resident_bytes(&self) -> Result<u64, Failure> {
        resident_bytes(self.process())
    }

    /// Its resident memory, in bytes, once it has nothing left to do and has given back what it does not need.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) async fn settled_bytes(&self) -> Result<u64, Failure> {
        self.until_idle().await?;
        let (mut least, mut looks) = (self.resident_bytes()?, 0);
        while looks < SETTLED_LOOKS {
            sleep(IDLE_PAUSE).await;
            looks += 1;
            let now = self.resident_bytes()?;
            if now < least {
                (least, looks) = (now, 0);
            }
        }
        Ok(least)
    }

    /// Waits until it does next to nothing, checkpoints in the background included; not for ever.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) async fn until_idle(&self) -> Result<(), Failure> {
        let mut before = self.processor_seconds()?;
        for _ in 0..IDLE_LOOKS_MAX {
            sleep(IDLE_PAUSE).await;
            let now = self.processor_seconds()?;
            if now - before <= IDLE_SHARE * IDLE_PAUSE.as_secs_f64() {
                break;
            }
            before = now;
        }
        Ok(())
    }

    /// Processor time that it has used, in seconds.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn processor_seconds(&self) -> Result<f64, Failure> {
        processor_seconds(self.process())
    }

    /// Opens connections to it.
    ///
    /// # Errors
    /// It cannot be reached.
    pub(crate) async fn connect(&self, count: u16) -> Result<Vec<Channel>, Failure> {
        connect(&self.address, count).await
    }

    /// The lines in which it told of its start; none if it does not tell.
    pub(crate) async fn told_at_start(&self) -> Vec<String> {
        let told = format!("listening on {}", self.address.trim_start_matches("http://"));
        // Lines may come a moment after it serves.
        for _ in 0..TOLD_LOOKS {
            let said = fs::read_to_string(self.folder.said()).unwrap_or_default();
            let lines: Vec<&str> = said.lines().collect();
            if let Some(last) = lines.iter().rposition(|line| line.contains(&told)) {
                let before = lines[..last].iter().rposition(|line| !is_of_start(line));
                let first = before.map_or(0, |line| line + 1);
                return lines[first..=last].iter().map(|&line| line.to_owned()).collect();
            }
            sleep(TOLD_PAUSE).await;
        }
        Vec::new()
    }

    /// What it is and what it has done.
    ///
    /// # Errors
    /// It cannot be reached.
    pub(crate) async fn info(&self) -> Result<GetServerInfoResponse, Failure> {
        let channel = connect(&self.address, 1).await?.remove(0);
        Ok(MonitorServiceClient::new(channel).get_server_info(GetServerInfoRequest {}).await?.into_inner())
    }

    /// Stops it by SIGTERM, waits for its end and returns its folder.
    ///
    /// # Errors
    /// It had ended before, or did not stop.
    pub(crate) async fn stop(self) -> Result<BatonFolder, Failure> {
        self.child.stop(Signal::TERM).await?;
        Ok(self.folder)
    }

    /// Kills it by SIGKILL and returns its folder.
    ///
    /// # Errors
    /// It cannot be killed.
    pub(crate) async fn kill(self) -> Result<BatonFolder, Failure> {
        self.child.kill().await?;
        Ok(self.folder)
    }
}

/// The folder that holds the folders of servers.
pub(crate) fn data_folder(options: &Options) -> PathBuf {
    options.data.clone().unwrap_or_else(|| PathBuf::from("."))
}

/// A new folder in `parent`, removed when dropped.
///
/// # Errors
/// It cannot be made.
pub(crate) fn new_folder(parent: &Path) -> Result<TempDir, Failure> {
    let parent = parent.canonicalize().during(format_args!("using {}", parent.display()))?;
    tempfile::Builder::new()
        .prefix("baton-bench-")
        .tempdir_in(&parent)
        .during(format_args!("making a folder in {}", parent.display()))
}

/// Opens connections to a gRPC server, as every benchmark does for every server.
///
/// # Errors
/// It cannot be reached.
pub(crate) async fn connect(address: &str, count: u16) -> Result<Vec<Channel>, Failure> {
    let endpoint = Endpoint::from_shared(address.to_owned())?.tcp_nodelay(true);
    let mut channels = Vec::with_capacity(count.into());
    for _ in 0..count {
        channels.push(endpoint.connect().await.during(format_args!("connecting to {address}"))?);
    }
    Ok(channels)
}
