//! A server that is not there ends with exit code 3 and says how to start one.

use std::net::TcpListener;

use crate::process::baton;

/// An address where nobody listens: the port was free a moment ago.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").to_string()
}

#[test]
fn every_command_that_asks_a_server_ends_with_3() {
    let addr = nobody();
    let commands: [&[&str]; 8] = [
        &["task", "get", "t"],
        &["task", "list"],
        &["state", "get", "a"],
        &["handoff", "send", "t", "--from", "a", "--to", "b", "--reason", "r"],
        &["rule", "list"],
        &["watch"],
        &["summary"],
        &["verify"],
    ];
    for command in commands {
        let ended = baton(&[command, &["--addr", &addr]].concat());
        assert_eq!((ended.code, &*ended.stdout), (3, ""), "{command:?} gave {ended:?}");
        assert!(ended.stderr.starts_with("error: "), "{command:?} gave {ended:?}");
        assert!(ended.stderr.contains("Connection refused"), "{command:?} gave {ended:?}");
        assert!(ended.stderr.contains("\nhint: start one with: baton serve"), "{command:?} gave {ended:?}");
    }
}

#[test]
fn programs_get_the_error_as_one_json_object() {
    let addr = nobody();
    for format in ["json", "jsonl"] {
        let ended = baton(&["task", "get", "t", "-o", format, "--addr", &addr]);
        let error = ended.error();
        assert_eq!(ended.code, 3);
        assert_eq!(
            (&error["reason"], &error["code"]),
            (&"UNREACHABLE".into(), &"UNAVAILABLE".into()),
            "{error}"
        );
        assert!(error["message"].as_str().is_some_and(|message| message.contains(&addr)), "{error}");
        assert!(error["violations"].is_array() && error["metadata"].is_object(), "{error}");
    }
}

#[test]
fn an_error_has_no_colour_unless_it_is_asked_for() {
    let addr = nobody();
    let plain = baton(&["rule", "list", "--addr", &addr]);
    assert!(!plain.stderr.contains('\x1b'), "{plain:?}");
    let colored = baton(&["rule", "list", "--addr", &addr, "--color", "always"]);
    assert!(colored.stderr.contains("\x1b["), "{colored:?}");
}
