//! Starts on an archive that is ahead of the checkpoints, behind them, missing or damaged.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use baton_log::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, LogReader as _,
    Segment, SegmentHead, SegmentReader, TakePart,
};
use baton_server::{
    Server, ServerError, clock::ManualClock, config::Config, engine::EngineParts, metrics::Metrics,
};
use tonic::Code;

use super::{BEGINNING_US, Reads, archived, archives, fill, never, often, read, serve};
use crate::harness::{Disk, TestServer, config, create, in_time};

/// A stopped server's folder with archived tasks, and all that it showed.
struct Stopped {
    disk: Disk,
    clock: ManualClock,
    shown: Reads,
}

async fn stopped(config: Config) -> Stopped {
    let (disk, clock) = (Disk::folder(), ManualClock::at(BEGINNING_US));
    let server = serve(&disk, config, &clock).await;
    fill(&mut server.clients().await, 0, 150).await;
    archives(&server, 60).await;
    let shown = read(&mut server.clients().await).await;
    server.stop().await;
    Stopped { disk, clock, shown }
}

impl Stopped {
    fn open(&self, config: Config) -> Result<Server, ServerError> {
        self.disk.open_with(config, baton_log::Plan::none(), Arc::new(self.clock.clone()))
    }

    /// Starts, finds everything as it was, goes on, and stops.
    async fn starts(&self) -> u64 {
        let opened = self.open(never()).expect("the server can be opened");
        let from = opened.recovered()[0].checkpoint_revision.0;
        let server = TestServer::serve(opened).await;
        assert!(read(&mut server.clients().await).await == self.shown, "it shows something else");
        server.stop().await;
        from
    }

    fn archive(&self) -> PathBuf {
        self.disk.path().join("archive.db")
    }

    /// The checkpoints in the folder, oldest first.
    fn checkpoints(&self) -> Vec<PathBuf> {
        let folder = self.disk.path().join("checkpoints");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }
}

fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_checkpoint_finds_the_archive_as_it_left_it() {
    let stopped = stopped(often()).await;
    let newest = stopped.starts().await;
    let [_, newer] = stopped.checkpoints().try_into().expect("there are two");
    damage(&newer);
    let older = stopped.starts().await;
    assert!(0 < older && older < newest, "from {older} instead of {newest}");
    for file in stopped.checkpoints() {
        damage(&file);
    }
    assert_eq!(stopped.starts().await, 0);
    // Whatever was made on the way stands for what it took the place of.
    let server = serve(&stopped.disk, often(), &stopped.clock).await;
    fill(&mut server.clients().await, 150, 120).await;
    archives(&server, 60).await;
    let shown = read(&mut server.clients().await).await;
    server.stop().await;
    Stopped { shown, ..stopped }.starts().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_archive_everything_is_made_anew_from_a_whole_log() {
    let stopped = stopped(often()).await;
    fs::remove_file(stopped.archive()).unwrap();
    assert_eq!(stopped.starts().await, 0, "no checkpoint can be used without it");
    fs::write(stopped.archive(), "this is not a database, though it is long enough to look like a page")
        .unwrap();
    assert_eq!(stopped.starts().await, 0);
    assert!(stopped.disk.path().join("archive.db.unusable").exists());
    let server = serve(&stopped.disk, often(), &stopped.clock).await;
    fill(&mut server.clients().await, 150, 120).await;
    archives(&server, 60).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_archive_a_truncated_log_is_not_served_until_it_is_back() {
    const AGE_S: u64 = 3_600;
    let by_age = Config { retain_s: Some(AGE_S), retain_interval_ms: 10, ..often() };
    let (disk, clock) = (Disk::folder(), ManualClock::at(BEGINNING_US));
    let server = serve(&disk, by_age, &clock).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 0, 150).await;
    archives(&server, 60).await;
    clock.advance((AGE_S as i64 + 1) * 1_000_000);
    let head = clients.head("").await;
    let begins = format!("baton_log_oldest_revision{{namespace=\"default\"}} {head}");
    in_time(async {
        while !server.metrics.encode().contains(&begins) {
            clients.head("").await;
        }
    })
    .await;
    let shown = read(&mut clients).await;
    server.stop().await;
    let stopped = Stopped { disk, clock, shown };
    let kept = fs::read(stopped.archive()).unwrap();
    fs::remove_file(stopped.archive()).unwrap();
    for _ in 0..2 {
        let refused = stopped.open(config()).map(drop).expect_err("the past is missing").to_string();
        for part in
            ["namespace default", "`archive.db` does not have the", "restore the folder `checkpoints`"]
        {
            assert!(refused.contains(part), "{part} is not in: {refused}");
        }
    }
    for leftover in ["archive.db-wal", "archive.db-shm"] {
        let _ = fs::remove_file(stopped.disk.path().join(leftover));
    }
    fs::write(stopped.archive(), kept).unwrap();
    assert!(stopped.starts().await > 0);
}

/// Checkpoints that cannot be written any more.
struct Unwritable(Box<dyn Checkpoints>);

fn unwritable() -> CheckpointError {
    let source = std::io::Error::other("as planned");
    CheckpointError { what: "write", path: PathBuf::new(), source }
}

impl Checkpoints for Unwritable {
    fn save_segment(
        &mut self,
        _: &SegmentHead,
        _: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError> {
        Err(unwritable())
    }

    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool {
        self.0.has_segment(namespace, segment)
    }

    fn save(
        &mut self,
        _: &CheckpointHead,
        _: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        Err(unwritable())
    }

    fn remove_others(&mut self, _: &str, _: &[u64]) {
        panic!("nothing was saved that would make others needless");
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        self.0.heads(namespace)
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        self.0.open(head)
    }

    fn segments(&self) -> Box<dyn SegmentReader> {
        self.0.segments()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_is_ahead_of_the_checkpoints_is_rolled_back() {
    let stopped = stopped(often()).await;
    let before = stopped.checkpoints();
    // Archives, and never comes to the checkpoint that this is for: as if it were killed in between.
    let log = stopped.disk.log();
    let parts = EngineParts {
        archive: stopped.disk.archive(log.id()),
        checkpoints: Box::new(Unwritable(stopped.disk.checkpoints())),
        log: Box::new(log),
        clock: Arc::new(stopped.clock.clone()),
        metrics: Arc::new(Metrics::new()),
    };
    let server = TestServer::serve(Server::on(parts, often()).expect("the server can be opened")).await;
    let at_start = archived(&server);
    fill(&mut server.clients().await, 150, 120).await;
    archives(&server, at_start + 10).await;
    let shown = read(&mut server.clients().await).await;
    server.stop().await;
    assert_eq!(stopped.checkpoints(), before, "no checkpoint was written");
    let stopped = Stopped { shown, ..stopped };
    stopped.starts().await;
    // In the older checkpoint's time even less was archived.
    damage(stopped.checkpoints().last().unwrap());
    stopped.starts().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_row_is_never_shown_and_never_guessed_at() {
    let stopped = stopped(often()).await;
    let mut bytes = fs::read(stopped.archive()).unwrap();
    let text = b"the work of task-0005";
    let places: Vec<usize> = bytes
        .windows(text.len())
        .enumerate()
        .filter(|(_, window)| window == text)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for place in places {
        bytes[place] ^= 1;
    }
    fs::write(stopped.archive(), bytes).unwrap();
    let server = serve(&stopped.disk, never(), &stopped.clock).await;
    let mut clients = server.clients().await;
    let read = clients.task("", "task-0005").await.unwrap_err();
    let created = clients.create(create("another", "task-0005", "triage")).await;
    assert!(created.is_ok(), "another namespace has nothing to do with it");
    let again =
        baton_proto::v1::CreateTaskRequest { request_id: String::new(), ..create("", "task-0005", "x") };
    let refused = clients.create(again).await.unwrap_err();
    for status in [read, refused] {
        assert_eq!(status.code(), Code::Unavailable);
        assert!(status.message().contains("archive"), "{}", status.message());
    }
    assert_eq!(clients.task("", "task-0006").await.unwrap().task_id, "task-0006");
    server.stop().await;
}
