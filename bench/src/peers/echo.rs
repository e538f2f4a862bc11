//! The echo: this same program as a child process, which answers with prepared messages and keeps nothing.
//!
//! What it costs is what a call costs without Baton. How it answers stands in `echo_server`.

use std::path::{Path, PathBuf};

use prost::Message as _;
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    fs,
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};
use tonic::transport::Channel;

use super::{BatonClient, Peer, baton::Samples};
use crate::{
    baton::{connect, new_folder},
    child::Child,
    echo_server::{GET_TASK_FILE, HAND_OFF_FILE, STREAM_FILE},
    failure::{Failure, While as _},
    recording::write,
};

/// A running echo and connections to it.
pub(crate) struct Echo {
    child: Child,
    address: String,
    channels: Vec<Channel>,
    // Holds the messages; removed when dropped.
    _folder: TempDir,
}

impl Echo {
    /// Starts an echo that answers HandOff and GetTask with `samples`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) async fn start(data: &Path, connections: u16, samples: &Samples) -> Result<Self, Failure> {
        let folder = new_folder(data)?;
        fs::write(folder.path().join(HAND_OFF_FILE), samples.hand_off.encode_to_vec()).await?;
        fs::write(folder.path().join(GET_TASK_FILE), samples.get_task.encode_to_vec()).await?;
        Self::on(folder, connections).await
    }

    /// Starts an echo that streams `messages` to each watcher, again each time it is told to.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) async fn start_streaming(
        data: &Path,
        connections: u16,
        messages: &[bytes::Bytes],
    ) -> Result<Self, Failure> {
        let folder = new_folder(data)?;
        write(&folder.path().join(STREAM_FILE), messages)?;
        Self::on(folder, connections).await
    }

    /// Where it serves, as a URL.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The connections.
    pub(crate) fn channels(&self) -> &[Channel] {
        &self.channels
    }

    async fn on(folder: TempDir, connections: u16) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("echo-server").arg(folder.path());
        let said: PathBuf = folder.path().join("echo.log");
        let (mut child, stdout) = Child::start_piped("echo", command, said)?;
        let mut ready = String::new();
        BufReader::new(stdout).read_line(&mut ready).await?;
        let Some(address) = serde_json::from_str::<Value>(&ready)
            .ok()
            .and_then(|ready| Some(format!("http://{}", ready["listen"].as_str()?)))
        else {
            child.lives()?;
            return Err(Failure::new(format!(
                "the echo did not say where it listens: {}",
                child.last_words()
            )));
        };
        let channels = connect(&address, connections).await.during("reaching the echo")?;
        Ok(Self { child, address, channels, _folder: folder })
    }
}

impl Peer for Echo {
    const NAME: &'static str = "echo";
    type Client = BatonClient;

    fn about(&self) -> String {
        "tonic, the same messages, a thread for each processor; nothing is kept".into()
    }

    async fn client(&self, caller: usize) -> Result<BatonClient, Failure> {
        Ok(BatonClient::of_echo(self.channels[caller % self.channels.len()].clone()))
    }

    async fn stop(self) -> Result<(), Failure> {
        self.child.stop(Signal::TERM).await
    }
}
