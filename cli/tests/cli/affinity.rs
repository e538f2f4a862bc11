//! The thread that writes the log works where calls come from many at once, and is held nowhere once they do not.
//!
//! Reads where the system lets that thread run.

use std::{fs, iter, path::PathBuf, thread};

use crate::server::Server;

/// The processors where the thread `name` of `process` may run, as the system lists them; `None`: the process has no such thread.
fn processors(process: u32, name: &str) -> Option<String> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("the process is there");
    let paths: Vec<PathBuf> = threads.map(|thread| thread.expect("a thread").path()).collect();
    let named = |path: &&PathBuf| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name);
    let status = fs::read_to_string(paths.iter().find(named)?.join("status")).expect("a thread has a status");
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Some(allowed.expect("a status tells of processors").trim().to_owned())
}

#[test]
fn the_log_is_written_where_the_calls_are_served_while_several_come_at_once() {
    let server = Server::with(tempfile::tempdir().expect("a folder"), &["--threads", "1"]);
    let of_log = || processors(server.process(), "baton-log").expect("a thread writes the log");
    let anywhere =
        processors(server.process(), "baton").expect("the first thread has the name of the program");
    assert_eq!(of_log(), anywhere);
    let load = ["bench", "--seconds", "1", "--warmup", "0", "--tasks", "64", "--concurrency", "32", "--json"];
    // A machine of one processor has nowhere else.
    let was_held = thread::scope(|scope| {
        let loading = scope.spawn(|| server.json(&load));
        iter::from_fn(|| (!loading.is_finished()).then(of_log)).any(|allowed| allowed.parse::<u32>().is_ok())
    });
    assert!(was_held);
    server.json(&["task", "create", "alone", "--description", "d", "--agent", "a"]);
    assert_eq!(of_log(), anywhere);
}
