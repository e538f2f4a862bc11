//! Checkpoints save replaying, and change nothing: with all, with damaged ones, and with none the server shows the same.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use baton_log::{
    CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, LogReader as _,
    Segment, SegmentHead, SegmentReader, TakePart,
};
use baton_proto::v1;
use baton_server::{Server, clock::SystemClock, config::Config, engine::EngineParts, metrics::Metrics};

use crate::harness::{Clients, Disk, TestServer, config, create, hand_off, object, show, state};

/// The shortest distance between checkpoints that can be set.
fn often() -> Config {
    Config { checkpoint_events: 100, ..config() }
}

/// 300 tasks, hand-offs of all outcomes, states.
async fn fill(clients: &mut Clients, from: usize) {
    for index in from..from + 100 {
        let task = format!("task-{index}");
        clients.create(create("", &task, "triage")).await.unwrap();
        let note = [("order", task.as_str())];
        clients.states.update_agent_state(state("", "triage", &note)).await.unwrap();
        let request_id = format!("hand-off-{index}");
        let asked = v1::HandOffRequest { request_id, ..hand_off("", &task, "triage", "billing") };
        clients.hand_off(asked).await.unwrap();
        if index % 10 == 0 {
            clients.hand_off(hand_off("", &task, "triage", "legal")).await.unwrap_err();
        }
    }
}

/// The checkpoints in the folder, oldest first.
fn files(disk: &Disk) -> Vec<PathBuf> {
    let folder = disk.path().join("checkpoints");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn damage(file: &PathBuf) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn with_good_damaged_and_no_checkpoints_the_server_shows_the_same() {
    let disk = Disk::folder();
    for life in 0..3 {
        let server = TestServer::start_with(&disk, often()).await;
        fill(&mut server.clients().await, life * 100).await;
        server.stop().await;
    }
    let server = TestServer::start_with(&disk, often()).await;
    let mut clients = server.clients().await;
    // Written last, and after the last checkpoint.
    clients.create(create("", "last", "triage")).await.unwrap();
    let shown = show(&mut clients).await;
    let head = clients.head("").await;
    server.stop().await;

    let kept = files(&disk);
    assert_eq!(kept.len(), 2, "the newest two are kept: {kept:?}");
    let mut revisions = vec![head + 1];
    for damaged in 0..=2 {
        if damaged > 0 {
            damage(&kept[2 - damaged]);
        }
        // As the tests' own configuration has it, no new checkpoint is written.
        let opened = disk.open(config()).unwrap();
        let from = opened.recovered()[0].checkpoint_revision.0;
        assert!(from < *revisions.last().unwrap(), "{damaged} are damaged, and it starts from {from}");
        revisions.push(from);
        let server = TestServer::serve(opened).await;
        let mut clients = server.clients().await;
        assert!(show(&mut clients).await == shown, "with {damaged} damaged it shows something else");
        repeated(&mut clients).await;
        server.stop().await;
    }
    assert_eq!(revisions.pop(), Some(0), "without a checkpoint all is replayed");
    assert!(revisions.pop() > Some(0), "an older one stands in for the newest");
}

/// What was asked before the checkpoint is known after it.
async fn repeated(clients: &mut Clients) {
    let head = clients.head("").await;
    let request_id = "hand-off-5".to_owned();
    let asked = v1::HandOffRequest { request_id, ..hand_off("", "task-5", "triage", "billing") };
    let (handoff, _) = clients.hand_off(asked).await.expect("the first answer is given again");
    assert_eq!(clients.handoff("", &handoff.handoff_id).await.unwrap(), handoff);
    assert_eq!(clients.head("").await, head);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_log_is_left_aside() {
    let (disk, other) = (Disk::folder(), Disk::folder());
    for (disk, agent) in [(&disk, "triage"), (&other, "somebody")] {
        let server = TestServer::start_with(disk, often()).await;
        let mut clients = server.clients().await;
        for index in 0..400 {
            clients.create(create("", &format!("task-{index}"), agent)).await.unwrap();
        }
        server.stop().await;
    }
    for file in files(&disk) {
        fs::remove_file(file).unwrap();
    }
    for file in files(&other) {
        fs::copy(&file, disk.path().join("checkpoints").join(file.file_name().unwrap())).unwrap();
    }
    assert!(!files(&disk).is_empty());
    let opened = disk.open(config()).unwrap();
    assert_eq!(opened.recovered()[0].checkpoint_revision.0, 0);
    let server = TestServer::serve(opened).await;
    let task = server.clients().await.task("", "task-3").await.unwrap();
    assert_eq!(task.assigned_agent, "triage");
    server.stop().await;
}

type Alter = fn(usize, &mut Vec<Vec<u8>>);

/// What may be wrong with one of the parts of a checkpoint.
const ALTERATIONS: [(&str, Alter); 4] = [
    ("nonsense", |at, parts| parts[at] = vec![0xff]),
    ("missing", |at, parts| _ = parts.remove(at)),
    ("out of order", |at, parts| {
        let other = (at + 1) % parts.len();
        parts.swap(at, other);
    }),
    ("longer", |at, parts| parts[at].push(0)),
];

/// As one that another program wrote would be: the log knows that it is as it was written, whatever is in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_whole_and_not_understood_is_left_aside_wherever_in_it_that_is() {
    let disk = Disk::folder();
    let server = TestServer::start_with(&disk, often()).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 200).await;
    for index in 0..120 {
        // Enough for more parts than can wait anywhere on their way.
        let metadata = Some(object([("order", "x".repeat(60_000))]));
        let asked = create("", &format!("task-{index}"), "triage");
        clients.create(v1::CreateTaskRequest { metadata, ..asked }).await.unwrap();
    }
    let shown = show(&mut clients).await;
    server.stop().await;

    let checkpoints = disk.checkpoints();
    let head = checkpoints.heads("default").unwrap().remove(0);
    let mut parts = Vec::new();
    let mut opened = checkpoints.open(&head).unwrap();
    while let Some(part) = opened.next_part().unwrap() {
        parts.push(part);
    }
    drop(opened);
    assert!(parts.len() > 25, "only {} parts", parts.len());

    let places = [0, 1, parts.len() / 2, parts.len() - 1];
    let altered = ALTERATIONS.iter().flat_map(|how| places.map(|at| (*how, at)));
    let untouched: (&str, Alter) = ("as it was", |_, _| ());
    for ((what, alter), at) in [(untouched, 0)].into_iter().chain(altered) {
        let mut altered = parts.clone();
        alter(at, &mut altered);
        let mut checkpoints = disk.checkpoints();
        checkpoints.save(&head, &mut |take| altered.iter().try_for_each(|part| take(part))).unwrap();
        checkpoints.remove_others("default", &[head.revision]);
        let opened = disk.open(config()).unwrap();
        let expected = if what == "as it was" { head.revision } else { 0 };
        assert_eq!(opened.recovered()[0].checkpoint_revision.0, expected, "{what}: part {at}");
        let server = TestServer::serve(opened).await;
        assert!(show(&mut server.clients().await).await == shown, "{what}: part {at}");
        server.stop().await;
    }
}

/// Checkpoints that are not saved before they are let: each tells its revision, and waits.
struct Held {
    inner: Box<dyn Checkpoints>,
    begun: Sender<u64>,
    let_go: Receiver<()>,
}

impl Checkpoints for Held {
    fn save_segment(
        &mut self,
        head: &SegmentHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<Segment, CheckpointError> {
        self.inner.save_segment(head, write)
    }

    fn has_segment(&self, namespace: &str, segment: &Segment) -> bool {
        self.inner.has_segment(namespace, segment)
    }

    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        // Once the test has let go for good, it may not listen any more.
        let _ = self.begun.send(head.revision);
        // Once the test lets go for good, nothing is held any more.
        let _ = self.let_go.recv();
        self.inner.save(head, write)
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        self.inner.remove_others(namespace, kept);
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        self.inner.heads(namespace)
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        self.inner.open(head)
    }

    fn segments(&self) -> Box<dyn SegmentReader> {
        self.inner.segments()
    }
}

/// A server whose checkpoints are held; tells the revision of each that begins, and lets one go for each that it is told.
async fn with_held_checkpoints(disk: &Disk) -> (TestServer, Receiver<u64>, Sender<()>) {
    let (log, (begun, begins), (lets_go, let_go)) = (disk.log(), mpsc::channel(), mpsc::channel());
    let parts = EngineParts {
        archive: disk.archive(log.id()),
        checkpoints: Box::new(Held { inner: disk.checkpoints(), begun, let_go }),
        log: Box::new(log),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(Metrics::new()),
    };
    (TestServer::serve(Server::on(parts, often()).unwrap()).await, begins, lets_go)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_checkpoint_and_no_other_is_made_meanwhile() {
    let disk = Disk::folder();
    let (server, begins, lets_go) = with_held_checkpoints(&disk).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 0).await;
    fill(&mut clients, 100).await;
    let asked_at = clients.head("").await;
    let first = begins.recv().unwrap();
    assert!((100..110).contains(&first), "at {first}");
    assert!(begins.try_recv().is_err(), "one at a time, although six were due");
    lets_go.send(()).unwrap();
    let mut created = 0..;
    let second = loop {
        let task = format!("later-{}", created.next().unwrap());
        clients.create(create("", &task, "triage")).await.unwrap();
        if let Ok(second) = begins.try_recv() {
            break second;
        }
    };
    assert!(second > asked_at, "the second is of now, not of when it was due: {second}");
    let shown = show(&mut clients).await;
    drop(lets_go);
    server.stop().await;

    let opened = disk.open(config()).unwrap();
    assert!(opened.recovered()[0].checkpoint_revision.0 >= second);
    let server = TestServer::serve(opened).await;
    assert!(show(&mut server.clients().await).await == shown);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_are_slowed_down_while_a_checkpoint_is_far_behind() {
    let disk = Disk::folder();
    let (server, begins, lets_go) = with_held_checkpoints(&disk).await;
    let mut clients = server.clients().await;
    let mut tasks = 0..;
    // The first checkpoint is asked for after 100 events, and four times as many follow.
    for task in tasks.by_ref().take(500) {
        clients.create(create("", &format!("task-{task}"), "triage")).await.unwrap();
    }
    assert_eq!(begins.recv(), Ok(100));
    assert_eq!(server.metrics.commits_slowed.get(), 0);
    // That the first of these was followed by a pause is certain once the second is answered.
    for task in tasks.by_ref().take(2) {
        clients.create(create("", &format!("task-{task}"), "triage")).await.unwrap();
    }
    assert_ne!(server.metrics.commits_slowed.get(), 0);
    drop((lets_go, begins));
    let slowed = async {
        loop {
            let before = server.metrics.commits_slowed.get();
            for task in tasks.by_ref().take(2) {
                clients.create(create("", &format!("task-{task}"), "triage")).await.unwrap();
            }
            if server.metrics.commits_slowed.get() == before {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), slowed)
        .await
        .expect("once it is made, commits are not slowed down");
    server.stop().await;
}
