//! Random faults in random runs of servers over one disk, in memory and in SQLite.
//!
//! `BATON_SEEDS` sets how many runs, `BATON_SEED` repeats their choices.

use std::collections::BTreeMap;

use baton_log::Plan;
use baton_proto::v1::{self, EventType, WatchHandoffsRequest};
use baton_server::ServerError;
use tokio::task::JoinHandle;

use super::writer::Writer;
use crate::harness::{Clients, Disk, TestServer, in_time, seed};

/// What is asked of the servers of a run.
#[derive(Clone, Copy)]
struct Load {
    /// Runs for each kind of disk, unless the environment says otherwise.
    seeds: u64,
    /// Callers at once.
    writers: usize,
    /// Tasks of each of them.
    tasks: usize,
    /// How often it hands each of them on.
    handoffs: usize,
    /// One append in so many fails.
    fault_one_in: u64,
}

const SINGLE_CALLS: Load = Load { seeds: 50, writers: 6, tasks: 1, handoffs: 12, fault_one_in: 9 };
/// Enough in each batch for the next to be decided while it is appended.
const LARGE_BATCHES: Load = Load { seeds: 12, writers: 4, tasks: 140, handoffs: 6, fault_one_in: 4 };
/// More servers than a run can need, if each gets a little further.
const LIVES_MAX: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_invented_over_memory() {
    runs(Disk::memory, SINGLE_CALLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_invented_over_sqlite() {
    runs(Disk::folder, SINGLE_CALLS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_large_batches_is_lost_or_invented_over_memory() {
    runs(Disk::memory, LARGE_BATCHES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_large_batches_is_lost_or_invented_over_sqlite() {
    runs(Disk::folder, LARGE_BATCHES).await;
}

async fn runs(disk: impl Fn() -> Disk, load: Load) {
    let seeds = std::env::var("BATON_SEEDS").map_or(load.seeds, |seeds| seeds.parse().unwrap());
    let mut random = fastrand::Rng::with_seed(seed());
    let (mut deaths, mut full) = (0, 0);
    for _ in 0..seeds {
        let run = Run::new(disk(), random.fork(), load).run().await;
        deaths += run.lives - 1;
        full += run.writers.iter().map(|writer| writer.full).sum::<usize>();
    }
    eprintln!("{seeds} runs: the log broke {deaths} times, {full} calls found it full");
    assert!(deaths > 0 && full > 0, "no faults were met: this proves nothing");
}

/// What a server showed to those who only looked.
#[derive(Default)]
struct Seen {
    events: BTreeMap<u64, v1::HandoffEvent>,
    tasks: Vec<v1::Task>,
}

struct Run {
    load: Load,
    disk: Disk,
    random: fastrand::Rng,
    writers: Vec<Writer>,
    seen: Seen,
    lives: usize,
}

impl Run {
    fn new(disk: Disk, random: fastrand::Rng, load: Load) -> Self {
        let writers = (0..load.writers).map(|index| Writer::new(index, load.tasks, load.handoffs)).collect();
        Self { load, disk, random, writers, seen: Seen::default(), lives: 0 }
    }

    async fn run(mut self) -> Self {
        while !self.writers.iter().all(Writer::is_done) {
            self.lives += 1;
            assert!(self.lives < LIVES_MAX, "the run does not get anywhere");
            self.live().await;
            if self.random.bool() {
                self.disk.power_cut();
            }
        }
        let server = TestServer::start(&self.disk).await;
        let mut clients = server.clients().await;
        let truth = self.check_answers_and_sights(&mut clients).await;
        self.check_once_each(&truth);
        clients.verify("").await.expect("the log verifies");
        server.stop().await;
        self
    }

    /// One server, from its start to its end.
    async fn live(&mut self) {
        let plan = Plan::seeded(self.random.u64(..), self.load.fault_one_in);
        let server = TestServer::start_faulty(&self.disk, plan).await;
        let mut clients = server.clients().await;
        self.check_answers_and_sights(&mut clients).await;
        let watching = watch(server.clients().await);
        let reading = read(server.clients().await);
        let writers = std::mem::take(&mut self.writers);
        let working: Vec<_> =
            writers.into_iter().map(|writer| tokio::spawn(writer.work(clients.clone()))).collect();
        for writer in working {
            self.writers.push(in_time(writer).await.expect("no writer panics"));
        }
        let done = self.writers.iter().all(Writer::is_done);
        if done {
            server.shutdown.begin();
        }
        match server.ended().await {
            // The last append may have failed with all answers out: not with this plan's writers, who then try again.
            Ok(()) => assert!(done),
            Err(ServerError::LogFailed(_)) => assert!(!done),
            Err(other) => panic!("a server ends by its log or in order, not by {other}"),
        }
        self.seen.events.extend(in_time(watching).await.expect("the watcher does not panic"));
        self.seen.tasks.extend(in_time(reading).await.expect("the reader does not panic"));
    }

    /// What was answered is there; what was seen is what the log says now. Gives what the log says.
    async fn check_answers_and_sights(&self, clients: &mut Clients) -> BTreeMap<u64, v1::HandoffEvent> {
        let head = clients.head("").await;
        let watch = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
        let events = clients.events(watch, head).await;
        let truth: BTreeMap<_, _> = events.into_iter().map(|event| (event.revision, event)).collect();
        assert!(truth.keys().copied().eq(1..=head), "revisions are not dense");
        for answered in self.writers.iter().flat_map(|writer| &writer.answered) {
            let recorded = truth.get(&answered.revision).and_then(|event| event.handoff.as_ref());
            assert_eq!(recorded, Some(answered), "an answered hand-off is gone");
        }
        for (revision, event) in &self.seen.events {
            assert_eq!(truth.get(revision), Some(event), "a watcher saw what is not true");
        }
        for task in &self.seen.tasks {
            let recorded = truth.get(&task.revision).and_then(|event| event.task.as_ref());
            let recorded = recorded.expect("a reader saw a revision that is not there");
            let shown = (&task.task_id, &task.assigned_agent, task.owner_epoch);
            assert_eq!((&recorded.task_id, &recorded.assigned_agent, recorded.owner_epoch), shown);
        }
        truth
    }

    /// Every hand-off that was asked for, however often, happened once.
    fn check_once_each(&self, truth: &BTreeMap<u64, v1::HandoffEvent>) {
        let completed = truth.values().filter(|event| event.r#type() == EventType::HandoffCompleted);
        let mut of_tasks: BTreeMap<&str, Vec<&v1::Handoff>> = BTreeMap::new();
        for handoff in completed.filter_map(|event| event.handoff.as_ref()) {
            of_tasks.entry(&handoff.task_id).or_default().push(handoff);
        }
        for writer in &self.writers {
            for (index, task_id) in writer.task_ids.iter().enumerate() {
                let answered = writer.answered.iter().skip(index).step_by(writer.task_ids.len());
                assert!(answered.eq(of_tasks.remove(task_id.as_str()).unwrap_or_default()));
            }
        }
        let Load { writers, tasks, handoffs, .. } = self.load;
        assert_eq!(truth.len(), writers * tasks * (handoffs + 1));
    }
}

/// Collects events until the server is gone.
fn watch(mut clients: Clients) -> JoinHandle<BTreeMap<u64, v1::HandoffEvent>> {
    tokio::spawn(async move {
        let mut seen = BTreeMap::new();
        let request = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
        let Ok(mut stream) = clients.watch(request).await else { return seen };
        while let Ok(Some(message)) = stream.message().await {
            seen.extend(message.events.into_iter().map(|event| (event.revision, event)));
        }
        seen
    })
}

/// Collects tasks as they change, until the server is gone.
fn read(mut clients: Clients) -> JoinHandle<Vec<v1::Task>> {
    tokio::spawn(async move {
        let mut seen: Vec<v1::Task> = Vec::new();
        while let Ok(page) = clients.tasks.list_tasks(v1::ListTasksRequest::default()).await {
            for task in page.into_inner().tasks {
                if !seen.iter().any(|known| known.revision == task.revision) {
                    seen.push(task);
                }
            }
        }
        seen
    })
}
