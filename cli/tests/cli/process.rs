//! Runs `baton` once and keeps what it said.
//!
//! Knows nothing of what the commands mean.

use std::{
    io::Write as _,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code.
    pub(crate) code: i32,
    /// What stands on stdout.
    pub(crate) stdout: String,
    /// What stands on stderr.
    pub(crate) stderr: String,
}

/// Runs `baton` with these arguments, nothing on stdin, and none of the caller's own settings.
pub(crate) fn baton(args: &[&str]) -> Ended {
    baton_with_input(args, "")
}

/// Runs `baton` with these arguments and this on stdin.
pub(crate) fn baton_with_input(args: &[&str], input: &str) -> Ended {
    let mut child = spawn(args);
    // A process that reads nothing may be gone by now: that is its right.
    let _may_be_closed = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the process ends");
    Ended {
        code: output.status.code().expect("it was not killed"),
        stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
    }
}

/// Starts `baton` with these arguments, its three streams piped, and none of the caller's own settings.
pub(crate) fn spawn(args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    for name in ["BATON_ADDR", "BATON_NAMESPACE", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Sends a process a signal, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

impl Ended {
    /// The error as programs read it.
    pub(crate) fn error(&self) -> Value {
        let parsed: Value = serde_json::from_str(&self.stderr).expect("stderr is one JSON object");
        parsed["error"].clone()
    }
}
