//! `watch --exec`: one command per event, one after the other, each event at least once.
//!
//! The commands are real ones, run by the real shell. What has to happen before something else is waited for, never slept for.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, ChildStdout, Command},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    process::{Ended, paste, signal, spawn},
    server::Server,
};

/// So many hand-offs follow the task's creation at revision 1: revisions 2 and on.
const HANDOFFS: u64 = 6;
/// The last revision.
const HEAD: u64 = HANDOFFS + 1;

/// A server with a task that has travelled, and ended.
fn travelled() -> Server {
    let server = Server::start();
    let done = |args: &[&str]| assert_eq!(server.baton(args).code, 0, "{args:?}");
    done(&["task", "create", "t-1", "--description", "d", "--agent", "agent 1"]);
    for stop in 1..=HANDOFFS {
        let (from, to) = (format!("agent {stop}"), format!("agent {}", stop + 1));
        done(&["handoff", "send", "t-1", "--from", &from, "--to", &to, "--reason", "it's next"]);
    }
    server
}

/// A folder for what commands leave behind.
struct Traces(TempDir);

impl Traces {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// A path in the folder; without anything that a shell would take apart.
    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a UTF-8 path").to_owned()
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn revisions(&self, name: &str) -> Vec<u64> {
        self.lines(name).iter().map(|line| line.parse().expect("a revision")).collect()
    }

    /// Makes a pipe by whose opening two processes meet.
    fn pipe(&self, name: &str) -> String {
        let path = self.path(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo runs").success());
        path
    }
}

/// The command that stands after `label`.
fn resume(stderr: &str, label: &str) -> String {
    let found = stderr.lines().find_map(|line| line.split_once(label));
    found.unwrap_or_else(|| panic!("{label:?} is not in {stderr}")).1.to_owned()
}

#[test]
fn a_command_is_told_the_event_on_stdin_and_in_its_environment() {
    let server = Server::start();
    let done = |args: &[&str]| {
        let args = [args, &["-n", "desk 1"]].concat();
        assert_eq!(server.baton(&args).code, 0, "{args:?}");
    };
    done(&["task", "create", "t 1", "--description", "d", "--agent", "triage"]);
    done(&["state", "update", "triage", r#"{"order": 1142}"#]);
    done(&["rule", "disable", "empty_reason"]);
    done(&["handoff", "send", "t 1", "--from", "triage", "--to", "it's $me", "--reason", "r"]);
    let traces = Traces::new();
    let names = [
        "REVISION",
        "TYPE",
        "NAMESPACE",
        "ADDR",
        "TASK_ID",
        "OWNER_EPOCH",
        "HANDOFF_ID",
        "FROM_AGENT",
        "TO_AGENT",
        "AGENT_ID",
        "RULE",
    ];
    let told: String = names.map(|name| format!("${{BATON_{name}-unset}}|")).concat();
    let command = format!("printf '%s\\n' \"{told}\" >> {}; cat", traces.path("told"));
    let ended = server.baton(&[
        "watch",
        "--from-revision",
        "1",
        "--all",
        "--until",
        "completed",
        "-n",
        "desk 1",
        "-o",
        "jsonl",
        "--exec",
        &command,
    ]);
    assert_eq!((ended.code, &*ended.stderr), (0, ""), "{ended:?}");
    let here = format!("desk 1|{}", server.address());
    assert_eq!(
        traces.lines("told"),
        [
            format!("1|task_created|{here}|t 1|1|unset|unset|unset|unset|unset|"),
            format!("2|state_updated|{here}|unset|unset|unset|unset|unset|triage|unset|"),
            format!("3|rule_removed|{here}|unset|unset|unset|unset|unset|unset|empty_reason|"),
            format!("4|handoff_completed|{here}|t 1|2|h-4|triage|it's $me|unset|unset|"),
        ]
    );
    // Each line is there as shown by the watch, and again as the command got it and passed it on.
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 8, "{ended:?}");
    for (pair, revision) in lines.chunks(2).zip(1..) {
        assert_eq!(pair[0], pair[1]);
        let event: Value = serde_json::from_str(pair[0]).expect("a line is JSON");
        assert_eq!(event["revision"], revision);
    }
}

#[test]
fn what_does_not_apply_is_unset_even_in_a_watch_within_a_watch() {
    let server = travelled();
    let inner = format!(
        r#"{} watch --from-revision 1 --all --until task_created --exec 'echo "${{BATON_TO_AGENT-unset}}"' -o jsonl"#,
        env!("CARGO_BIN_EXE_baton")
    );
    let outer = format!(r#"echo "$BATON_TO_AGENT"; {inner}"#);
    let ended = server.baton(&["watch", "--from-revision", "2", "--until", "completed", "--exec", &outer]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!((lines[1], lines[3]), ("agent 2", "unset"), "{ended:?}");
}

#[test]
fn commands_run_one_at_a_time_in_the_order_of_revisions_and_until_waits_for_its_own() {
    let server = travelled();
    assert_eq!(server.baton(&["task", "cancel", "t-1"]).code, 0);
    let traces = Traces::new();
    let (lock, ran) = (traces.path("lock"), traces.path("ran"));
    let command = format!("mkdir {lock} && echo $BATON_REVISION >> {ran} && rmdir {lock}");
    let ended =
        server.baton(&["watch", "--from-revision", "1", "--until", "task_cancelled", "--exec", &command]);
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    assert_eq!(traces.revisions("ran"), (2..=HEAD + 1).collect::<Vec<_>>());
}

#[test]
fn a_command_that_does_not_read_or_reads_late_is_served() {
    let server = travelled();
    assert_eq!(server.baton(&["rule", "disable", "context_size"]).code, 0);
    // More than a pipe holds, so that somebody has to wait.
    let context = format!(r#"{{"summary": "{}"}}"#, "x".repeat(100_000));
    let from = format!("agent {HEAD}");
    let send =
        ["handoff", "send", "t-1", "--from", &from, "--to", "x", "--reason", "r", "--context", &context];
    let sent = server.baton(&send);
    assert_eq!(sent.code, 0, "{sent:?}");
    let from = (HEAD + 2).to_string();
    for (command, bytes_min) in [("true", 0), ("exec 0<&-; echo 7", 0), ("echo late; wc -c", 100_000)] {
        let ended =
            server.baton(&["watch", "--from-revision", &from, "--until", "completed", "--exec", command]);
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{command}");
        let read = ended.stdout.lines().last().and_then(|line| line.trim().parse::<u64>().ok());
        assert!(read.unwrap_or_default() >= bytes_min, "{command} gave {ended:?}");
    }
}

#[test]
fn a_command_that_fails_ends_the_watch_and_the_event_comes_again() {
    let server = travelled();
    for (end, said) in [("exit 3", "ended with exit code 3"), ("kill -KILL $$", "was ended by signal 9")] {
        let traces = Traces::new();
        let (failed, ran) = (traces.path("failed once"), traces.path("ran"));
        let command = format!(
            "test $BATON_REVISION != 4 || test -e '{failed}' || {{ touch '{failed}'; {end}; }}; \
             echo $BATON_REVISION >> {ran}; test $BATON_REVISION != {HEAD} || echo \"it's done\" >&2"
        );
        let watch = ["watch", "--from-revision", "3", "--exec", &command, "--deadline", "7s"];
        let first = server.baton(&watch);
        assert_eq!(first.code, 1, "{first:?}");
        assert!(first.stderr.contains(&format!("error: the command for revision 4 {said}\n")), "{first:?}");
        assert_eq!(traces.revisions("ran"), [3]);
        let again = resume(&first.stderr, "resume with that event: ");
        assert!(again.starts_with("baton watch --from-revision 4 --log-id "), "{again}");

        let cancelled = format!("{again} --until completed --task t-1");
        let second = paste(&cancelled);
        assert_eq!((second.code, &*second.stderr), (0, ""), "{cancelled}");
        assert_eq!(traces.revisions("ran"), [3, 4]);
    }
}

#[test]
fn programs_read_the_failure_as_json() {
    let server = travelled();
    let ended = server.baton(&["watch", "--from-revision", "2", "--exec", "exit 4", "-o", "jsonl"]);
    let error = ended.error();
    assert_eq!((ended.code, &error["reason"]), (1, &"EXEC_FAILED".into()));
    assert_eq!(error["metadata"]["revision"], "2");
    let hint = error["hint"].as_str().expect("it says how to go on");
    assert!(hint.starts_with("resume with that event: baton watch --from-revision 2 "), "{hint}");
}

#[test]
fn failures_may_be_passed_over() {
    let server = travelled();
    assert_eq!(server.baton(&["task", "cancel", "t-1"]).code, 0);
    let traces = Traces::new();
    let command = format!("echo $BATON_REVISION >> {}; test $BATON_REVISION != 4", traces.path("ran"));
    let ended = server.baton(&[
        "watch",
        "--from-revision",
        "1",
        "--until",
        "task_cancelled",
        "--keep-going",
        "--exec",
        &command,
    ]);
    let said = "warning: the command for revision 4 ended with exit code 1\n";
    assert_eq!((ended.code, &*ended.stderr), (0, said));
    assert_eq!(traces.revisions("ran"), (2..=HEAD + 1).collect::<Vec<_>>());
    assert_eq!(server.baton(&["watch", "--keep-going"]).code, 2, "there is nothing to keep going");
}

#[test]
fn a_reader_that_leaves_takes_no_event_from_the_command() {
    let server = travelled();
    let traces = Traces::new();
    let (gate, ran) = (traces.pipe("gate"), traces.path("ran"));
    let command = format!("echo $BATON_REVISION >> {ran}; cat < {gate} > /dev/null");
    let args = ["watch", "--from-revision", "2", "--addr", server.address(), "--exec", &command];
    let mut watch = spawn(&args);
    let mut line = String::new();
    BufReader::new(watch.stdout.take().expect("stdout is piped")).read_line(&mut line).expect("a line");
    fs::write(&gate, "go on").expect("the command waits at the gate");
    let ended = watch.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(ended.stderr).expect("stderr is UTF-8");
    assert_eq!((ended.status.code(), traces.revisions("ran")), (Some(0), vec![2]), "{stderr}");
    assert!(resume(&stderr, "resume with: ").starts_with("baton watch --from-revision 3 "), "{stderr}");
}

/// A watch whose command is running.
struct Running {
    watch: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    /// Starts it and waits until the command says `begun`.
    fn start(server: &Server, command: &str, options: &[&str]) -> Self {
        let args = ["watch", "--from-revision", "3", "--addr", server.address(), "--exec", command];
        let mut watch = spawn(&[&args[..], options].concat());
        let stdout = BufReader::new(watch.stdout.take().expect("stdout is piped"));
        let stderr = BufReader::new(watch.stderr.take().expect("stderr is piped"));
        let mut running = Self { watch, stdout, stderr };
        while running.line() != "begun\n" {}
        running
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.stdout.read_line(&mut line).expect("stdout is UTF-8"), 0, "it has ended");
        line
    }

    /// Sends a signal, and waits until the watch says that it has heard it.
    fn interrupt(&mut self, name: &str) {
        signal(&self.watch, name);
        let mut said = String::new();
        while !said.contains("waiting for the command of revision 3 to end") {
            assert_ne!(self.stderr.read_line(&mut said).expect("stderr is UTF-8"), 0, "it has ended: {said}");
        }
    }

    fn end(mut self) -> Ended {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("stdout is UTF-8");
        self.stderr.read_to_string(&mut stderr).expect("stderr is UTF-8");
        let code = self.watch.wait().expect("it ends").code().expect("it was not killed");
        Ended { code, stdout, stderr }
    }
}

#[test]
fn an_interrupted_watch_lets_the_command_end_and_resumes_after_it() {
    let server = travelled();
    for name in ["INT", "TERM"] {
        let traces = Traces::new();
        let (gate, ran) = (traces.pipe("gate"), traces.path("ran"));
        let command = format!("echo begun; cat < {gate}; echo \"it's $BATON_REVISION\" >> {ran}");
        let mut running = Running::start(&server, &command, &["--agent", "agent 3"]);
        running.interrupt(name);
        // Who opens the other end lets the command go on.
        fs::write(&gate, "the gate is open\n").expect("the command waits at the gate");
        let ended = running.end();
        assert_eq!((ended.code, &*ended.stdout), (0, "the gate is open\n"), "{ended:?}");
        assert_eq!(traces.lines("ran"), ["it's 3"], "{name}");

        let again = resume(&ended.stderr, "resume with: ");
        assert!(again.starts_with("baton watch --from-revision 4 --log-id "), "{again}");
        assert!(again.contains(" --agent 'agent 3' "), "{again}");
        // A gate that is a plain file stops nobody.
        fs::remove_file(&gate).expect("it is there");
        fs::write(&gate, "").expect("a file");
        let resumed = paste(&format!("{again} --until completed"));
        assert_eq!((resumed.code, &*resumed.stderr), (0, ""), "{resumed:?}");
        assert_eq!(traces.lines("ran"), ["it's 3", "it's 4"]);
    }
}

#[test]
fn a_second_signal_ends_the_command_and_its_event_comes_again() {
    let server = travelled();
    // Whether or not failures are passed over: this one says nothing about the event.
    for options in [&[][..], &["--keep-going"]] {
        let traces = Traces::new();
        let gate = traces.pipe("gate");
        let command = format!("echo begun; cat < {gate}");
        let mut running = Running::start(&server, &command, options);
        running.interrupt("INT");
        signal(&running.watch, "TERM");
        let ended = running.end();
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(
            ended.stderr.contains("error: the command for revision 3 was ended by signal 15\n"),
            "{ended:?}"
        );
        let again = resume(&ended.stderr, "resume with that event: ");
        assert!(again.starts_with("baton watch --from-revision 3 --log-id "), "{again}");
    }
}

#[test]
fn a_command_that_ignores_signals_is_killed_by_the_third() {
    let server = travelled();
    let traces = Traces::new();
    let gate = traces.pipe("gate");
    let command = format!("trap 'echo deaf' TERM; echo begun; while true; do cat < {gate}; done");
    let mut running = Running::start(&server, &command, &[]);
    running.interrupt("INT");
    signal(&running.watch, "INT");
    while running.line() != "deaf\n" {}
    signal(&running.watch, "INT");
    let ended = running.end();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("the command for revision 3 was ended by signal 9\n"), "{ended:?}");
}
