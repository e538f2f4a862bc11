//! `serve` refuses what cannot work before it touches anything, and says what to do.

use std::fs;

use baton_log::{
    SqliteLog, SqliteOptions,
    testing::{append_one, truncate},
};

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

#[test]
fn a_log_whose_beginning_is_in_no_checkpoint_is_not_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = SqliteLog::open(folder.path(), &SqliteOptions::default()).expect("a new log");
    for _ in 0..10 {
        append_one(&mut log, "blue", 2, 100);
    }
    truncate(&mut log, "blue", 9);
    drop(log);
    let path = folder.path().to_str().expect("a UTF-8 path");
    let ended = baton(&["serve", "--listen", "127.0.0.1:0", "--data", path, "-o", "json"]);
    assert_eq!(ended.code, 7, "{ended:?}");
    let error = ended.error();
    assert_eq!(error["reason"], "LOG_DAMAGED");
    let message = error["message"].as_str().expect("it says what is wrong");
    for said in ["namespace blue", "revisions 9 to 20", "restore the folder `checkpoints`"] {
        assert!(message.contains(said), "{said} is not in {message}");
    }
    let ended = baton(&["verify", "--data", path]);
    assert_eq!((ended.code, &*ended.stderr), (0, "✓ the log holds\n"), "the log itself is not damaged");
}

#[test]
fn how_much_is_kept_is_taken_from_flags_and_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("baton.toml");
    let path = file.to_str().expect("a UTF-8 path");
    // What is given for one kind does not touch the other.
    fs::write(&file, "retain_s = 0\nretain_bytes = 1\n").expect("the file is written");
    for (args, refused) in [
        (&["--retain", "30d"][..], &["retain_bytes is 1"][..]),
        (&["--retain", "1GiB"], &["retain_s is 0"]),
        (&["--retain", "1KiB,30d"], &["retain_bytes is 1024"]),
        (&[], &["retain_bytes is 1", "retain_s is 0"]),
    ] {
        let ended = baton(&[&["serve", "--config", path], args].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        for field in ["retain_bytes is", "retain_s is"] {
            let told = refused.iter().find(|told| told.starts_with(field));
            assert!(ended.stderr.contains(told.unwrap_or(&"")), "{args:?}: {ended:?}");
            assert_eq!(ended.stderr.contains(field), told.is_some(), "{args:?}: {ended:?}");
        }
    }
}
