//! What is malformed ends with exit code 2, before any server is asked.

use std::io::Read as _;

use crate::process::{baton, baton_with_input, spawn};

#[test]
fn a_malformed_command_line_ends_with_2_and_says_so_on_stderr() {
    let cases: [(&[&str], &str); 21] = [
        (&["task", "create", "t"], "--description"),
        (&["task", "progress", "t", "101"], "101 is not in 0..=100"),
        (&["task", "list", "--status", "sleeping"], "handed_off"),
        (&["task", "update", "t"], "--description"),
        (&["state", "update", "a", "{}", "--mode", "mend"], "replace"),
        (&["state", "transfer", "a", "b", "--on-conflict", "shrug"], "overwrite"),
        (
            &["handoff", "send", "t", "--from", "a", "--to", "b", "--reason", "r", "--owner-epoch", "0"],
            "0 is not in 1..",
        ),
        (
            &[
                "handoff",
                "send",
                "t",
                "--from",
                "a",
                "--to",
                "b",
                "--reason",
                "r",
                "--no-state",
                "--keys",
                "k",
            ],
            "--keys",
        ),
        (&["watch", "--until", "doomsday"], "completed"),
        (&["summary", "--window", "soon"], "such as 500ms"),
        (&["serve", "--retain", "3"], "3 has no unit: give an age such as 3d, or a size such as 3GiB"),
        (&["serve", "--retain", "5parsecs"], "such as 12h or 30d"),
        (&["serve", "--retain", "30d", "--retain", "7d"], "--retain is given two ages"),
        (&["serve", "--retain", "1KiB"], "retain_bytes is 1024: it must be at least 65536"),
        (&["serve", "--threads", "0"], "threads is 0: it must be at least 1"),
        (&["serve", "--threads", "1025"], "threads is 1025: it must be at most 1024"),
        (&["rule", "list", "--deadline", "0s"], "more than 0"),
        (&["rule", "list", "--addr", "ftp://somewhere"], "ftp://somewhere"),
        (&["rule", "list", "--addr", "localhost:grpc"], "`localhost:grpc` is not an address"),
        (&["rule", "list", "--addr", "[::1]:99999"], "`[::1]:99999` is not an address"),
        (&["state", "get", "a", "--at-revision", "0"], "0 is not in 1.."),
    ];
    for (args, said) in cases {
        let ended = baton(args);
        assert_eq!(ended.code, 2, "{args:?} gave {ended:?}");
        assert!(ended.stderr.contains(said), "{args:?} gave {ended:?}");
        assert_eq!(ended.stdout, "", "{args:?}");
    }
}

#[test]
fn json_that_is_none_is_refused_with_its_place() {
    for args in [["state", "update", "a", r#"{"k":"#], ["state", "update", "a", "@-"]] {
        assert_eq!(baton(&args).code, 2, "{args:?}");
    }
    let ended = baton(&["state", "update", "a", r#"{"k": }"#]);
    assert!(
        ended.stderr.starts_with("error: the state is not valid JSON: expected value at line 1 column 7"),
        "{ended:?}"
    );
    assert!(ended.stderr.contains("\nhint: "), "{ended:?}");

    let ended = baton_with_input(&["state", "update", "a", "-"], "[1]");
    assert_eq!(
        (ended.code, &*ended.stderr),
        (2, "error: the state from stdin must be a JSON object, not an array\n")
    );

    let ended =
        baton(&["task", "create", "t", "--description", "d", "--agent", "a", "--metadata", "@no/such/file"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("the metadata in no/such/file cannot be read"), "{ended:?}");
}

#[test]
fn a_context_with_a_field_that_contexts_lack_is_refused() {
    let handoff = ["handoff", "send", "t", "--from", "a", "--to", "b", "--reason", "r", "--context"];
    for (context, said) in
        [(r#"{"sumary": "x"}"#, "no `sumary`"), (r#"{"completed": "all"}"#, "lists of strings")]
    {
        let ended = baton(&[&handoff[..], &[context]].concat());
        assert_eq!(ended.code, 2, "{context} gave {ended:?}");
        assert!(ended.stderr.contains(said), "{context} gave {ended:?}");
    }
}

#[test]
fn bad_tickets_are_told_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tickets.jsonl");
    let path = file.to_str().expect("a UTF-8 path");
    let good = r#"{"id": "T-1", "topic": "bug", "description": "broken"}"#;
    let cases: [(&[u8], &str); 4] = [
        (b"", ": there are no tickets in it"),
        (b"{\"id\": 7}\n", ":1: `id` must be a string, not a number"),
        (&[good.as_bytes(), b"\n{oops}\n"].concat(), ":2: not valid JSON"),
        (&[good.as_bytes(), b"\n\xff\n"].concat(), ":2: not UTF-8"),
    ];
    for (content, said) in cases {
        std::fs::write(&file, content).expect("the file is written");
        let ended = baton(&["demo", "--tasks", path]);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("error: {path}{said}")), "{ended:?}");
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(baton(&["demo", "--tasks", "no/such/file"]).code, 2);
}

#[test]
fn the_help_tells_the_exit_codes() {
    let ended = baton(&["--help"]);
    assert_eq!(ended.code, 0);
    for line in
        ["Exit codes:", "  0  done", "  4  no such task", "  6  the rules refuse", "  7  verification failed"]
    {
        assert!(ended.stdout.contains(line), "{line:?} is not in {}", ended.stdout);
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ended = baton(&["completions", shell]);
        assert_eq!((ended.code, &*ended.stderr), (0, ""), "{shell}");
        assert!(ended.stdout.contains("handoff") && ended.stdout.contains("on-conflict"), "{shell}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    // The script is longer than a pipe holds, so the process meets the closed end.
    let mut child = spawn(&["completions", "bash"]);
    let mut first = [0; 6];
    child.stdout.take().expect("stdout is piped").read_exact(&mut first).expect("a script");
    assert_eq!(&first, b"_baton");
    let ended = child.wait_with_output().expect("the process ends");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}
