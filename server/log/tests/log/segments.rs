//! Segments: written once, read with each checkpoint that builds on them, and gone with the last of these.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use baton_log::{
    CheckpointError, CheckpointHead, Checkpoints, FileCheckpoints, Hash, MemoryCheckpoints, Segment,
    SegmentHead, SegmentPart, TakePart,
};
use tempfile::TempDir;

fn segment_head(namespace: &str, first: u64, last: u64) -> SegmentHead {
    SegmentHead { namespace: namespace.into(), first, last, count: last - first, format: 3 }
}

fn parts_of_segment(first: u64, last: u64) -> Vec<Vec<u8>> {
    (1..3).map(|part| format!("items {first} to {last}").repeat(5 * part).into_bytes()).collect()
}

fn save_segment(checkpoints: &mut dyn Checkpoints, namespace: &str, first: u64, last: u64) -> Segment {
    let (head, parts) = (segment_head(namespace, first, last), parts_of_segment(first, last));
    let saved = checkpoints.save_segment(&head, &mut |take| give(&parts, take)).unwrap();
    assert_eq!((saved.first, saved.last, saved.count), (first, last, last - first));
    assert!(checkpoints.has_segment(namespace, &saved));
    saved
}

fn give(parts: &[Vec<u8>], take: &mut TakePart<'_>) -> Result<(), CheckpointError> {
    parts.iter().try_for_each(|part| take(part))
}

fn head(namespace: &str, revision: u64, segments: &[Segment]) -> CheckpointHead {
    let (hash, segments) = (Hash([revision as u8; 32]), segments.to_vec());
    CheckpointHead { namespace: namespace.into(), revision, hash, format: 3, archived: 0, segments }
}

fn save(checkpoints: &mut dyn Checkpoints, head: &CheckpointHead) {
    let own = own_part(head);
    checkpoints.save(head, &mut |take| take(&own)).unwrap();
}

fn own_part(head: &CheckpointHead) -> Vec<u8> {
    format!("the rest at {}", head.revision).into_bytes()
}

/// The revisions of the checkpoints that can be read to their end, with the segments that they build on before them.
fn revisions(checkpoints: &dyn Checkpoints, namespace: &str) -> Vec<u64> {
    let heads = checkpoints.heads(namespace).unwrap().into_iter();
    let whole = heads.filter(|head| read(checkpoints, head).is_ok());
    whole.map(|head| head.revision).collect()
}

fn read(checkpoints: &dyn Checkpoints, head: &CheckpointHead) -> Result<(), String> {
    let in_segments = head.segments.iter().flat_map(|segment| parts_of_segment(segment.first, segment.last));
    let expected: Vec<Vec<u8>> = in_segments.chain([own_part(head)]).collect();
    let mut opened = checkpoints.open(head).map_err(|error| error.to_string())?;
    let mut count = 0;
    while let Some(part) = opened.next_part().map_err(|error| error.to_string())? {
        assert_eq!(part, expected[count], "part {count} of {}", head.revision);
        count += 1;
    }
    assert_eq!(count, expected.len());
    Ok(())
}

fn files(data: &Path, suffix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(data.join("checkpoints")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == suffix)).collect();
    files.sort();
    files
}

fn goes_with_the_last_checkpoint_that_builds_on_it(checkpoints: &mut dyn Checkpoints) {
    let [a, b, c] =
        [(1, 20), (21, 40), (41, 70)].map(|(first, last)| save_segment(checkpoints, "a", first, last));
    let other = save_segment(checkpoints, "b/../ü", 1, 20);
    save(checkpoints, &head("b/../ü", 25, &[other]));
    save(checkpoints, &head("a", 45, &[a, b]));
    save(checkpoints, &head("a", 80, &[a, b, c]));
    save(checkpoints, &head("a", 90, &[b, c]));
    assert_eq!(checkpoints.heads("a").unwrap()[0], head("a", 90, &[b, c]));
    assert_eq!(revisions(checkpoints, "a"), [90, 80, 45]);
    let there =
        |checkpoints: &dyn Checkpoints| [a, b, c].map(|segment| checkpoints.has_segment("a", &segment));
    checkpoints.remove_others("a", &[80, 90]);
    assert_eq!((revisions(checkpoints, "a"), there(checkpoints)), (vec![90, 80], [true, true, true]));
    checkpoints.remove_others("a", &[90]);
    assert_eq!((revisions(checkpoints, "a"), there(checkpoints)), (vec![90], [false, true, true]));
    checkpoints.remove_others("a", &[]);
    assert_eq!((revisions(checkpoints, "a"), there(checkpoints)), (vec![], [false, false, false]));
    assert_eq!(revisions(checkpoints, "b/../ü"), [25]);
    assert!(checkpoints.has_segment("b/../ü", &other) && !checkpoints.has_segment("b/../ü", &b));
    assert!(!checkpoints.has_segment("b/../ü", &Segment { bytes: other.bytes + 1, ..other }));
}

fn that_is_missing_or_another_spoils_those_that_build_on_it(checkpoints: &mut dyn Checkpoints) {
    let [a, b] = [(1, 20), (21, 40)].map(|(first, last)| save_segment(checkpoints, "a", first, last));
    save(checkpoints, &head("a", 30, &[a]));
    save(checkpoints, &head("a", 45, &[a, b]));
    for wrong in [
        Segment { last: 41, ..b },
        Segment { count: b.count + 1, ..b },
        Segment { checksum: a.checksum, ..b },
        Segment { first: 1, last: 20, ..b },
    ] {
        let wrong = head("a", 50, &[a, wrong]);
        save(checkpoints, &wrong);
        let why = read(checkpoints, &wrong).unwrap_err();
        assert!(why.starts_with("its segment of revisions "), "{why}");
        assert_eq!(revisions(checkpoints, "a"), [45, 30]);
    }
    checkpoints.remove_others("a", &[45, 30]);
    let altered = SegmentHead { count: b.count, ..segment_head("a", 21, 40) };
    checkpoints.save_segment(&altered, &mut |take| take(b"something else")).unwrap();
    let mut opened = checkpoints.open(&head("a", 45, &[a, b])).unwrap();
    let why = loop {
        match opened.next_part() {
            Ok(part) => assert!(part.is_some(), "it was not found out"),
            Err(why) => break why.to_string(),
        }
    };
    assert_eq!(why, "its segment of revisions 21 to 40: it is not the one that the checkpoint builds on");
    drop(opened);
    assert_eq!(save_segment(checkpoints, "a", 21, 40), b, "the same items have the same checksum");
    assert_eq!(revisions(checkpoints, "a"), [45, 30]);
}

fn that_nothing_builds_on_goes_where_saving_fails(checkpoints: &mut dyn Checkpoints) {
    let kept = save_segment(checkpoints, "a", 1, 20);
    save(checkpoints, &head("a", 30, &[kept]));
    let planned =
        || CheckpointError { what: "encode", path: "a".into(), source: io::Error::other("as planned") };
    let broken = |take: &mut TakePart<'_>| take(b"a part").and_then(|()| Err(planned()));

    let unnamed = save_segment(checkpoints, "a", 21, 40);
    let failed = checkpoints.save_segment(&segment_head("a", 41, 60), &mut |take| broken(take));
    assert_eq!(failed.unwrap_err().to_string(), "cannot encode a: as planned");
    assert!(checkpoints.has_segment("a", &kept) && !checkpoints.has_segment("a", &unnamed));

    let unnamed = save_segment(checkpoints, "a", 21, 40);
    checkpoints.save(&head("a", 50, &[kept, unnamed]), &mut |take| broken(take)).unwrap_err();
    assert!(checkpoints.has_segment("a", &kept) && !checkpoints.has_segment("a", &unnamed));
    assert_eq!(revisions(checkpoints, "a"), [30]);
}

/// The parts of a segment with their places.
fn places(first: u64, last: u64) -> impl Iterator<Item = (SegmentPart, Vec<u8>)> {
    let mut bytes_before = 0;
    parts_of_segment(first, last).into_iter().enumerate().map(move |(parts_before, bytes)| {
        let part = SegmentPart { first, last, parts_before, bytes_before };
        bytes_before += bytes.len() as u64;
        (part, bytes)
    })
}

fn is_read_part_by_part(checkpoints: &mut dyn Checkpoints) {
    let reader = checkpoints.segments();
    let at_first = SegmentPart { first: 1, last: 20, parts_before: 0, bytes_before: 0 };
    assert!(reader.part("a", &at_first).is_err(), "it is not there yet");
    for (first, last) in [(1, 20), (21, 40)] {
        save_segment(checkpoints, "a", first, last);
        for (part, bytes) in places(first, last) {
            assert_eq!(reader.part("a", &part), Ok(bytes));
        }
    }
    let bytes = places(1, 20).map(|(_, bytes)| bytes.len() as u64).sum();
    for (parts_before, bytes_before) in [(0, 1), (1, 0), (2, bytes), (3, bytes), (usize::MAX, u64::MAX)] {
        let part = SegmentPart { parts_before, bytes_before, ..at_first };
        assert!(reader.part("a", &part).is_err(), "there is none at {part:?}");
    }
    for (namespace, first, last) in [("b", 1, 20), ("a", 1, 40), ("a", 2, 20)] {
        assert!(reader.part(namespace, &SegmentPart { first, last, ..at_first }).is_err());
    }
    checkpoints.remove_others("a", &[]);
    assert!(reader.part("a", &at_first).is_err(), "it is gone");
}

fn in_memory_and_in_a_folder(promise: impl Fn(&mut dyn Checkpoints)) {
    promise(&mut MemoryCheckpoints::default());
    let data = TempDir::new().unwrap();
    promise(&mut FileCheckpoints::open(data.path()).unwrap());
    assert!(files(data.path(), "unfinished").is_empty());
}

#[test]
fn a_segment_goes_with_the_last_checkpoint_that_builds_on_it() {
    in_memory_and_in_a_folder(|checkpoints| goes_with_the_last_checkpoint_that_builds_on_it(checkpoints));
}

#[test]
fn a_segment_that_is_missing_or_another_spoils_those_that_build_on_it() {
    in_memory_and_in_a_folder(|checkpoints| {
        that_is_missing_or_another_spoils_those_that_build_on_it(checkpoints);
    });
}

#[test]
fn a_segment_that_nothing_builds_on_goes_where_saving_fails() {
    in_memory_and_in_a_folder(|checkpoints| that_nothing_builds_on_goes_where_saving_fails(checkpoints));
}

#[test]
fn a_segment_is_read_part_by_part_by_whoever_knows_their_places() {
    in_memory_and_in_a_folder(is_read_part_by_part);
}

#[test]
fn a_part_is_given_out_as_it_was_saved_or_not_at_all() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    save_segment(&mut checkpoints, "a", 1, 20);
    let (reader, file) = (checkpoints.segments(), files(data.path(), "segment").remove(0));
    let (whole, parts) = (fs::read(&file).unwrap(), places(1, 20).collect::<Vec<_>>());
    let given = || {
        parts.iter().filter(|(place, part)| {
            let read = reader.part("a", place);
            if let Err(why) = &read {
                assert!(why.to_string().contains(".segment: "), "{why}");
            }
            assert!(read.as_ref().map_or(true, |read| read == part));
            read.is_ok()
        })
    };
    assert_eq!(given().count(), parts.len());
    let mut spoiled = [0; 3];
    for at in 0..whole.len() {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&file, &altered).unwrap();
        spoiled[parts.len() - given().count()] += 1;
        fs::write(&file, &whole[..at]).unwrap();
        given().for_each(drop);
    }
    let sizes: usize = parts.iter().map(|(_, part)| part.len()).sum();
    assert!(spoiled[1] >= sizes, "of each byte of a part that one: {spoiled:?}");
    assert!(spoiled[0] > 0 && spoiled[2] > 0, "others spoil none or all: {spoiled:?}");
}

#[test]
fn any_damage_to_a_segment_is_noticed_and_nothing_else_is_given_out() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    let [a, b] = [(1, 20), (21, 40)].map(|(first, last)| save_segment(&mut checkpoints, "a", first, last));
    save(&mut checkpoints, &head("a", 30, &[a]));
    save(&mut checkpoints, &head("a", 45, &[a, b]));
    let file = files(data.path(), "segment").pop().unwrap();
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [30], "byte {at} altered");
    }
    for bytes in 0..whole.len() {
        fs::write(&file, &whole[..bytes]).unwrap();
        assert_eq!(revisions(&checkpoints, "a"), [30], "cut to {bytes} bytes");
        assert!(!checkpoints.has_segment("a", &b));
    }
    fs::write(&file, [&whole[..], b"!"].concat()).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [30], "one byte too many");
    fs::remove_file(&file).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [30], "missing");
    assert!(!checkpoints.has_segment("a", &b));
    fs::write(&file, whole).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [45, 30]);
}

#[test]
fn what_an_interrupted_process_left_is_swept_away_and_nothing_else() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    let kept = save_segment(&mut checkpoints, "a", 1, 20);
    save(&mut checkpoints, &head("a", 30, &[kept]));
    save_segment(&mut checkpoints, "a", 21, 40);
    save_segment(&mut checkpoints, "b", 1, 20);
    let half = files(data.path(), "segment")[0].with_extension("unfinished");
    fs::write(&half, "half").unwrap();
    let checkpoints = FileCheckpoints::open(data.path()).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [30]);
    assert_eq!((files(data.path(), "segment").len(), half.exists()), (1, false));
}

#[test]
fn segments_stay_while_a_checkpoint_that_may_build_on_them_cannot_be_read() {
    let data = TempDir::new().unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    let [a, b] = [(1, 20), (21, 40)].map(|(first, last)| save_segment(&mut checkpoints, "a", first, last));
    save(&mut checkpoints, &head("a", 30, &[a]));
    save(&mut checkpoints, &head("a", 45, &[a, b]));
    let newest = files(data.path(), "checkpoint").pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    fs::write(&newest, &whole[1..]).unwrap();
    let mut checkpoints = FileCheckpoints::open(data.path()).unwrap();
    checkpoints.remove_others("a", &[30, 45]);
    assert_eq!(files(data.path(), "segment").len(), 2);
    fs::write(&newest, &whole).unwrap();
    assert_eq!(revisions(&checkpoints, "a"), [45, 30]);
    fs::write(&newest, &whole[1..]).unwrap();
    checkpoints.remove_others("a", &[30]);
    assert_eq!(files(data.path(), "segment").len(), 1, "once it is removed, what it built on is too");
}
