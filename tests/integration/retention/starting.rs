//! A start on a log that does not begin at its beginning: from either checkpoint, and never without one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use baton_log::verify;
use baton_server::clock::ManualClock;

use super::{AGE_S, BEGINNING_US, DEFAULT, Reads, SECOND_US, begins_at, by_age, fill, open, read, start};
use crate::harness::{Disk, TestServer, config, create};

/// A disk whose log has its newest event alone, and all that its server shows.
struct Truncated {
    disk: Disk,
    clock: ManualClock,
    newest: u64,
    shown: Reads,
}

/// `triage` is what the tasks are described as; the events are otherwise the same each time.
async fn truncated(triage: &str) -> Truncated {
    let (disk, clock) = (Disk::folder(), ManualClock::at(BEGINNING_US));
    let server = start(&disk, by_age(), &clock).await;
    fill(&mut server.clients().await, 0, 60, triage).await;
    truncate(disk, clock, server).await
}

async fn truncate(disk: Disk, clock: ManualClock, server: TestServer) -> Truncated {
    clock.advance((AGE_S as i64 + 1) * SECOND_US);
    let mut clients = server.clients().await;
    let newest = clients.head("").await;
    begins_at(&server, DEFAULT, newest).await;
    let shown = read(&mut clients).await;
    server.stop().await;
    Truncated { disk, clock, newest, shown }
}

/// The checkpoints in the folder, oldest first.
fn files(disk: &Disk) -> Vec<PathBuf> {
    let folder = disk.path().join("checkpoints");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

impl Truncated {
    /// Starts, from the checkpoint of this revision, and finds everything as it was.
    async fn starts_from(&self, revision: u64) -> TestServer {
        let opened = open(&self.disk, config(), &self.clock).expect("the server can be opened");
        assert_eq!(opened.recovered()[0].checkpoint_revision.0, revision);
        assert_eq!(opened.recovered()[0].oldest_revision.0, self.newest);
        let server = TestServer::serve(opened).await;
        assert!(read(&mut server.clients().await).await == self.shown, "it shows something else");
        server
    }

    /// What a start says that must not succeed, twice: the first changes nothing.
    fn refused(&self) -> String {
        let refused = || {
            open(&self.disk, config(), &self.clock).map(drop).expect_err("the past is missing").to_string()
        };
        let said = refused();
        assert_eq!(refused(), said);
        let range = format!("the log has revisions {0} to {0}", self.newest);
        for part in
            ["namespace default", &range, "restore the folder `checkpoints`, or the whole data folder"]
        {
            assert!(said.contains(part), "{part} is not in: {said}");
        }
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_newest_checkpoint_gives_way_to_the_older_one() {
    let truncated = truncated("Ann").await;
    let newest = truncated.newest;
    truncated.starts_from(newest).await.stop().await;
    let [older, newer] = files(&truncated.disk).try_into().expect("there are two");
    damage(&newer);
    // This one was made right before the oldest record that is left: only the hash that the log keeps of it vouches for it.
    let server = truncated.starts_from(newest - 1).await;

    // A new checkpoint takes the place of the damaged one, not of the one that is whole.
    fill(&mut server.clients().await, 1_000, 350, "Ann").await;
    server.stop().await;
    let now = files(&truncated.disk);
    assert_eq!(now.len(), 2);
    assert_eq!(now[0], older);
    assert_ne!(now[1], newer);
    damage(&now[1]);
    let server = start(&truncated.disk, config(), &truncated.clock).await;
    assert_eq!(server.clients().await.head("").await, newest + 350 * 3 + 35);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_checkpoint_that_is_whole_the_start_is_refused_until_one_is_back() {
    let truncated = truncated("Ann").await;
    let kept: Vec<(PathBuf, Vec<u8>)> =
        files(&truncated.disk).into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
    files(&truncated.disk).iter().for_each(|file| damage(file));
    let said = truncated.refused();
    assert!(said.contains("none is there that is whole"), "{said}");
    fs::remove_dir_all(truncated.disk.path().join("checkpoints")).unwrap();
    assert_eq!(truncated.refused(), said);

    let log = truncated.disk.log();
    let proven = verify(&log, DEFAULT, |_| ()).expect("the log itself is not damaged");
    assert_eq!((proven.records, proven.oldest_revision), (1, truncated.newest));
    drop(log);
    for ((file, bytes), revision) in kept.iter().zip([truncated.newest - 1, truncated.newest]) {
        fs::write(file, bytes).unwrap();
        truncated.starts_from(revision).await.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_of_another_log_are_not_taken_for_the_past() {
    let (truncated, other) = (truncated("Ann").await, truncated("somebody else").await);
    for (own, foreign) in files(&truncated.disk).iter().zip(files(&other.disk)) {
        assert_eq!(own.file_name(), foreign.file_name());
        fs::copy(foreign, own).unwrap();
    }
    let said = truncated.refused();
    for revision in [truncated.newest, truncated.newest - 1] {
        let part = format!("that of revision {revision}: it was made from another log");
        assert!(said.contains(&part), "{part} is not in: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_before_a_gap_are_not_started_from() {
    let early = truncated("Ann").await;
    let old: Vec<(PathBuf, Vec<u8>)> =
        files(&early.disk).into_iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect();
    let server = start(&early.disk, by_age(), &early.clock).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 60, 40, "Ann").await;
    clients.create(create("", "last", "triage")).await.unwrap();
    let late = truncate(early.disk, early.clock, server).await;

    files(&late.disk).iter().for_each(|file| fs::remove_file(file).unwrap());
    old.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let said = late.refused();
    let part = format!(
        "that of revision {}: the log begins at revision {}, so there is a gap",
        early.newest, late.newest
    );
    assert!(said.contains(&part), "{part} is not in: {said}");
}
