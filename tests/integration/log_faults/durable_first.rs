//! While a record is being written, nobody sees it; if it is lost, nobody ever did.

use std::sync::Arc;

use baton_log::{
    Append, AppendError, AppendFault, Head, Keep, Log, LogId, LogReader, MemoryArchive, MemoryCheckpoints,
    MemoryLog, MemoryStore, Plan, ReadError, ReadLimit, Record, Truncated,
};
use baton_proto::v1::{self, WatchHandoffsRequest};
use baton_server::{Server, clock::SystemClock, engine::EngineParts, metrics::Metrics};

use crate::harness::{Clients, Disk, Gate, TestServer, config, create, events_until, hand_off, in_time};

/// A server whose appends wait at the gate, the `failing`th of them to fail after it.
async fn gated(disk: &Disk, gate: &Gate, failing: Option<(u64, AppendFault)>) -> TestServer {
    let passing = gate.clone();
    let plan = Plan::appends(move |number| {
        passing.pass();
        failing.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    });
    TestServer::start_faulty(disk, plan).await
}

/// A watcher that has been told of revision 1 and hears often that there is nothing new.
async fn watcher(clients: &mut Clients) -> tonic::Streaming<v1::WatchHandoffsResponse> {
    let request = WatchHandoffsRequest {
        all_events: true,
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..Default::default()
    };
    let mut stream = clients.watch(request).await.unwrap();
    assert_eq!(in_time(stream.message()).await.unwrap().unwrap().revision, 1);
    stream
}

/// Nobody sees more than revision 1.
async fn nothing_new(clients: &mut Clients, stream: &mut tonic::Streaming<v1::WatchHandoffsResponse>) {
    for _ in 0..3 {
        let message = in_time(stream.message()).await.unwrap().unwrap();
        assert_eq!((message.revision, message.events.len()), (1, 0), "a watcher saw what is not durable");
    }
    let task = clients.task("", "task").await.unwrap();
    assert_eq!((task.assigned_agent.as_str(), task.owner_epoch), ("a", 1));
    assert_eq!(clients.history("", "task").await.len(), 1);
    let handoffs = clients.handoffs.list_handoffs(v1::ListHandoffsRequest::default()).await.unwrap();
    assert!(handoffs.into_inner().handoffs.is_empty());
    assert_eq!(clients.head("").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_seen_before_it_is_durable() {
    see_nothing_before_it_is_durable().await;
}

/// The engine waits for the disk in the thread that serves everyone else.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_is_seen_before_it_is_durable_and_one_thread_goes_on_reading_meanwhile() {
    see_nothing_before_it_is_durable().await;
}

async fn see_nothing_before_it_is_durable() {
    for disk in [Disk::memory(), Disk::folder()] {
        let gate = Gate::default();
        let server = gated(&disk, &gate, None).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "a")).await.unwrap();
        let mut stream = watcher(&mut clients).await;
        gate.close();
        let mut caller = clients.clone();
        let asked = tokio::spawn(async move { caller.hand_off(hand_off("", "task", "a", "b")).await });
        gate.held().await;
        nothing_new(&mut clients, &mut stream).await;
        assert!(!asked.is_finished(), "it was answered before it was durable");
        gate.open();
        let (handoff, _) = in_time(asked).await.unwrap().unwrap();
        let told = loop {
            let message = in_time(stream.message()).await.unwrap().unwrap();
            if let Some(event) = message.events.into_iter().next() {
                break event;
            }
        };
        assert_eq!(told.handoff, Some(handoff));
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_was_never_seen() {
    for disk in [Disk::memory(), Disk::folder()] {
        let gate = Gate::default();
        let server =
            gated(&disk, &gate, Some((2, AppendFault::FsyncFailsAfterWrite { persists: false }))).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "a")).await.unwrap();
        let mut stream = watcher(&mut clients).await;
        gate.close();
        let mut caller = clients.clone();
        let asked = tokio::spawn(async move { caller.hand_off(hand_off("", "task", "a", "b")).await });
        gate.held().await;
        nothing_new(&mut clients, &mut stream).await;
        gate.open();
        in_time(asked).await.unwrap().expect_err("it was lost");
        while let Ok(Some(message)) = in_time(stream.message()).await {
            assert_eq!((message.revision, message.events.len()), (1, 0), "a watcher saw what was lost");
        }
        server.ended().await.expect_err("the log failed");
    }
}

/// A log in memory that has what was appended, and says so only when the gate lets it.
struct LateAnswer {
    inner: MemoryLog,
    gate: Gate,
}

impl LogReader for LateAnswer {
    fn id(&self) -> LogId {
        self.inner.id()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.inner.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.inner.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.inner.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.inner.first_kept(namespace, keep)
    }
}

impl Log for LateAnswer {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        let appended = self.inner.append(appends);
        self.gate.pass();
        appended
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        self.inner.truncate_before(namespace, revision)
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        self.inner.reader()
    }
}

/// A server on a store that has revision 1, so that its first watchers read the log.
async fn answering_late(store: &MemoryStore, gate: &Gate) -> TestServer {
    let disk = Disk::Memory(store.clone(), MemoryCheckpoints::default(), MemoryArchive::default());
    let server = TestServer::start(&disk).await;
    server.clients().await.create(create("", "task", "a")).await.unwrap();
    server.stop().await;
    let log = LateAnswer { inner: MemoryLog::open(store.clone()).unwrap(), gate: gate.clone() };
    let parts = EngineParts {
        log: Box::new(log),
        checkpoints: Box::new(MemoryCheckpoints::default()),
        archive: Box::new(MemoryArchive::default()),
        clock: Arc::new(SystemClock),
        metrics: Arc::new(Metrics::new()),
    };
    TestServer::serve(Server::on(parts, config()).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_reads_the_log_is_not_ahead_of_those_who_ask() {
    let (store, gate) = (MemoryStore::new(), Gate::default());
    let server = answering_late(&store, &gate).await;
    let mut clients = server.clients().await;
    gate.close();
    let mut caller = clients.clone();
    let asked = tokio::spawn(async move { caller.hand_off(hand_off("", "task", "a", "b")).await });
    gate.held().await;
    let request = WatchHandoffsRequest {
        start_revision: 1,
        all_events: true,
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..Default::default()
    };
    let mut stream = clients.watch(request).await.unwrap();
    let told = events_until(&mut stream, 1).await;
    assert_eq!(told.iter().map(|event| event.revision).collect::<Vec<_>>(), [1]);
    let next = in_time(stream.message()).await.unwrap().unwrap();
    assert_eq!((next.revision, next.events.len()), (1, 0), "it is told what nobody can read yet");
    assert_eq!(clients.task("", "task").await.unwrap().revision, 1);
    gate.open();
    in_time(asked).await.unwrap().unwrap();
    assert_eq!(events_until(&mut stream, 2).await.len(), 1);
    server.stop().await;
}
