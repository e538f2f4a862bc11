//! A watch gives every event once, ends where it is told to, and says how to go on when it is interrupted.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::{
    process::{signal, spawn},
    server::Server,
};

/// A server with three revisions: a task, a state, a hand-off.
fn with_handoff() -> Server {
    let server = Server::start();
    let commands: [&[&str]; 3] = [
        &["task", "create", "t-1", "--description", "d", "--agent", "triage"],
        &["state", "update", "triage", r#"{"order": 1142}"#],
        &["handoff", "send", "t-1", "--from", "triage", "--to", "billing", "--reason", "r"],
    ];
    for command in commands {
        assert_eq!(server.baton(command).code, 0, "{command:?}");
    }
    server
}

#[test]
fn a_watch_gives_a_line_per_event_and_ends_where_it_is_told_to() {
    let server = with_handoff();
    let ended =
        server.baton(&["watch", "--from-revision", "1", "--all", "--until", "completed", "-o", "jsonl"]);
    assert_eq!(ended.code, 0);
    let event = |line| serde_json::from_str::<Value>(line).expect("a line is JSON");
    let kinds: Vec<_> = ended.stdout.lines().map(|line| event(line)["type"].clone()).collect();
    assert_eq!(kinds, ["task_created", "state_updated", "handoff_completed"]);
}

#[test]
fn a_task_is_watched_to_its_end_by_the_type_of_event() {
    let server = with_handoff();
    assert_eq!(server.baton(&["task", "cancel", "t-1", "--outcome", "no need"]).code, 0);
    let ended =
        server.baton(&["watch", "--from-revision", "1", "--task", "t-1", "--until", "task_cancelled"]);
    assert_eq!(ended.code, 0);
    assert_eq!(ended.stdout.lines().count(), 2, "only the hand-off and the end: {}", ended.stdout);
    assert!(
        ended.stdout.contains("triage → billing") && ended.stdout.contains("no need"),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_interrupted_watch_says_how_to_go_on() {
    let server = with_handoff();
    let mut watch =
        spawn(&["watch", "--from-revision", "1", "--agent", "billing", "--addr", server.address()]);
    let mut line = String::new();
    BufReader::new(watch.stdout.as_mut().expect("stdout is piped")).read_line(&mut line).expect("a line");
    assert!(line.contains("triage → billing"), "{line}");
    signal(&watch, "INT");
    let ended = watch.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(ended.stderr).expect("stderr is UTF-8");
    assert_eq!(ended.status.code(), Some(0));
    let command =
        stderr.trim().strip_prefix("resume with: baton ").expect("it says how to resume").to_owned();
    assert!(command.starts_with("watch --from-revision 4 --log-id "), "{command}");
    assert!(command.contains(" --agent billing "), "{command}");

    assert_eq!(
        server
            .baton(&["handoff", "send", "t-1", "--from", "billing", "--to", "human", "--reason", "sign"])
            .code,
        0
    );
    let words: Vec<&str> = command.split(' ').chain(["--until", "completed"]).collect();
    let resumed = crate::process::baton(&words);
    assert_eq!((resumed.code, resumed.stdout.lines().count()), (0, 1), "{resumed:?}");
    assert!(resumed.stdout.contains("billing → human"), "{resumed:?}");
}
