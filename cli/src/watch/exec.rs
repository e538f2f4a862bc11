//! Runs the user's command for one event, and waits for its end.
//!
//! Knows what a command is told and how it is ended; what its failure means for the watch is decided elsewhere.

use std::{
    future::pending,
    io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Stdio},
};

use baton_client::Event;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, ChildStdin, Command},
};

use super::stop::Stop;
use crate::output::Output;

/// What a command is told besides the event: where the watch is.
pub(super) struct Setting<'a> {
    /// The namespace that is watched.
    pub(super) namespace: &'a str,
    /// The address as `--addr` takes it.
    pub(super) addr: &'a str,
    /// The log that the revisions belong to.
    pub(super) log_id: &'a str,
}

/// How a command ended.
pub(super) struct Ran {
    /// What went wrong with it, such as `ended with exit code 3`; nothing if it succeeded.
    pub(super) trouble: Option<String>,
    /// Whether the watch was told to end in the meantime.
    pub(super) stop_asked: bool,
}

/// Runs `command` by the shell and returns when it has ended, also when a signal comes: only a second one ends the command, a third one kills it.
pub(super) async fn run(
    command: &str,
    event: &Event,
    setting: &Setting<'_>,
    stop: &mut Stop,
    output: &mut Output,
) -> Ran {
    let mut child = match start(command, event, setting) {
        Ok(child) => child,
        Err(error) => return Ran { trouble: Some(format!("cannot be run: {error}")), stop_asked: false },
    };
    let (group, stdin) = (child.id(), child.stdin.take());
    let mut feeding = Box::pin(feed(stdin, event));
    let mut signals = 0;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = &mut feeding => (),
            () = stop.asked() => {
                signals += 1;
                match signals {
                    1 => output.note(format_args!(
                        "\nwaiting for the command of revision {} to end; interrupt again to end it", event.revision
                    )),
                    2 => signal(group, "TERM").await,
                    _ => signal(group, "KILL").await,
                }
            }
        }
    };
    Ran { trouble: trouble(status), stop_asked: signals > 0 }
}

/// Starts the command in a process group of its own, so that the terminal's Ctrl-C does not cut it off in the middle.
fn start(command: &str, event: &Event, setting: &Setting<'_>) -> io::Result<Child> {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).process_group(0).stdin(Stdio::piped());
    for (name, value) in variables(event, setting) {
        match value {
            Some(value) => shell.env(name, value),
            // It may have been set for a watch within a watch.
            None => shell.env_remove(name),
        };
    }
    shell.spawn()
}

/// What the environment of the command says; nothing where it does not apply to the event.
fn variables(event: &Event, setting: &Setting<'_>) -> [(&'static str, Option<String>); 12] {
    let (task, handoff) = (event.task.as_ref(), event.handoff.as_ref());
    let task_id = handoff.map(|handoff| &handoff.task_id).or(task.map(|task| &task.task_id));
    [
        ("BATON_REVISION", Some(event.revision.to_string())),
        ("BATON_TYPE", Some(event.kind.as_str().to_owned())),
        ("BATON_TASK_ID", task_id.cloned()),
        ("BATON_OWNER_EPOCH", task.map(|task| task.owner_epoch.to_string())),
        ("BATON_HANDOFF_ID", handoff.map(|handoff| handoff.handoff_id.clone())),
        ("BATON_FROM_AGENT", handoff.map(|handoff| handoff.from_agent.clone())),
        ("BATON_TO_AGENT", handoff.map(|handoff| handoff.to_agent.clone())),
        ("BATON_AGENT_ID", event.agent_id.clone()),
        ("BATON_RULE", event.rule.as_ref().map(|rule| rule.name.clone())),
        ("BATON_LOG_ID", Some(setting.log_id.to_owned())),
        // With these two, a `baton` in the command speaks to the server and the namespace that are watched.
        ("BATON_NAMESPACE", Some(setting.namespace.to_owned())),
        ("BATON_ADDR", Some(setting.addr.to_owned())),
    ]
}

/// Writes the event as one line of JSON, and never returns: a command is over when it ends, not when it has read.
async fn feed(stdin: Option<ChildStdin>, event: &Event) {
    if let (Some(mut stdin), Ok(mut line)) = (stdin, serde_json::to_vec(event)) {
        line.push(b'\n');
        // A command that does not read is in its right.
        let _closed = stdin.write_all(&line).await;
    }
    pending::<()>().await;
}

/// Signals the whole process group. The shell does it: what it runs would outlive it otherwise.
async fn signal(group: Option<u32>, name: &str) {
    let Some(group) = group else { return };
    let kill = format!("kill -s {name} -- -{group}");
    // A group that is gone needs no signal.
    let _gone = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status().await;
}

fn trouble(status: io::Result<ExitStatus>) -> Option<String> {
    match status {
        Ok(status) if status.success() => None,
        Ok(status) => Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(number)) => format!("was ended by signal {number}"),
            (None, None) => format!("ended: {status}"),
        }),
        Err(error) => Some(format!("cannot be waited for: {error}")),
    }
}
