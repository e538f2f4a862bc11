//! A server that runs as a child process: what it says goes to a file, a signal stops it, and it is killed when it is forgotten.
//!
//! Knows nothing of what the server serves.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{ChildStdout, Command},
    time::timeout,
};

use crate::failure::{Failure, While as _};

/// Longest that a server may take to stop, log of gigabytes included.
const STOP_TIME_MAX: Duration = Duration::from_secs(300);
/// Bytes of what a server said last that a failure shows.
const LAST_WORDS_BYTES: usize = 2_000;

/// A running child process.
pub(crate) struct Child {
    name: &'static str,
    process: tokio::process::Child,
    id: u32,
    said: PathBuf,
}

impl Child {
    /// Starts `command`; what it says on both its outputs goes into the file `said`.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn start(name: &'static str, command: Command, said: PathBuf) -> Result<Self, Failure> {
        let output = File::create(&said).during(format_args!("creating {}", said.display()))?;
        Self::spawn(name, command, output.try_clone()?.into(), output.into(), said)
    }

    /// Starts `command`; what it says on stderr goes into the file `said`, its stdout to the caller.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(crate) fn start_piped(
        name: &'static str,
        command: Command,
        said: PathBuf,
    ) -> Result<(Self, ChildStdout), Failure> {
        let errors = File::options().create(true).append(true).open(&said);
        let errors = errors.during(format_args!("creating {}", said.display()))?;
        let mut child = Self::spawn(name, command, Stdio::piped(), errors.into(), said)?;
        let stdout = child.process.stdout.take().expect("stdout is piped");
        Ok((child, stdout))
    }

    fn spawn(
        name: &'static str,
        mut command: Command,
        stdout: Stdio,
        stderr: Stdio,
        said: PathBuf,
    ) -> Result<Self, Failure> {
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).kill_on_drop(true);
        let process = command.spawn().during(format_args!("starting {name}"))?;
        let id = process.id().ok_or_else(|| Failure::new(format!("{name} ended at once")))?;
        Ok(Self { name, process, id, said })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Fails if it has ended, with the last that it said.
    ///
    /// # Errors
    /// It has ended.
    pub(crate) fn lives(&mut self) -> Result<(), Failure> {
        match self.process.try_wait()? {
            None => Ok(()),
            Some(status) => {
                Err(Failure::new(format!("{} ended ({status}): {}", self.name, self.last_words())))
            }
        }
    }

    /// The end of what it said.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read(&self.said).unwrap_or_default();
        let from = said.len().saturating_sub(LAST_WORDS_BYTES);
        String::from_utf8_lossy(&said[from..]).trim().to_owned()
    }

    /// Asks it to stop by `signal` and waits until it has; kills it when it takes too long.
    ///
    /// # Errors
    /// It had ended before, or had to be killed.
    pub(crate) async fn stop(mut self, signal: Signal) -> Result<(), Failure> {
        self.lives()?;
        kill_process(self.pid()?, signal)
            .map_err(|error| Failure::new(format!("{} cannot be signalled: {error}", self.name)))?;
        if timeout(STOP_TIME_MAX, self.process.wait()).await.is_ok() {
            return Ok(());
        }
        self.process.kill().await?;
        Err(Failure::new(format!("{} did not stop in {STOP_TIME_MAX:?} and was killed", self.name)))
    }

    /// Kills it with SIGKILL and waits until it is gone.
    ///
    /// # Errors
    /// It cannot be killed.
    pub(crate) async fn kill(mut self) -> Result<(), Failure> {
        Ok(self.process.kill().await?)
    }

    fn pid(&self) -> Result<Pid, Failure> {
        i32::try_from(self.id)
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(|| Failure::new(format!("{} is no id of a process", self.id)))
    }
}

/// A port on loopback that was free a moment ago, for programs that cannot choose one and say which.
///
/// # Errors
/// No port can be opened.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("looking for a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Finds a program on `PATH`, or in one of `folders`.
pub(crate) fn find_program(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(folders.iter().cloned())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
