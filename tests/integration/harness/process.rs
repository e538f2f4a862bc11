//! A server in a process of its own, so that it can be killed as the system kills.
//!
//! The process is this test binary again: the entry below serves if the environment says so. What runs is `baton_server::serve`, which
//! is all that `baton serve` runs.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use baton_server::{config::Config, metrics::Metrics, shutdown::Shutdown};

use super::config;

/// The data folder that the process is to serve.
const DATA: &str = "BATON_TEST_SERVE";
/// How many bytes of the log it is to keep; all if it is not set.
const RETAIN: &str = "BATON_TEST_RETAIN";
/// Stands before the address in the line that says that it serves.
const LISTENING: &str = "listening on ";

/// A running process. It is killed when dropped.
pub(crate) struct ServerProcess {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl ServerProcess {
    /// Starts one on `data` and waits until it listens.
    pub(crate) fn start(data: &Path) -> Self {
        Self::started(spawn(data, None))
    }

    /// As [`ServerProcess::start`], but it keeps only about so many bytes of the log.
    pub(crate) fn start_retaining(data: &Path, bytes: u64) -> Self {
        Self::started(spawn(data, Some(bytes)))
    }

    fn started(mut child: Child) -> Self {
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let mut said = lines.map(|line| line.expect("the process speaks UTF-8"));
        let address = said.find_map(|line| Some(line.split_once(LISTENING)?.1.parse()));
        let address = address.expect("the process says where it listens").expect("it gives an address");
        Self { address, child }
    }

    /// Starts one on `data` and kills it after `life`, wherever its start has come to.
    pub(crate) fn start_and_kill_after(data: &Path, life: Duration) {
        let mut child = spawn(data, None);
        // The moment of the kill is what this is about; nothing waits for it to have happened.
        std::thread::sleep(life);
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Kills it with SIGKILL: it can do nothing any more.
    pub(crate) fn kill(mut self) -> ExitStatus {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Held for writing while a process is being started, and for reading while a data folder is opened: until it runs its program, a new
/// process holds whatever this one has open, and so also the lock of a folder that its server has just let go.
pub(super) static STARTING: RwLock<()> = RwLock::new(());

fn spawn(data: &Path, retain_bytes: Option<u64>) -> Child {
    let _starting = STARTING.write().unwrap_or_else(PoisonError::into_inner);
    let program = std::env::current_exe().expect("a running program has a path");
    Command::new(program)
        .args(["--exact", "harness::process::a_server_in_a_process_of_its_own_is_reached", "--nocapture"])
        .env(DATA, data)
        .envs(retain_bytes.map(|bytes| (RETAIN, bytes.to_string())))
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again")
}

/// Serves until it is killed.
async fn serve(data: &Path) {
    // Small distances between checkpoints, so that kills meet them being written.
    let config = Config {
        data: data.to_owned(),
        listen: "127.0.0.1:0".into(),
        checkpoint_events: 500,
        retain_bytes: std::env::var(RETAIN).ok().map(|bytes| bytes.parse().expect("a number of bytes")),
        retain_interval_ms: 10,
        ..config()
    };
    let listening = |ready: &baton_server::Ready<'_>| {
        println!("{LISTENING}{}", ready.listen.expect("a bound listener has an address"));
    };
    baton_server::serve(config, Arc::new(Metrics::new()), Shutdown::new(), listening)
        .await
        .expect("the server starts");
}

/// A promise of its own, and the entry of the process that the others start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_in_a_process_of_its_own_is_reached() {
    if let Some(data) = std::env::var_os(DATA) {
        return serve(Path::new(&data)).await;
    }
    let disk = super::Disk::folder();
    let server = ServerProcess::start(disk.path());
    let mut clients = super::Clients::connect(server.address).await;
    assert_eq!(clients.head("").await, 0);
    let status = server.kill();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}
