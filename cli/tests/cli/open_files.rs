//! A server takes as many connections as the system lets it, not as many as a shell lets programs begin with.

use std::process::Command;

use crate::server::Server;

#[test]
fn more_callers_are_served_than_files_may_be_open_at_first() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -Sn 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_baton")]);
    let server = Server::by(shell, tempfile::tempdir().expect("a folder"), &[]);
    let load = ["bench", "--connections", "100", "--concurrency", "100", "--tasks", "100", "--seconds", "1"];
    let figures = server.json(&[&load[..], &["--warmup", "0", "--rounds", "1"]].concat());
    assert_eq!(figures["connections"], 100, "{figures}");
}
