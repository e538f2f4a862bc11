//! A watch from a revision that the log no longer keeps says what is gone, and how to go on.

use serde_json::Value;

use crate::{
    process::{Ended, paste},
    server::Server,
};

/// More than enough tries for a server that looks every 10 ms what it may forget.
const TRIES_MAX: usize = 2_000;

/// A server that keeps 64 KiB of its log, and was told of 600 KiB.
fn forgetful() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("baton.toml");
    std::fs::write(&config, "retain_interval_ms = 10\n").expect("the folder can be written");
    let config = config.to_str().expect("the path is text").to_owned();
    let server = Server::with(folder, &["--config", &config, "--retain", "64KiB"]);
    let description = "x".repeat(15 * 1024);
    for task in 0..40 {
        let task = format!("t-{task}");
        let created = server.baton(&["task", "create", &task, "--agent", "a", "--description", &description]);
        assert_eq!(created.code, 0, "{created:?}");
    }
    server
}

fn watch_from_the_beginning(server: &Server) -> Ended {
    let arguments =
        ["watch", "--from-revision", "1", "--agent", "a", "--until", "task_created", "-o", "jsonl"];
    server.baton(&arguments)
}

/// The command that a refused watch gives for going on with what is kept; none if it was not refused.
fn what_is_kept(ended: &Ended) -> Option<String> {
    if ended.code == 0 {
        return None;
    }
    let error = ended.error();
    assert_eq!((ended.code, error["reason"].as_str()), (1, Some("REVISION_COMPACTED")), "{ended:?}");
    let hint = error["hint"].as_str().expect("it says how to go on");
    let line = hint.lines().next().expect("a line");
    Some(line.strip_prefix("what is kept: ").expect("it says what is kept").to_owned())
}

#[test]
fn a_watch_of_what_is_gone_says_so_and_gives_the_commands_that_go_on() {
    let server = forgetful();
    for _ in 0..TRIES_MAX {
        let refused = watch_from_the_beginning(&server);
        let Some(command) = what_is_kept(&refused) else { continue };
        let ended = paste(&command);
        if ended.code != 0 {
            // It has forgotten more in between.
            continue;
        }
        let first = ended.stdout.lines().next().expect("an event");
        let first: Value = serde_json::from_str(first).expect("a line is JSON");
        let oldest = first["revision"].as_u64().expect("an event has a revision");
        assert!(command.contains(&format!("--from-revision {oldest} ")), "{command}");
        assert!(refused.stderr.contains(&format!("revisions 1 to {} are gone", oldest - 1)), "{refused:?}");
        return;
    }
    panic!("the server never forgets the beginning");
}
