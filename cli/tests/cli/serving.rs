//! `serve` refuses what cannot work before it touches anything, and says what to do.

use std::fs;

use crate::{process::baton, server::Server};

#[test]
fn a_port_in_use_is_an_error_and_no_folder_is_made() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let ended =
        baton(&["serve", "--listen", server.address(), "--data", data.to_str().expect("a UTF-8 path")]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("the port is in use"), "{ended:?}");
    assert!(!data.exists());
}

#[test]
fn settings_that_cannot_work_are_all_told_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("baton.toml");
    let path = file.to_str().expect("a UTF-8 path");
    fs::write(&file, "queue_commands_max = 0\nnamespaces_max = 0\n").expect("the file is written");
    let ended = baton(&["serve", "--config", path, "--listen", "nowhere"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    for said in ["queue_commands_max is 0", "namespaces_max is 0", "listen is \"nowhere\""] {
        assert!(ended.stderr.contains(said), "{said} is not in {ended:?}");
    }
    fs::write(&file, "qeue = 1\n").expect("the file is written");
    let ended = baton(&["serve", "--config", path]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(ended.stderr.contains("qeue"), "{ended:?}");
}
