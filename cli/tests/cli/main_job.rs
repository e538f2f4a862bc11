//! Tasks, states and hand-offs from the command line, against a real server: data on stdout, and an exit code for each kind of refusal.

use crate::{process::Ended, server::Server};

/// A task `t-1` of triage, which knows the order.
fn with_task() -> Server {
    let server = Server::start();
    let created = [
        "task",
        "create",
        "t-1",
        "--description",
        "charged twice",
        "--agent",
        "triage",
        "--metadata",
        r#"{"tier": 2}"#,
    ];
    assert_eq!(server.baton(&created).code, 0);
    assert_eq!(
        server.baton(&["state", "update", "triage", r#"{"order": {"id": 1142}, "note": "hi"}"#]).code,
        0
    );
    server
}

fn send<'a>(from: &'a str, to: &'a str, reason: &'a str) -> Vec<&'a str> {
    vec!["handoff", "send", "t-1", "--from", from, "--to", to, "--reason", reason]
}

#[test]
fn a_task_is_handed_over_with_its_state_and_its_context() {
    let server = with_task();
    let more =
        ["--keys", "order", "--owner-epoch", "1", "--summary", "charged twice", "--remaining", "refund"];
    let handoff = server.json(&[&send("triage", "billing", "a refund")[..], &more].concat());
    assert_eq!((&handoff["status"], &handoff["owner_epoch"]), (&"completed".into(), &2.into()));
    assert_eq!(
        (&handoff["context"]["summary"], &handoff["context"]["remaining"][0]),
        (&"charged twice".into(), &"refund".into())
    );

    let state = server.json(&["state", "get", "billing"]);
    assert_eq!(state["state"], serde_json::json!({"order": {"id": 1142}}));
    assert_eq!(state["transferred_from"], "triage");

    assert_eq!(
        server.json(&["task", "start", "t-1", "--agent", "billing", "--owner-epoch", "2"])["status"],
        "in_progress"
    );
    let task = server.json(&["task", "progress", "t-1", "40", "--note", "order found"]);
    assert_eq!(
        (&task["progress"]["percent"], &task["progress"]["note"]),
        (&40.into(), &"order found".into())
    );
    let task = server.json(&["task", "complete", "t-1", "--outcome", "refunded"]);
    assert_eq!(
        (&task["status"], &task["outcome"], &task["metadata"]["tier"]),
        (&"completed".into(), &"refunded".into(), &2.into())
    );

    let history = server.json(&["task", "history", "t-1"]);
    let kinds: Vec<&str> =
        history.as_array().expect("a list").iter().filter_map(|entry| entry["type"].as_str()).collect();
    assert_eq!(kinds, ["created", "handoff_completed", "started", "updated", "completed"]);
}

#[test]
fn each_kind_of_refusal_has_its_exit_code() {
    let server = with_task();
    let again = ["task", "create", "t-1", "--description", "d", "--agent", "a"];
    let foreign = ["task", "cancel", "t-1", "--agent", "billing"];
    let moved_on = ["state", "update", "triage", "{}", "--expected-revision", "1"];
    let conflict = ["state", "transfer", "triage", "billing", "--keys", "no_such_key"];
    let cases: [(&[&str], i32, &str); 10] = [
        (&["task", "get", "nope"], 4, "TASK_NOT_FOUND"),
        (&["handoff", "get", "h-999"], 4, "HANDOFF_NOT_FOUND"),
        (&["state", "get", "nobody"], 4, "AGENT_NOT_FOUND"),
        (&["rule", "enable", "gravity"], 4, "RULE_NOT_FOUND"),
        (&again, 5, "TASK_EXISTS"),
        (&foreign, 5, "NOT_OWNER"),
        (&moved_on, 5, "REVISION_MISMATCH"),
        (&conflict, 5, "STATE_CONFLICT"),
        (&["task", "complete", "t-1"], 5, "WRONG_TASK_STATUS"),
        (&["watch", "--from-revision", "99"], 1, "REVISION_IN_FUTURE"),
    ];
    for (args, code, reason) in cases {
        let ended = server.baton(&[args, &["-o", "json"]].concat());
        assert_eq!((ended.code, &*ended.stdout), (code, ""), "{args:?} gave {ended:?}");
        assert_eq!(ended.error()["reason"], reason, "{args:?}");
    }
}

#[test]
fn a_rejected_hand_off_ends_with_6_and_tells_every_violation() {
    let server = with_task();
    let told = |ended: &Ended| {
        ended.stderr.lines().filter(|line| line.starts_with("  ")).map(str::to_owned).collect::<Vec<_>>()
    };

    let ended = server.baton(&send("triage", "triage", ""));
    assert_eq!((ended.code, &*ended.stdout), (6, ""));
    let violations = told(&ended);
    assert_eq!(violations.len(), 2, "{ended:?}");
    assert!(
        violations[0].starts_with("  empty_reason: ") && violations[1].starts_with("  self_handoff: "),
        "{ended:?}"
    );

    let error = server.baton(&[&send("triage", "triage", "")[..], &["-o", "json"]].concat()).error();
    assert_eq!(
        (&error["reason"], &error["code"]),
        (&"HANDOFF_REJECTED".into(), &"FAILED_PRECONDITION".into())
    );
    assert_eq!(error["violations"][1]["subject"], "self_handoff");
    assert!(error["metadata"]["handoff_id"].is_string(), "{error}");
}

#[test]
fn ownership_hides_nothing_else_that_is_wrong() {
    let server = with_task();
    assert_eq!(server.baton(&send("triage", "billing", "a refund")).code, 0);
    let late = server.baton(&send("triage", "triage", ""));
    assert_eq!(late.code, 5, "{late:?}");
    for rule in ["empty_reason", "self_handoff", "not_owner"] {
        assert!(late.stderr.contains(&format!("\n  {rule}: ")), "{late:?}");
    }
}

#[test]
fn a_refusal_says_what_has_to_come_first() {
    let server = with_task();
    let cases: [(&[&str], &str); 5] = [
        (&["task", "complete", "t-1"], "\nhint: start it first: baton task start t-1\n"),
        (&["state", "get", "nobody"], "error: agent nobody has no state;"),
        (
            &["state", "get", "triage", "--at-revision", "1"],
            "error: agent triage had no state at revision 1\n",
        ),
        (&["rule", "enable", "gravity"], "\nhint: list them with: baton rule list\n"),
        (
            &["state", "transfer", "triage", "billing", "--keys", "nokey"],
            "error: state cannot move from triage to billing: key \"nokey\" is not in the sender's state\n",
        ),
    ];
    for (args, said) in cases {
        let ended = server.baton(args);
        assert!(ended.stderr.contains(said), "{args:?} gave {ended:?}");
    }
}

#[test]
fn a_closed_hand_off_stays_as_it_is() {
    let server = with_task();
    let sent = server.json(&send("triage", "billing", "a refund"));
    let id = sent["handoff_id"].as_str().expect("an id");
    let again = server.baton(&["handoff", "execute", id]);
    let said =
        format!("error: hand-off {id} is completed and cannot become completed: only an initiated one can\n");
    assert_eq!((again.code, &*again.stderr), (5, &*said));
}

#[test]
fn a_log_without_records_is_not_said_to_hold() {
    let server = Server::start();
    let misspelt = server.baton(&["verify", "-n", "defualt"]);
    assert_eq!(
        (misspelt.code, &*misspelt.stderr),
        (0, "namespace defualt is empty: there was nothing to verify\n")
    );
}

#[test]
fn validate_asks_without_acting() {
    let server = with_task();
    let ask = |to| ["handoff", "validate", "t-1", "--from", "triage", "--to", to, "--reason", "r"];
    let good = server.baton(&ask("billing"));
    assert_eq!((good.code, &*good.stdout), (0, "✓ valid\n"));
    let bad = server.baton(&ask("triage"));
    assert_eq!(bad.code, 6);
    assert!(bad.stdout.contains("self_handoff"), "{bad:?}");
    assert_eq!(server.json(&["task", "history", "t-1"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_rule_that_is_switched_off_refuses_nothing() {
    let server = with_task();
    assert_eq!(server.json(&["rule", "disable", "empty_reason"])["enabled"], false);
    assert_eq!(server.baton(&send("triage", "billing", "")).code, 0);
    assert_eq!(server.json(&["rule", "enable", "empty_reason"])["enabled"], true);
    assert_eq!(server.baton(&send("billing", "triage", "")).code, 6);
}

#[test]
fn an_initiated_hand_off_is_executed_or_withdrawn() {
    let server = with_task();
    let initiate =
        |to| server.json(&["handoff", "initiate", "t-1", "--from", "triage", "--to", to, "--reason", "r"]);
    let first = initiate("billing");
    let first = first["handoff_id"].as_str().expect("an id");
    assert_eq!(server.json(&["handoff", "withdraw", first, "--reason", "no need"])["status"], "withdrawn");
    let second = initiate("human");
    let second = second["handoff_id"].as_str().expect("an id");
    assert_eq!(server.json(&["handoff", "execute", second])["status"], "completed");
    assert_eq!(server.json(&["handoff", "list", "--status", "completed"]).as_array().map(Vec::len), Some(1));
    assert_eq!(server.json(&["task", "list", "--agent", "human"])[0]["owner_epoch"], 2);
}

#[test]
fn a_repeated_request_id_gives_the_first_answer_again() {
    let server = with_task();
    let once = [&send("triage", "billing", "r")[..], &["--request-id", "r-1"]].concat();
    assert_eq!(server.json(&once), server.json(&once));
    assert_eq!(server.json(&["task", "get", "t-1"])["handoff_count"], 1);
}

#[test]
fn tables_are_for_people_and_lines_of_json_for_programs() {
    let server = with_task();
    let table = server.baton(&["task", "list"]).stdout;
    let mut lines = table.lines();
    let words = |line: Option<&str>| {
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(lines.next()), ["TASK", "STATUS", "OWNER", "EPOCH", "UPDATED", "DESCRIPTION"]);
    assert_eq!(words(lines.next())[..4], ["t-1", "pending", "triage", "1"]);

    let lines = server.baton(&["task", "list", "-o", "jsonl"]).stdout;
    assert_eq!(lines.lines().count(), 1);
    let nothing = server.baton(&["task", "list", "--agent", "nobody"]);
    assert_eq!((nothing.code, &*nothing.stdout, &*nothing.stderr), (0, "", "none\n"));
}

#[test]
fn what_was_answered_is_there_after_a_restart_and_verifies() {
    let server = with_task();
    assert_eq!(server.baton(&send("triage", "billing", "r")).code, 0);
    let (before, summary) = (server.json(&["task", "get", "t-1"]), server.json(&["summary", "--by", "pair"]));
    assert_eq!(server.baton(&["verify"]).code, 0);
    let (status, folder) = server.terminate();
    assert_eq!(status.code(), Some(0));
    let path = folder.path().to_str().expect("a UTF-8 path").to_owned();
    assert_eq!(crate::process::baton(&["verify", "--data", &path]).code, 0);

    let server = Server::on(folder);
    assert_eq!(server.json(&["task", "get", "t-1"]), before);
    assert_eq!(server.json(&["summary", "--by", "pair"]), summary);
    assert_eq!(summary["total"]["completed"], 1);
    assert_eq!(summary["groups"][0]["to_agent"], "billing");
}

#[test]
fn namespaces_keep_to_themselves() {
    let server = with_task();
    assert_eq!(server.baton(&["task", "get", "t-1", "-n", "other"]).code, 4);
    assert_eq!(
        server.baton(&["task", "create", "t-1", "--description", "d", "--agent", "a", "-n", "other"]).code,
        0
    );
    assert_eq!(server.json(&["verify"]).as_array().map(Vec::len), Some(2));
}
