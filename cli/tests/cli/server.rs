//! A real server for one test: `baton serve` as a process, on a folder and a port of its own.
//!
//! Knows nothing of what is asked of it.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Ended, baton, signal};

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub(crate) fn start() -> Self {
        Self::on(tempfile::tempdir().expect("a folder"))
    }

    /// Starts a server on this folder and waits until it is ready.
    pub(crate) fn on(folder: TempDir) -> Self {
        Self::with(folder, &[])
    }

    /// Starts a server on this folder, with more arguments, and waits until it is ready.
    pub(crate) fn with(folder: TempDir, args: &[&str]) -> Self {
        Self::by(Command::new(env!("CARGO_BIN_EXE_baton")), folder, args)
    }

    /// As [`Server::with`], by a command that begins the command line with the binary.
    pub(crate) fn by(mut command: Command, folder: TempDir, args: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "error", "-o", "jsonl", "--data"])
            .arg(folder.path())
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut ready = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut ready).expect("stdout is UTF-8");
        let ready: Value = serde_json::from_str(&ready).expect("a server that is ready says so as JSON");
        let address = ready["listen"].as_str().expect("it says where it listens").to_owned();
        Self { child, address, folder }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Its process id.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Runs `baton` against it.
    pub(crate) fn baton(&self, args: &[&str]) -> Ended {
        baton(&[args, &["--addr", &self.address]].concat())
    }

    /// Runs `baton` against it, and returns what it says as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let ended = self.baton(&[args, &["-o", "json"]].concat());
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{args:?}");
        serde_json::from_str(&ended.stdout).expect("stdout is JSON")
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Sends it SIGTERM and waits for its end; returns that and its folder.
    pub(crate) fn terminate(self) -> (ExitStatus, TempDir) {
        self.end("TERM")
    }

    /// Sends it SIGKILL, so that it can do nothing any more; returns its end and its folder.
    pub(crate) fn kill(self) -> (ExitStatus, TempDir) {
        self.end("KILL")
    }

    fn end(mut self, name: &str) -> (ExitStatus, TempDir) {
        self.signal(name);
        let status = self.child.wait().expect("it ends");
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().expect("a folder"));
        (status, folder)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
