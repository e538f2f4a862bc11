//! Checkpoints: they stay until they are needed no more, and a damaged one gives way to the older.

use std::fs;
use std::path::{Path, PathBuf};

use baton_log::{
    CheckpointError, CheckpointHead, Checkpoints, FileCheckpoints, Hash, MemoryCheckpoints, TakePart,
};
use tempfile::TempDir;

fn head(namespace: &str, revision: u64) -> CheckpointHead {
    let hash = Hash([revision as u8; 32]);
    let archived = revision * 7;
    CheckpointHead { namespace: namespace.into(), revision, hash, format: 3, archived, segments: Vec::new() }
}

fn parts(namespace: &str, revision: u64) -> Vec<Vec<u8>> {
    (1..4).map(|part| format!("{namespace} at {revision}").repeat(10 * part).into_bytes()).collect()
}

fn save(checkpoints: &mut dyn Checkpoints, namespace: &str, revision: u64) {
    save_parts(checkpoints, &head(namespace, revision), &parts(namespace, revision)).unwrap();
}

fn save_parts(
    checkpoints: &mut dyn Checkpoints,
    head: &CheckpointHead,
    parts: &[Vec<u8>],
) -> Result<(), CheckpointError> {
    checkpoints
        .save(head, &mut |take: &mut TakePart<'_>| parts.iter().map(Vec::as_slice).try_for_each(&mut *take))
}

/// The parts of a checkpoint, or why they cannot be read.
fn read(checkpoints: &dyn Checkpoints, head: &CheckpointHead) -> Result<Vec<Vec<u8>>, String> {
    let mut opened = checkpoints.open(head).map_err(|error| error.to_string())?;
    let mut parts = Vec::new();
    while let Some(part) = opened.next_part().map_err(|error| error.to_string())? {
        parts.push(part);
    }
    Ok(parts)
}

/// The revisions of the checkpoints that can be read to their end, with what was saved.
fn revisions(checkpoints: &dyn Checkpoints, namespace: &str) -> Vec<u64> {
    let heads = checkpoints.heads(namespace).unwrap().into_iter();
    let whole = heads.filter(|head| match read(checkpoints, head) {
        Ok(read) => {
            assert_eq!(read, parts(namespace, head.revision));
            true
        }
        Err(_) => false,
    });
    whole.map(|head| head.revision).collect()
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
    assert_eq!(checkpoints.heads("a").unwrap()[0], head("a", 1_000));
    save(checkpoints, "a", 1_000);
    assert_eq!(revisions(checkpoints, "a"), [1_000, 90], "saving again replaces");
    let other = CheckpointHead { format: 4, ..head("a", 1_000) };
    assert!(checkpoints.open(&other).is_err(), "what is opened is what was found");
    save_parts(checkpoints, &head("empty", 1), &[]).unwrap();
    assert_eq!(read(checkpoints, &head("empty", 1)), Ok(vec![]));
    let large = [vec![1; 20_000_000], vec![2; 3], vec![3; 9_000_000]];
    save_parts(checkpoints, &head("large", 1), &large).unwrap();
    assert!(read(checkpoints, &head("large", 1)).unwrap() == large);
}

fn leaves_out_what_could_not_be_written(checkpoints: &mut dyn Checkpoints) {
    save(checkpoints, "a", 10);
    let broken = checkpoints.save(&head("a", 20), &mut |take| {
        take(b"a part")?;
        let source = std::io::Error::other("as planned");
        Err(CheckpointError { what: "encode", path: "a".into(), source })
    });
    assert_eq!(broken.unwrap_err().to_string(), "cannot encode a: as planned");
    assert_eq!(checkpoints.heads("a").unwrap(), [head("a", 10)]);
}

#[test]
fn memory_leaves_out_what_could_not_be_written() {
    leaves_out_what_could_not_be_written(&mut MemoryCheckpoints::default());
}

#[test]
fn a_folder_leaves_out_what_could_not_be_written() {
    let data = TempDir::new().unwrap();
    leaves_out_what_could_not_be_written(&mut FileCheckpoints::open(data.path()).unwrap());
    assert_eq!(files(data.path()).len(), 1, "nothing else is left");
}

#[test]
fn memory_keeps_what_it_is_told_to() {
    keeps_what_it_is_told_to(&mut MemoryCheckpoints::default());
}

#[test]
fn a_folder_keeps_what_it_is_told_to() {
    let data = TempDir::new().unwrap();
    keeps_what_it_is_told_to(&mut FileCheckpoints::open(data.path()).unwrap());
    assert_eq!(files(data.path()).len(), 5, "two of `a`, one of the others");
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_older_one() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save(&mut checkpoints, "a", 10);
    save(&mut checkpoints, "a", 20);
    let newest = files(data.path()).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&newest, bytes).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [10], "byte {at} altered");
    }
    for bytes in 0..whole.len() {
        fs::write(&newest, &whole[..bytes]).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [10], "cut to {bytes} bytes");
    }
    fs::write(&newest, [&whole[..], b"!"].concat()).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [10], "one byte too many");
    fs::write(&newest, &whole).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [20, 10]);
    fs::write(&newest, &whole[1..]).unwrap();
    checkpoints.remove_others("a", &[10]);
    assert_eq!(files(data.path()).len(), 1, "a damaged one is removed as any other");
}

#[test]
fn no_part_of_a_damaged_checkpoint_is_given_out_that_is_not_as_it_was() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save(&mut checkpoints, "a", 10);
    let file = files(data.path()).pop().unwrap();
    let (whole, parts) = (fs::read(&file).unwrap(), parts("a", 10));
    let mut given = Vec::new();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x80;
        fs::write(&file, bytes).unwrap();
        let Ok(mut opened) = checkpoints.open(&head("a", 10)) else { continue };
        let mut count = 0;
        while let Ok(Some(part)) = opened.next_part() {
            assert_eq!(part, parts[count], "byte {at} altered");
            count += 1;
        }
        given.push(count);
    }
    assert!(given.is_sorted() && given.first() == Some(&0) && given.last() == Some(&3), "{given:?}");
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
