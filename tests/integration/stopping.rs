//! An orderly stop: watches are told where to go on, calls are answered, and it ends in bounded time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use baton_log::Plan;
use baton_proto::v1::{self, ErrorReason, WatchHandoffsRequest};
use baton_server::{clock::SystemClock, config::Config};
use tokio::time::Instant;
use tonic::Code;

use crate::harness::{Clients, Disk, Gate, Refused, TestServer, config, create, hand_off, in_time};

#[tokio::test(flavor = "multi_thread")]
async fn open_watches_end_with_the_revision_to_go_on_from() {
    let disk = Disk::folder();
    // So long that waiting for it would fail the test.
    let server = TestServer::start_with(&disk, Config { stop_grace_s: 600, ..config() }).await;
    let mut clients = server.clients().await;
    let mut streams = Vec::new();
    for request in [
        WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() },
        WatchHandoffsRequest::default(),
        WatchHandoffsRequest { snapshot: true, ..Default::default() },
        WatchHandoffsRequest { namespace: "empty".into(), ..Default::default() },
    ] {
        let last = if request.namespace.is_empty() { 3 } else { 0 };
        streams.push((clients.watch(request).await.unwrap(), last));
    }
    clients.create(create("", "task", "a")).await.unwrap();
    clients.hand_off(hand_off("", "task", "a", "b")).await.unwrap();
    clients.hand_off(hand_off("", "task", "b", "c")).await.unwrap();
    for (stream, last) in &mut streams {
        crate::harness::events_until(stream, *last).await;
    }
    server.stop().await;
    let mut resume = 0;
    for (mut stream, last) in streams {
        let refused = loop {
            match in_time(stream.message()).await {
                Ok(message) => assert_eq!(message.expect("a watch ends with a status").revision, last),
                Err(status) => break Refused::from(status),
            }
        };
        assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::ShuttingDown));
        let from: u64 = refused.value("resume_revision").parse().unwrap();
        assert_eq!(from, last + 1);
        resume = resume.max(from);
    }

    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    let request = WatchHandoffsRequest { start_revision: resume, ..Default::default() };
    let mut stream = clients.watch(request).await.expect("the watch goes on where it ended");
    clients.hand_off(hand_off("", "task", "c", "d")).await.unwrap();
    let events = crate::harness::events_until(&mut stream, 4).await;
    assert_eq!(
        events.iter().map(|event| event.revision).collect::<Vec<_>>(),
        [4],
        "nothing twice, nothing missed"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_does_not_read_cannot_hold_the_stop_up() {
    let server = TestServer::start_with(&Disk::memory(), Config { stop_grace_s: 1, ..config() }).await;
    let mut clients = server.clients().await;
    let description = "x".repeat(16 * 1024);
    let items: Vec<_> = (0..200)
        .map(|index| v1::CreateTaskRequest {
            description: description.clone(),
            ..create("", &format!("task-{index}"), "a")
        })
        .collect();
    for chunk in items.chunks(100) {
        let batch = v1::BatchCreateTasksRequest { items: chunk.to_vec(), namespace: String::new() };
        clients.tasks.batch_create_tasks(batch).await.unwrap();
    }
    let mut idle = server.clients().await;
    let request = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    let _unread = idle.watch(request).await.unwrap();
    let begun = Instant::now();
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_being_committed_is_answered() {
    let disk = Disk::folder();
    let gate = Gate::default();
    let passing = gate.clone();
    let plan = Plan::appends(move |_| {
        passing.pass();
        None
    });
    let server = TestServer::serve(disk.open_with(config(), plan, Arc::new(SystemClock)).unwrap()).await;
    let mut clients = server.clients().await;
    let mut stream = clients.watch(WatchHandoffsRequest::default()).await.unwrap();
    gate.close();
    let mut caller = clients.clone();
    let asked = tokio::spawn(async move { caller.create(create("", "task", "a")).await });
    gate.held().await;
    server.shutdown.begin();
    while let Ok(Some(_)) = in_time(stream.message()).await {}
    gate.open();
    let task = in_time(asked).await.unwrap().expect("it was under way when the stop began");
    server.ended().await.unwrap();

    let server = TestServer::start(&disk).await;
    assert_eq!(server.clients().await.task("", "task").await.unwrap(), task);
    server.stop().await;
}

/// More records than a verification reads at once, several times over.
async fn many_records(clients: &mut Clients) {
    for batch in 0..6 {
        let items = (0..1_000).map(|index| create("", &format!("task-{batch}-{index}"), "a")).collect();
        let request = v1::BatchCreateTasksRequest { items, namespace: String::new() };
        clients.tasks.batch_create_tasks(request).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verification_of_a_long_log_is_broken_off() {
    let gate = Gate::default();
    let reads = Arc::new(AtomicU64::new(0));
    let (passing, counting) = (gate.clone(), Arc::clone(&reads));
    let plan = Plan::none().with_reads(move |number| {
        counting.store(number, Ordering::SeqCst);
        passing.pass();
        None
    });
    let config = Config { stop_grace_s: 600, batch_commands_max: 1, ..config() };
    let opened = Disk::memory().open_with(config, plan, Arc::new(SystemClock)).unwrap();
    let server = TestServer::serve(opened).await;
    let mut clients = server.clients().await;
    many_records(&mut clients).await;
    gate.close();
    let mut verifying = clients.clone();
    let verifying = tokio::spawn(async move { verifying.verify("").await });
    gate.held().await;
    let begun = reads.load(Ordering::SeqCst);
    server.shutdown.begin();
    gate.open();
    server.ended().await.unwrap();
    let refused = Refused::of(in_time(verifying).await.unwrap());
    assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::ShuttingDown));
    assert_eq!(reads.load(Ordering::SeqCst), begun, "it read on for nobody");
}
