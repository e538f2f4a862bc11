//! Many watchers that each want something else: each gets what it wants while events come, and hears how far it is if it wants nothing.

use baton_proto::v1::{self, HandoffEvent, WatchFilter, WatchHandoffsRequest, WatchHandoffsResponse};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tonic::Streaming;

use super::filters::{AGENTS, TASKS, act, by_hand, drawn};
use crate::harness::{Clients, Disk, TestServer, create, events_until, hand_off, in_time, seed};

/// Watchers at once.
const WATCHERS: usize = 120;
/// Calls of the writers, each while a watcher comes or goes.
const CALLS: usize = 360;
/// A watcher that wants none of so many revisions is told how far it is.
const SILENT_REVISIONS_MAX: u64 = 10_000;
/// Tasks that are created in one commit.
const BATCH: u64 = 1_000;
/// Such commits: a watcher is told more than once.
const BATCHES: u64 = 32;

/// What a watcher got, and what it asked for.
type Got = (WatchHandoffsRequest, Vec<HandoffEvent>);

fn request(random: &mut fastrand::Rng, head: u64) -> WatchHandoffsRequest {
    let all_events = random.bool();
    let start_revision = match random.u32(0..4) {
        0 => 0,
        1 => 1,
        2 => random.u64(1..=head + 1),
        _ => head + 1,
    };
    WatchHandoffsRequest {
        start_revision,
        all_events,
        // Some get by without: they are told everything, and the others must not be.
        filter: (random.u32(0..10) > 0).then(|| drawn(random, all_events)),
        progress_interval: Some(prost_types::Duration { seconds: 0, nanos: 100_000_000 }),
        ..Default::default()
    }
}

/// Reads until the stream is told of everything up to `until`, which is known when all is written.
async fn read(
    mut request: WatchHandoffsRequest,
    mut stream: Streaming<WatchHandoffsResponse>,
    mut until: watch::Receiver<Option<u64>>,
) -> Got {
    let (mut events, mut told) = (Vec::new(), 0);
    loop {
        let message = tokio::select! {
            message = in_time(stream.message()) => message,
            _ = until.wait_for(|until| until.is_some_and(|until| until <= told)) => return (request, events),
        };
        let message = message.expect("the watch goes on").expect("a watch has no end");
        if request.start_revision == 0 {
            request.start_revision = message.revision + 1;
        }
        let what_was_not_told = told + 1..=message.revision;
        assert!(
            message.events.iter().all(|event| what_was_not_told.contains(&event.revision)),
            "{request:?}"
        );
        assert!(message.revision >= told, "{request:?}: told {told}, then {}", message.revision);
        told = message.revision;
        events.extend(message.events);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_watchers_get_what_each_wants_while_events_come_and_others_leave() {
    let mut random = fastrand::Rng::with_seed(seed());
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    for index in 0..TASKS {
        clients.create(create("", &format!("task-{index}"), AGENTS[index % 5])).await.unwrap();
    }
    let watching: Vec<Clients> = [server.clients().await, server.clients().await].into();
    let (done, until) = watch::channel(None);
    let mut reading: Vec<JoinHandle<Got>> = Vec::new();
    let mut writing = JoinSet::new();
    for call in 0..CALLS {
        if call % (CALLS / WATCHERS) == 0 {
            let head = clients.head("").await;
            let request = request(&mut random, head);
            let stream = watching[call % 2].clone().watch(request.clone()).await.unwrap();
            reading.push(tokio::spawn(read(request, stream, until.clone())));
        }
        if random.u32(0..12) == 0 && reading.len() > WATCHERS / 4 {
            reading.swap_remove(random.usize(0..reading.len())).abort();
        }
        let (mut clients, mut random) = (clients.clone(), random.fork());
        writing.spawn(async move { act(&mut clients, &mut random).await });
        if writing.len() > 4 {
            writing.join_next().await.expect("some are there").expect("no writer panics");
        }
    }
    writing.join_all().await;
    let head = clients.head("").await;
    done.send(Some(head)).expect("watchers are there");
    let all = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    let all = clients.events(all, head).await;
    let (mut matched, mut watchers) = (0, 0);
    for got in reading {
        let (request, events) = in_time(got).await.expect("no watcher panics");
        let filter = request.filter.clone().unwrap_or_default();
        let wanted = |event: &&HandoffEvent| by_hand(&filter, request.all_events, event);
        let wanted = all.iter().filter(wanted);
        let expected: Vec<_> = wanted.filter(|event| event.revision >= request.start_revision).collect();
        assert!(events.iter().eq(expected), "{request:?}");
        matched += events.len();
        watchers += 1;
    }
    assert!(watchers > WATCHERS / 4 && matched > 1_000, "{watchers} watchers got {matched} events");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watchers_that_want_none_of_many_events_are_told_how_far_they_are() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let filter = WatchFilter { agent_ids: vec!["nobody".into()], ..Default::default() };
    let request = WatchHandoffsRequest {
        all_events: true,
        filter: Some(filter),
        // Not before the test is over.
        progress_interval: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    };
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(clients.watch(request.clone()).await.unwrap());
    }
    for batch in 0..BATCHES {
        let items = (0..BATCH).map(|index| v1::CreateTaskRequest {
            request_id: String::new(),
            ..create("", &format!("task-{batch}-{index}"), "a")
        });
        let request = v1::BatchCreateTasksRequest { items: items.collect(), namespace: String::new() };
        clients.tasks.batch_create_tasks(request).await.unwrap();
    }
    let head = BATCHES * BATCH;
    assert_eq!(clients.head("").await, head);
    for mut stream in streams {
        assert_eq!(events_until(&mut stream, head - SILENT_REVISIONS_MAX - BATCH).await, []);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wanted_wakes_who_has_waited_and_who_comes_just_then() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let tasks: Vec<_> = (0..200).map(|index| format!("task-{index}")).collect();
    for task in &tasks {
        clients.create(create("", task, "a")).await.unwrap();
    }
    let filters = [
        WatchFilter { task_ids: tasks.clone(), ..Default::default() },
        WatchFilter { agent_ids: vec!["b".into()], ..Default::default() },
        WatchFilter { from_agents: vec!["a".into()], ..Default::default() },
        WatchFilter { to_agents: vec!["b".into()], ..Default::default() },
        WatchFilter { types: vec![v1::EventType::HandoffCompleted.into()], ..Default::default() },
    ];
    let requests = filters.map(|filter| WatchHandoffsRequest {
        filter: Some(filter),
        // Whoever is not woken hears nothing before the test is over.
        progress_interval: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    });
    let mut waiting = Vec::new();
    for request in &requests {
        waiting.push(clients.watch(request.clone()).await.unwrap());
    }
    for (round, task) in tasks.iter().enumerate() {
        let coming = WatchHandoffsRequest { start_revision: 1, ..requests[round % requests.len()].clone() };
        let (mut watching, mut handing_off) = (clients.clone(), clients.clone());
        let (stream, handoff) =
            tokio::join!(watching.watch(coming), handing_off.hand_off(hand_off("", task, "a", "b")));
        let (mut stream, revision) = (stream.unwrap(), handoff.unwrap().0.revision);
        let last = |events: &[HandoffEvent]| events.last().map(|event| event.revision);
        assert_eq!(last(&events_until(&mut stream, revision).await), Some(revision));
        for stream in &mut waiting {
            let events = events_until(stream, revision).await;
            assert_eq!((last(&events), events.len()), (Some(revision), 1));
        }
    }
    server.stop().await;
}
