//! Runs `baton` once and keeps what it said.
//!
//! Knows nothing of what the commands mean.

use std::{
    ffi::OsString,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
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
    Ended::of(child.wait_with_output().expect("the process ends"))
}

/// Runs a command line as a person would who copies it into a shell.
pub(crate) fn paste(command: &str) -> Ended {
    let folder = Path::new(env!("CARGO_BIN_EXE_baton"));
    let folder = folder.parent().expect("the binary is in a folder");
    let others = std::env::var_os("PATH").unwrap_or_default();
    let mut path = OsString::from(folder);
    path.push(":");
    path.push(others);
    let mut shell = Command::new("sh");
    unset_settings(&mut shell).args(["-c", command]).env("PATH", path).stdin(Stdio::null());
    Ended::of(shell.output().expect("the shell runs"))
}

/// Starts `baton` with these arguments, its three streams piped, and none of the caller's own settings.
pub(crate) fn spawn(args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    unset_settings(&mut command)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Keeps the caller's own settings from a process.
fn unset_settings(command: &mut Command) -> &mut Command {
    ["BATON_ADDR", "BATON_NAMESPACE", "NO_COLOR"].into_iter().fold(command, Command::env_remove)
}

/// Sends a process a signal, such as `TERM`.
pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        }
    }

    /// The error as programs read it.
    pub(crate) fn error(&self) -> Value {
        let parsed: Value = serde_json::from_str(&self.stderr).expect("stderr is one JSON object");
        parsed["error"].clone()
    }
}
