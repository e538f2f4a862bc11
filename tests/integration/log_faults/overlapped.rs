//! While a large batch is being written, the next one is decided: nobody is told of either before the first is durable, and if that is lost,
//! so is what was built on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use baton_log::{AppendFault, Plan};
use baton_proto::v1::{self, ErrorReason};
use baton_server::clock::{Clock, SystemClock};
use tokio::task::JoinHandle;

use crate::harness::{Clients, Disk, Gate, TestServer, config, create, hand_off, in_time};

/// Tasks, each of which a batch hands on: enough for the engine to go on meanwhile.
const TASKS: usize = 200;
/// The append of the first batch of hand-offs, after that of the tasks.
const FIRST: u64 = 2;

/// Counts looks at the clock: a call is one when it is read, and one when the engine begins to decide it.
#[derive(Clone, Default)]
struct Looks(Arc<AtomicUsize>);

impl Clock for Looks {
    fn now_us(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst);
        SystemClock.now_us()
    }
}

/// A server whose log waits in the middle of the first batch of hand-offs, while the second is decided.
struct Held {
    server: TestServer,
    clients: Clients,
    gate: Gate,
    first: Asked,
    second: Asked,
}

type Asked = JoinHandle<Vec<v1::HandOffResult>>;

impl Held {
    /// The first append fails by `fault`. `second` is asked while it waits.
    async fn on(disk: &Disk, fault: Option<AppendFault>, second: v1::BatchHandOffRequest) -> Self {
        let (gate, looks) = (Gate::default(), Looks::default());
        let passing = gate.clone();
        let plan = Plan::appends(move |number| {
            passing.pass();
            fault.filter(|_| number == FIRST)
        });
        let server =
            TestServer::serve(disk.open_with(config(), plan, Arc::new(looks.clone())).unwrap()).await;
        let mut clients = server.clients().await;
        let items = (0..TASKS).map(|task| create("", &format!("task-{task}"), "a")).collect();
        let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
        clients.tasks.batch_create_tasks(batch).await.unwrap();
        gate.close();
        let first = ask(&clients, batch_of("first", "a", "b", 1));
        gate.held().await;
        let before = looks.0.load(Ordering::SeqCst);
        let second = ask(&clients, second);
        in_time(async {
            while looks.0.load(Ordering::SeqCst) < before + 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await;
        let mut held = Self { server, clients, gate, first, second };
        held.shows(1, TASKS).await;
        assert!(!held.first.is_finished() && !held.second.is_finished(), "answered before it was durable");
        held
    }

    /// Every task has that epoch, and the namespace that revision.
    async fn shows(&mut self, epoch: u64, head: usize) {
        let tasks =
            self.clients.tasks.list_tasks(v1::ListTasksRequest { page_size: 1_000, ..Default::default() });
        let tasks = tasks.await.unwrap().into_inner().tasks;
        assert_eq!(tasks.len(), TASKS);
        assert!(tasks.iter().all(|task| task.owner_epoch == epoch), "{:?}", tasks[0]);
        assert_eq!(self.clients.head("").await, head as u64);
    }

    async fn answers(&mut self) -> [Vec<v1::HandOffResult>; 2] {
        self.gate.open();
        let [first, second] = [&mut self.first, &mut self.second].map(in_time);
        [first.await.unwrap(), second.await.unwrap()]
    }
}

fn ask(clients: &Clients, batch: v1::BatchHandOffRequest) -> Asked {
    let mut clients = clients.clone();
    tokio::spawn(async move { clients.handoffs.batch_hand_off(batch).await.unwrap().into_inner().results })
}

/// Hands every task on.
fn batch_of(request: &str, from: &str, to: &str, epoch: u64) -> v1::BatchHandOffRequest {
    let item = |task| v1::HandOffRequest {
        request_id: format!("{request}-{task}"),
        owner_epoch: Some(epoch),
        ..hand_off("", &format!("task-{task}"), from, to)
    };
    v1::BatchHandOffRequest { items: (0..TASKS).map(item).collect(), namespace: String::new() }
}

/// All came to nothing, for that reason.
fn refused(results: &[v1::HandOffResult], reason: ErrorReason) {
    assert_eq!(results.len(), TASKS);
    for result in results {
        let error = result.error.as_ref().expect("it was lost");
        assert_eq!(format!("ERROR_REASON_{}", error.reason), reason.as_str_name(), "{error:?}");
    }
}

/// All happened, one after the other from that revision on.
fn completed(results: &[v1::HandOffResult], epoch: u64, revision: usize) {
    assert_eq!(results.len(), TASKS);
    for (index, result) in results.iter().enumerate() {
        let handoff = result.handoff.as_ref().unwrap_or_else(|| panic!("{:?}", result.error));
        assert_eq!((handoff.owner_epoch, handoff.revision), (epoch, (revision + index) as u64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_sees_what_the_one_before_it_changes() {
    for disk in [Disk::memory(), Disk::folder()] {
        let mut held = Held::on(&disk, None, batch_of("second", "b", "c", 2)).await;
        let [first, second] = held.answers().await;
        completed(&first, 2, TASKS + 1);
        completed(&second, 3, 2 * TASKS + 1);
        held.shows(3, 3 * TASKS).await;
        held.clients.verify("").await.expect("the log verifies");
        held.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_repeated_while_it_is_written_gives_its_answers_once_they_are_true() {
    for disk in [Disk::memory(), Disk::folder()] {
        let mut held = Held::on(&disk, None, batch_of("first", "a", "b", 1)).await;
        let [first, second] = held.answers().await;
        completed(&first, 2, TASKS + 1);
        assert_eq!(first, second);
        held.shows(2, 2 * TASKS).await;
        held.server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_refused_with_the_one_that_it_builds_on() {
    let seconds = [batch_of("second", "b", "c", 2), batch_of("first", "a", "b", 1)];
    for second in seconds {
        for disk in [Disk::memory(), Disk::folder()] {
            let mut held = Held::on(&disk, Some(AppendFault::NoSpace), second.clone()).await;
            let [first, also] = held.answers().await;
            refused(&first, ErrorReason::LogFull);
            refused(&also, ErrorReason::LogFull);
            held.shows(1, TASKS).await;
            let again = ask(&held.clients, batch_of("first", "a", "b", 1));
            completed(&in_time(again).await.unwrap(), 2, TASKS + 1);
            let again = ask(&held.clients, batch_of("second", "b", "c", 2));
            completed(&in_time(again).await.unwrap(), 3, 2 * TASKS + 1);
            held.server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_built_on_a_batch_that_is_lost_with_the_log() {
    for (persists, epoch) in [(false, 1), (true, 2)] {
        for disk in [Disk::memory(), Disk::folder()] {
            let fault = AppendFault::FsyncFailsAfterWrite { persists };
            let mut held = Held::on(&disk, Some(fault), batch_of("second", "b", "c", 2)).await;
            let [first, second] = held.answers().await;
            refused(&first, ErrorReason::LogUnavailable);
            assert!(second.iter().all(|result| result.error.is_some()));
            held.server.ended().await.expect_err("the log failed");

            let server = TestServer::start(&disk).await;
            let mut clients = server.clients().await;
            let task = clients.task("", "task-7").await.unwrap();
            assert_eq!(task.owner_epoch, epoch, "persists: {persists}");
            assert_eq!(clients.head("").await, epoch * TASKS as u64);
            server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_came_meanwhile_is_answered_though_nothing_else_comes() {
    let disk = Disk::memory();
    let mut held = Held::on(&disk, None, batch_of("second", "b", "c", 2)).await;
    let mut clients = held.clients.clone();
    let single = tokio::spawn(async move { clients.create(create("", "single", "a")).await });
    // Long enough for it to lie with the engine, too little for a large batch, when the log goes on.
    tokio::time::sleep(Duration::from_millis(100)).await;
    held.answers().await;
    assert_eq!(in_time(single).await.unwrap().unwrap().revision, 3 * TASKS as u64 + 1);
    held.server.stop().await;
}
