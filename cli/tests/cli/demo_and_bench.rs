//! The demo tells the truth and ends well; the bench gives figures that a program can read.

use std::fs;

use serde_json::Value;

use crate::{process::baton, server::Server};

#[test]
fn the_demo_shows_refusals_and_ends_with_figures_that_agree() {
    let ended = baton(&["demo"]);
    assert_eq!(
        (ended.code, &*ended.stderr),
        (0, "✓ the summary agrees with the histories\n"),
        "{}",
        ended.stdout
    );
    for said in [
        "self_handoff: ",
        "ping_pong: ",
        "✗      triage → engineering",
        "2 rejected, 1 failed",
        "success rate",
    ] {
        assert!(ended.stdout.contains(said), "{said:?} is not in {}", ended.stdout);
    }
    let paths = ended.stdout.lines().filter(|line| line.contains("inbox → triage → "));
    assert_eq!(paths.count(), 12);
}

#[test]
fn the_demo_takes_tickets_of_ones_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.jsonl");
    fs::write(&file, r#"{"id": "only", "topic": "gardening", "description": "the roses have gone"}"#)
        .expect("it is written");
    let ended = baton(&["demo", "--tasks", file.to_str().expect("a UTF-8 path"), "-o", "json"]);
    assert_eq!((ended.code, &*ended.stderr), (0, "✓ the summary agrees with the histories\n"));
    let told: Value = serde_json::from_str(&ended.stdout).expect("stdout is one JSON object");
    assert_eq!(told["tickets"][0]["path"], serde_json::json!(["inbox", "triage", "human"]));
    let total = &told["summary"]["total"];
    assert_eq!(
        (&total["completed"], &total["rejected"], &total["failed"]),
        (&2.into(), &1.into(), &1.into())
    );
}

#[test]
fn the_bench_measures_a_server_and_an_echo_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let quick = [
        "bench",
        "--seconds",
        "1",
        "--warmup",
        "0",
        "--tasks",
        "50",
        "--concurrency",
        "8",
        "--json",
        "--data",
        path,
    ];
    let ended = baton(&quick);
    assert_eq!((ended.code, &*ended.stderr), (0, ""));
    let report: Value = serde_json::from_str(&ended.stdout).expect("stdout is one JSON object");
    let figure = |value: &Value| value.as_f64().unwrap_or_default();
    assert!(
        figure(&report["handoffs_per_second"]) > 0.0 && figure(&report["handoffs_per_fsync"]) > 0.0,
        "{report}"
    );
    assert!(figure(&report["ratio_to_echo"]) > 0.0, "{report}");
    let latency = &report["latency_ms"];
    assert!(figure(&latency["p50"]) > 0.0 && figure(&latency["p50"]) <= figure(&latency["p999"]), "{report}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
}

#[test]
fn a_bench_of_a_given_server_measures_that_server() {
    let server = Server::start();
    let quick = ["bench", "--seconds", "1", "--warmup", "0", "--tasks", "8", "--concurrency", "4"];
    let report = server.json(&quick);
    let completed =
        server.json(&["summary", "-n", "bench"])["total"]["completed"].as_u64().unwrap_or_default();
    assert!(
        completed >= report["handoffs"].as_u64().unwrap_or(u64::MAX),
        "{completed} are too few for {report}"
    );
    assert!(report["echo"].is_null());
    assert_eq!(server.json(&["task", "list"]), serde_json::json!([]));
}
