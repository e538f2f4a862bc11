//! One run: writers and watchers over several lives of a server, chosen by a seed; then everything is held against what is true.

use std::{collections::BTreeMap, net::SocketAddr};

use baton_log::{LogReader, ReadLimit, Record};
use baton_server::config::Config;
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{
    chronicle::{Chronicle, Forgetting},
    habits::{Habits, NARROW_BYTES},
    observed::{End, Stream},
    truth::Truth,
    validators::{Violation, violations},
    watcher::{Life, Watcher, head},
    writer::Writer,
};
use crate::harness::{Clients, Disk, ServerProcess, TestServer, config, in_time};

/// Tenants.
const NAMESPACES: [&str; 2] = ["default", "north"];

/// How a server dies before its run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// It is asked to stop.
    InOrder,
    /// SIGKILL.
    Killed,
}

/// What a run was made of.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) violations: Vec<Violation>,
    pub(super) revisions: usize,
    pub(super) watchers: usize,
    pub(super) streams: usize,
    pub(super) events: usize,
    /// Streams that had told more than their watchers had acted on.
    pub(super) within: usize,
    /// Streams that ended with a place to resume from.
    pub(super) stopped: usize,
    /// Streams that ended with their server.
    pub(super) killed: usize,
    /// Streams whose next revision was gone.
    pub(super) gaps: usize,
    /// How often a watcher did not read for a while.
    pub(super) pauses: u64,
}

/// A server that is running.
enum Host {
    Here(TestServer),
    Process(ServerProcess),
}

/// One run.
struct Run {
    random: fastrand::Rng,
    disk: Disk,
    death: Death,
    /// What was made durable, where the server is in this process.
    chronicle: Option<Chronicle>,
    /// Whether the log forgets what is behind its checkpoints: in each life as the server retains it, or more wildly by the test's hand.
    forgets: bool,
    namespaces: &'static [&'static str],
    writers: Vec<Writer>,
    watchers: Vec<Watcher>,
}

/// Runs `seed` to its end.
pub(super) async fn run(seed: u64, death: Death) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let on_disk = death == Death::Killed || random.u32(0..4) == 0;
    let disk = if on_disk { Disk::folder() } else { Disk::memory() };
    let chronicle = (death == Death::InOrder).then(Chronicle::default);
    let forgets = death == Death::InOrder && random.u32(0..8) == 0;
    // Whoever forgets must have much to remember.
    let namespaces = &NAMESPACES[..if forgets { 1 } else { random.usize(1..=2) }];
    let writers = random.usize(if forgets { 5..=6 } else { 2..=6 });
    let writers =
        (0..writers).map(|index| Writer::new(namespaces[index % namespaces.len()], index, random.fork()));
    let writers = writers.collect();
    let mut run = Run { random, disk, death, chronicle, forgets, namespaces, writers, watchers: Vec::new() };
    let lives = run.random.usize(if forgets || death == Death::Killed { 2..=3 } else { 1..=3 });
    for life in 1..=lives {
        run.live(life == lives).await;
    }
    run.judge()
}

impl Run {
    /// One life of the server. In the last, writers and watchers come to their ends before it does.
    async fn live(&mut self, last: bool) {
        let host = self.start().await;
        let mut asking = Clients::connect(host.address()).await;
        self.more_watchers(&mut asking).await;
        let (answered, answers) = watch::channel(0);
        let (watching, told) = self.watching(&host, &asking, &answers).await;
        let calls = self.random.u64(if self.forgets { 30..=40 } else { 10..=30 });
        let mut working = self.working(&host, calls, &answered).await;
        if last {
            self.wait_for(&mut working).await;
            answered.send_replace(u64::MAX);
            for (namespace, mut told) in told {
                let head = head(&mut asking, &namespace).await.expect("the server is there");
                in_time(told.wait_for(|told| *told >= head)).await.expect("the watcher is there");
            }
            host.stop().await;
        } else {
            let moment = self.random.u64(if self.forgets { calls * 2..calls * 4 } else { 0..calls * 2 });
            in_time(answers.clone().wait_for(|count| *count >= moment)).await.expect("it is counted");
            let ending = tokio::spawn(host.end(self.death));
            self.wait_for(&mut working).await;
            // Whoever does not read now reads again, so that it can be told that this is the end.
            answered.send_replace(u64::MAX);
            in_time(ending).await.expect("the server ends");
        }
        for watcher in watching {
            self.watchers.push(in_time(watcher).await.expect("no watcher panics"));
        }
        self.note_what_is_durable();
    }

    async fn start(&mut self) -> Host {
        if self.death == Death::Killed {
            let folder = self.disk.clone();
            let process = tokio::task::spawn_blocking(move || ServerProcess::start(folder.path()));
            return Host::Process(process.await.expect("the process starts"));
        }
        // Enough grace that a busy machine cuts nobody off.
        let mut config = Config { checkpoint_events: 100, stop_grace_s: 60, ..config() };
        let mut forgetting = None;
        if self.forgets && self.random.bool() {
            // By itself: as little as may be, as soon as may be.
            (config.retain_bytes, config.retain_interval_ms) = (Some(64 * 1024), 10);
        } else if self.forgets {
            forgetting =
                Some(Forgetting { checkpoints: self.disk.checkpoints(), random: self.random.fork() });
        }
        let chronicle = self.chronicle.clone().expect("servers in this process have one");
        let opened = self.disk.open_wrapped(config, |log| chronicle.keep(log, forgetting));
        Host::Here(TestServer::serve(opened.expect("the server can be opened")).await)
    }

    async fn more_watchers(&mut self, asking: &mut Clients) {
        for _ in 0..self.random.usize(2..=4) {
            let namespace = self.namespaces[self.random.usize(0..self.namespaces.len())];
            let head = head(asking, namespace).await.expect("the server is there");
            let habits = Habits::draw(&mut self.random, namespace, head, self.forgets);
            let name = format!("watcher {}", self.watchers.len());
            self.watchers.push(Watcher::new(name, habits, self.random.fork()));
        }
    }

    /// Lets all watchers watch, each on a connection of its own; how far they are is told by their namespaces.
    async fn watching(
        &mut self,
        host: &Host,
        asking: &Clients,
        answers: &watch::Receiver<u64>,
    ) -> (Vec<JoinHandle<Watcher>>, Vec<(String, watch::Receiver<u64>)>) {
        let (mut watching, mut places) = (Vec::new(), Vec::new());
        for watcher in self.watchers.drain(..) {
            let address = host.address();
            let (told, place) = watch::channel(0);
            places.push((watcher.namespace().to_owned(), place));
            let life = Life {
                watching: match watcher.habits().pauses {
                    Some(_) => Clients::connect_narrow(address, NARROW_BYTES).await,
                    None => Clients::connect(address).await,
                },
                asking: asking.clone(),
                chronicle: self.chronicle.clone(),
                answered: answers.clone(),
                told,
            };
            watching.push(tokio::spawn(watcher.live(life)));
        }
        (watching, places)
    }

    async fn working(&mut self, host: &Host, calls: u64, answered: &watch::Sender<u64>) -> JoinSet<Writer> {
        let mut working = JoinSet::new();
        for writer in self.writers.drain(..) {
            let clients = Clients::connect(host.address()).await;
            working.spawn(writer.work(clients, calls, answered.clone()));
        }
        working
    }

    async fn wait_for(&mut self, working: &mut JoinSet<Writer>) {
        while let Some(writer) = in_time(working.join_next()).await {
            self.writers.push(writer.expect("no writer panics"));
        }
        // As they began, whoever came back first.
        self.writers.sort_by_key(Writer::index);
    }

    /// Reads the log of the server that is gone: no stream of it may have been told of more.
    fn note_what_is_durable(&mut self) {
        let log = self.disk.dead_log();
        for watcher in &mut self.watchers {
            let head = log.head(watcher.namespace()).expect("the log can be read");
            let durable = (head.oldest_revision, head.revision);
            let streams = &mut watcher.watch.streams;
            for stream in streams.iter_mut().filter(|stream| stream.durable.is_none()) {
                stream.durable = Some(durable);
                let killed = stream.end == End::Killed;
                assert!(
                    !killed || self.death == Death::Killed,
                    "a server that stops cuts {}",
                    stream.describe()
                );
            }
        }
    }

    /// Holds everything against what is true.
    fn judge(self) -> Report {
        let mut report = Report { watchers: self.watchers.len(), ..Report::default() };
        let log = self.disk.dead_log();
        let mut by_namespace: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for watcher in self.watchers {
            report.count(&watcher);
            by_namespace.entry(watcher.namespace().to_owned()).or_default().push(watcher.watch);
        }
        for (namespace, watches) in by_namespace {
            let writers = self.writers.iter().filter(|writer| writer.namespace() == namespace);
            let answers = writers.flat_map(|writer| writer.answers.iter().cloned()).collect();
            let truth = match &self.chronicle {
                Some(chronicle) => {
                    let records = chronicle.of(&namespace);
                    check_log(&*log, &namespace, &records);
                    Truth::of(&records, log.id(), answers)
                }
                None => Truth::read(&*log, &namespace, answers),
            };
            assert_eq!(truth.missing_answers(), [""; 0], "what was answered is not in the log");
            report.revisions += truth.facts.len();
            report.violations.extend(violations(&watches, &truth));
        }
        report
    }
}

/// The dead server's log has what the chronicle has, but for what it forgot.
fn check_log(log: &dyn LogReader, namespace: &str, chronicle: &[Record]) {
    let oldest = log.head(namespace).expect("the log can be read").oldest_revision;
    let kept = log.read(namespace, oldest, ReadLimit::UNLIMITED).expect("the log can be read");
    assert!(chronicle.ends_with(&kept), "the log of {namespace} is not what was appended to it");
    assert_eq!(chronicle.len() > kept.len(), oldest > 1, "the log of {namespace} forgot and does not say so");
}

impl Report {
    fn count(&mut self, watcher: &Watcher) {
        let streams = &watcher.watch.streams;
        let count = |of: &dyn Fn(&&Stream) -> bool| streams.iter().filter(of).count();
        self.streams += streams.len();
        self.events += streams.iter().map(|stream| stream.events().count()).sum::<usize>();
        self.within += count(&|stream| stream.acted.is_some() && stream.acted < stream.told());
        self.stopped += count(&|stream| matches!(stream.end, End::Stopping { .. }));
        self.killed += count(&|stream| stream.end == End::Killed);
        self.gaps += count(&|stream| matches!(stream.end, End::Compacted { .. }));
        self.pauses += watcher.pauses;
    }

    /// Both together.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.violations.extend(other.violations);
        self.revisions += other.revisions;
        self.watchers += other.watchers;
        self.streams += other.streams;
        self.events += other.events;
        self.within += other.within;
        self.stopped += other.stopped;
        self.killed += other.killed;
        self.gaps += other.gaps;
        self.pauses += other.pauses;
        self
    }
}

impl Host {
    fn address(&self) -> SocketAddr {
        match self {
            Self::Here(server) => server.address,
            Self::Process(process) => process.address,
        }
    }

    /// Ends it while others still work with it.
    async fn end(self, death: Death) {
        match (self, death) {
            (Self::Here(server), Death::InOrder) => server.stop().await,
            (Self::Process(process), Death::Killed) => _ = process.kill(),
            _ => unreachable!("servers in this process stop in order, others are killed"),
        }
    }

    /// Ends it when all are done.
    async fn stop(self) {
        match self {
            Self::Here(server) => server.stop().await,
            Self::Process(process) => _ = process.kill(),
        }
    }
}
