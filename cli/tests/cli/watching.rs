//! A watch gives every event once, ends where it is told to, and says how to go on when it is interrupted.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

use crate::{
    process::{Ended, baton, paste, signal, spawn},
    proxy::Proxy,
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

/// A watch that has given a first line, told to end by a signal; what it says then.
fn interrupted(args: &[&str], name: &str) -> Ended {
    let mut watch = spawn(args);
    let mut stdout = BufReader::new(watch.stdout.take().expect("stdout is piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    signal(&watch, name);
    let ended = watch.wait_with_output().expect("it ends");
    Ended {
        code: ended.status.code().expect("it ends by itself"),
        stdout: line,
        stderr: String::from_utf8(ended.stderr).expect("stderr is UTF-8"),
    }
}

fn resume(ended: &Ended) -> String {
    let again = ended.stderr.trim().split_once("resume with: ");
    again.unwrap_or_else(|| panic!("it does not say how to resume: {ended:?}")).1.to_owned()
}

#[test]
fn an_interrupted_watch_says_how_to_go_on() {
    for name in ["INT", "TERM"] {
        let server = with_handoff();
        let watch = ["watch", "--from-revision", "1", "--agent", "billing", "--addr", server.address()];
        let ended = interrupted(&watch, name);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stdout.contains("triage → billing"), "{ended:?}");
        let again = resume(&ended);
        assert!(again.starts_with("baton watch --from-revision 4 --log-id "), "{again}");

        let send = ["handoff", "send", "t-1", "--from", "billing", "--to", "human", "--reason", "sign"];
        assert_eq!(server.baton(&send).code, 0);
        let resumed = paste(&format!("{again} --until completed"));
        assert_eq!((resumed.code, resumed.stdout.lines().count()), (0, 1), "{resumed:?}");
        assert!(resumed.stdout.contains("billing → human"), "{resumed:?}");
    }
}

#[test]
fn the_command_that_resumes_has_every_option_that_was_given() {
    let server = Server::start();
    let odd = "it's $HOME's \"desk\"";
    // The place first, for after `--` there are no options.
    let done = |args: &[&str]| {
        let args = [&["--addr", server.address(), "-n", odd], args].concat();
        assert_eq!(baton(&args).code, 0, "{args:?}");
    };
    done(&["task", "create", "--description", "d", "--agent", odd, "--", "-t 1"]);
    done(&["state", "update", odd, r#"{"order": 1142}"#]);
    let given = [
        "--task=-t 1",
        "--agent",
        odd,
        "--type",
        "task_created",
        "--type",
        "handoff_failed",
        "--all",
        "--until",
        "completed",
        "--exec",
        ": \"it's\nfine\"",
        "--keep-going",
        "--namespace",
        odd,
        "--addr",
        server.address(),
        "--deadline",
        "1m",
        "--output",
        "jsonl",
        "--color",
        "never",
    ];
    let ended = interrupted(&[&["watch", "--from-revision", "1"], &given[..]].concat(), "TERM");
    let again = resume(&ended);
    let quoted = r#"'it'\''s $HOME'\''s "desk"'"#;
    let options = format!(
        " --task='-t 1' --agent {quoted} --type task_created --type handoff_failed --all --until handoff_completed \
         --exec ': \"it'\\''s\nfine\"' --keep-going --namespace {quoted} --addr {} --deadline 60000ms --output jsonl \
         --color never",
        server.address()
    );
    let (place, rest) = again.split_once(" --task").expect("the task is among the options");
    assert_eq!(format!(" --task{rest}"), options);
    // The state's change at revision 2 is told of as passed: the filter leaves it out.
    assert!(place.starts_with("baton watch --from-revision 3 --log-id "), "{place}");

    // What a person pastes gives what is next.
    done(&["handoff", "send", "--from", odd, "--to", "b", "--reason", "r", "--", "-t 1"]);
    let resumed = paste(&again);
    assert_eq!((resumed.code, &*resumed.stderr), (0, ""), "{again}");
    let event: Value = serde_json::from_str(&resumed.stdout).expect("one line of JSON");
    assert_eq!((&event["revision"], &event["type"]), (&3.into(), &"handoff_completed".into()));
}

#[test]
fn a_watch_that_began_with_a_snapshot_resumes_after_it() {
    let server = with_handoff();
    let initiate = ["handoff", "initiate", "t-1", "--from", "billing", "--to", "human", "--reason", "r"];
    let open = server.json(&initiate);
    let ended = interrupted(&["watch", "--snapshot", "--addr", server.address()], "INT");
    assert!(ended.stdout.contains("billing → human"), "{ended:?}");
    let again = resume(&ended);
    assert!(again.starts_with("baton watch --from-revision 5 --log-id "), "{again}");
    assert!(!again.contains("--snapshot"), "{again}");

    let id = open["handoff_id"].as_str().expect("an id");
    assert_eq!(server.baton(&["handoff", "execute", id]).code, 0);
    let resumed = paste(&format!("{again} --until completed"));
    assert_eq!((resumed.code, resumed.stdout.lines().count()), (0, 1), "{resumed:?}");
}

#[test]
fn a_reader_that_has_seen_enough_ends_the_watch_quietly() {
    let server = with_handoff();
    let watch = ["watch", "--from-revision", "1", "--all", "-o", "jsonl", "--addr", server.address()];
    let mut watch = spawn(&watch);
    let mut first = String::new();
    BufReader::new(watch.stdout.take().expect("stdout is piped")).read_line(&mut first).expect("a line");
    assert!(first.contains("task_created"), "{first}");
    // The reader is gone; the next line that the watch writes tells it so.
    let send = ["handoff", "send", "t-1", "--from", "billing", "--to", "human", "--reason", "sign"];
    assert_eq!(server.baton(&send).code, 0);
    let ended = watch.wait_with_output().expect("the process ends");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_its_server_but_not_its_log() {
    let server = with_handoff();
    let proxy = Proxy::before(server.address()).await;
    let mut watch =
        spawn(&["watch", "--from-revision", "3", "--agent", "billing", "--addr", &proxy.address()]);
    let mut stdout = BufReader::new(watch.stdout.take().expect("stdout is piped"));
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        line
    };
    assert!(line().contains("triage → billing"));
    let (_, folder) = server.kill();
    let server = Server::on(folder);
    proxy.point_to(server.address());
    let send = ["handoff", "send", "t-1", "--from", "billing", "--to", "human", "--reason", "sign"];
    assert_eq!(server.baton(&send).code, 0);
    assert!(line().contains("billing → human"));

    let _gone = server.kill();
    let other = with_handoff();
    proxy.point_to(other.address());
    let ended = watch.wait_with_output().expect("it ends");
    let stderr = String::from_utf8(ended.stderr).expect("stderr is UTF-8");
    assert_eq!(ended.status.code(), Some(5), "{stderr}");
    assert!(stderr.starts_with("error: the cursor is of another log"), "{stderr}");
    let again = format!(
        "\nhint: what is open now, and then what happens: baton watch --snapshot --agent billing --addr {}\n",
        proxy.address()
    );
    assert!(stderr.ends_with(&again), "{stderr}");
}
