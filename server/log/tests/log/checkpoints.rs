//! Checkpoints: they stay until they are needed no more, and a damaged one gives way to the older.

use std::fs;
use std::path::{Path, PathBuf};

use baton_log::{Checkpoint, Checkpoints, FileCheckpoints, Hash, MemoryCheckpoints};
use tempfile::TempDir;

fn hash(revision: u64) -> Hash {
    Hash([revision as u8; 32])
}

fn body(namespace: &str, revision: u64) -> Vec<u8> {
    format!("{namespace} at {revision}").repeat(100).into_bytes()
}

fn save(checkpoints: &mut dyn Checkpoints, namespace: &str, revision: u64) {
    checkpoints.save(namespace, revision, hash(revision), 3, &body(namespace, revision)).unwrap();
}

fn revisions(checkpoints: &dyn Checkpoints, namespace: &str) -> Vec<u64> {
    checkpoints.load(namespace).unwrap().iter().map(|checkpoint| checkpoint.revision).collect()
}

fn files(data: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("checkpoints")).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn keeps_what_it_is_told_to(checkpoints: &mut dyn Checkpoints) {
    assert_eq!(revisions(checkpoints, "a"), []);
    for revision in [5, 90, 1_000] {
        save(checkpoints, "a", revision);
        save(checkpoints, "b/../ü", revision * 2);
    }
    assert_eq!(revisions(checkpoints, "a"), [1_000, 90, 5]);
    checkpoints.remove_others("a", &[1_000, 90, 17]);
    assert_eq!(revisions(checkpoints, "a"), [1_000, 90]);
    assert_eq!(revisions(checkpoints, "b/../ü"), [2_000, 180, 10]);
    checkpoints.remove_others("b/../ü", &[180]);
    assert_eq!(revisions(checkpoints, "b/../ü"), [180]);
    checkpoints.remove_others("unknown", &[]);
    let newest = checkpoints.load("a").unwrap().remove(0);
    let body = body("a", 1_000).into();
    let expected = Checkpoint { namespace: "a".into(), revision: 1_000, hash: hash(1_000), format: 3, body };
    assert_eq!(newest, expected);
    save(checkpoints, "a", 1_000);
    assert_eq!(revisions(checkpoints, "a"), [1_000, 90], "saving again replaces");
    checkpoints.save("empty", 1, hash(1), 0, &[]).unwrap();
    assert_eq!(checkpoints.load("empty").unwrap()[0].body.len(), 0);
}

#[test]
fn memory_keeps_what_it_is_told_to() {
    keeps_what_it_is_told_to(&mut MemoryCheckpoints::default());
}

#[test]
fn a_folder_keeps_what_it_is_told_to() {
    let data = TempDir::new().unwrap();
    keeps_what_it_is_told_to(&mut FileCheckpoints::open(data.path()).unwrap());
    assert_eq!(files(data.path()).len(), 4, "two of `a`, one of the others");
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_older_one() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save(&mut checkpoints, "a", 10);
    save(&mut checkpoints, "a", 20);
    let newest = files(data.path()).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    for at in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&newest, bytes).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [10], "byte {at} altered");
    }
    for bytes in [0, 1, 8, 40, 100, whole.len() - 1] {
        fs::write(&newest, &whole[..bytes]).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [10], "cut to {bytes} bytes");
    }
    fs::write(&newest, &whole).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [20, 10]);
    fs::write(&newest, &whole[1..]).unwrap();
    checkpoints.remove_others("a", &[10]);
    assert_eq!(files(data.path()).len(), 1, "a damaged one is removed as any other");
}

#[test]
fn a_checkpoint_under_another_name_is_left_out() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save(&mut checkpoints, "a", 10);
    let file = files(data.path()).pop().unwrap();
    let renamed = file.to_str().unwrap().replace("10.checkpoint", "11.checkpoint");
    fs::copy(&file, renamed).unwrap();
    assert_eq!(files(data.path()).len(), 2);
    assert_eq!(revisions(&checkpoints, "a"), [10]);
}

#[test]
fn an_unfinished_checkpoint_is_swept_away() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save(&mut checkpoints, "a", 10);
    let file = files(data.path()).pop().unwrap();
    fs::write(file.with_extension("unfinished"), "half").unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [10]);
    let checkpoints = FileCheckpoints::open(data.path()).unwrap();
    assert_eq!(files(data.path()), [file]);
    assert_eq!(revisions(&checkpoints, "a"), [10]);
}

#[test]
fn a_folder_that_cannot_be_used_is_an_error_with_its_path() {
    let data = TempDir::new().unwrap();
    fs::write(data.path().join("checkpoints"), "a file").unwrap();
    let checkpoints = FileCheckpoints::open(data.path());
    assert!(checkpoints.unwrap_err().to_string().contains("checkpoints"));
    assert!(FileCheckpoints::open(&data.path().join("missing")).is_err());
}
