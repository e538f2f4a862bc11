//! A snapshot of what is open, then what happens after it: together they miss nothing.

use std::collections::BTreeMap;

use baton_proto::v1::{self, HandoffStatus, WatchHandoffsRequest};
use tonic::Streaming;

use crate::harness::{Clients, Disk, TestServer, create, events_until, in_time};

fn initiate(task: usize, reason: &str) -> v1::InitiateHandoffRequest {
    v1::InitiateHandoffRequest {
        task_id: format!("task-{task}"),
        from_agent: "a".into(),
        to_agent: "b".into(),
        reason: reason.into(),
        ..Default::default()
    }
}

async fn open(clients: &mut Clients, task: usize, reason: &str) -> v1::Handoff {
    let answer = clients.handoffs.initiate_handoff(initiate(task, reason)).await.unwrap().into_inner();
    answer.handoff.unwrap()
}

async fn create_tasks(clients: &mut Clients, count: usize) {
    let items = (0..count).map(|index| create("", &format!("task-{index}"), "a")).collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    clients.tasks.batch_create_tasks(batch).await.unwrap();
}

/// The snapshot, the revision it is true at, and how many messages it took.
async fn snapshot(stream: &mut Streaming<v1::WatchHandoffsResponse>) -> (Vec<v1::Handoff>, u64, usize) {
    let mut open = Vec::new();
    for messages in 1.. {
        let message = in_time(stream.message()).await.unwrap().unwrap();
        assert!(message.events.is_empty());
        open.extend(message.open_handoffs);
        if !message.snapshot_continues {
            return (open, message.revision, messages);
        }
    }
    unreachable!("a snapshot ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_snapshot_comes_in_parts_and_is_followed_by_what_comes_after() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    create_tasks(&mut clients, 200).await;
    let long = "x".repeat(4 * 1024);
    let mut expected = Vec::new();
    for task in 0..200 {
        expected.push(open(&mut clients, task, &long).await);
    }
    for closed in expected.drain(..20) {
        let request = v1::ExecuteHandoffRequest { handoff_id: closed.handoff_id, ..Default::default() };
        clients.handoffs.execute_handoff(request).await.unwrap();
    }
    let head = clients.head("").await;
    let request = WatchHandoffsRequest { snapshot: true, ..Default::default() };
    let mut stream = clients.watch(request).await.unwrap();
    let (found, revision, messages) = snapshot(&mut stream).await;
    assert_eq!((found, revision), (expected.clone(), head));
    assert!(messages > 1, "{messages} messages");

    let handoff_id = expected[0].handoff_id.clone();
    let request = v1::WithdrawHandoffRequest { handoff_id: handoff_id.clone(), ..Default::default() };
    clients.handoffs.withdraw_handoff(request).await.unwrap();
    let events = events_until(&mut stream, head + 1).await;
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].revision, &events[0].handoff.as_ref().unwrap().handoff_id),
        (head + 1, &handoff_id)
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_taken_while_hand_offs_open_and_close_fit_what_follows_them() {
    const TASKS: usize = 150;
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    create_tasks(&mut clients, TASKS).await;
    let mut writer = clients.clone();
    let writing = tokio::spawn(async move {
        for task in 0..TASKS {
            let handoff = open(&mut writer, task, "later").await;
            if task % 3 != 0 {
                let request =
                    v1::ExecuteHandoffRequest { handoff_id: handoff.handoff_id, ..Default::default() };
                writer.handoffs.execute_handoff(request).await.unwrap();
            }
        }
    });
    let mut streams = Vec::new();
    while !writing.is_finished() {
        let request = WatchHandoffsRequest { snapshot: true, ..Default::default() };
        // Unread streams fill the window of their connection, so each has its own.
        let mut stream = server.clients().await.watch(request).await.unwrap();
        let (open, revision, _) = snapshot(&mut stream).await;
        streams.push((stream, open, revision));
        if streams.len() == 100 {
            break;
        }
    }
    in_time(writing).await.unwrap();
    let head = clients.head("").await;
    let left = clients.handoffs.list_handoffs(v1::ListHandoffsRequest {
        status: HandoffStatus::Initiated.into(),
        page_size: 1_000,
        ..Default::default()
    });
    let left: Vec<_> = left.await.unwrap().into_inner().handoffs;
    for (mut stream, open, revision) in streams {
        let mut known: BTreeMap<u64, v1::Handoff> = BTreeMap::new();
        let number = |handoff: &v1::Handoff| handoff.handoff_id.trim_start_matches("h-").parse().unwrap();
        known.extend(open.into_iter().map(|handoff| (number(&handoff), handoff)));
        let events = if revision < head { events_until(&mut stream, head).await } else { Vec::new() };
        for event in events {
            assert!(event.revision > revision, "an event of before the snapshot");
            let handoff = event.handoff.unwrap();
            match handoff.status() {
                HandoffStatus::Initiated => _ = known.insert(number(&handoff), handoff),
                _ => _ = known.remove(&number(&handoff)).expect("what closes was open"),
            }
        }
        assert!(
            known.into_values().eq(left.iter().cloned()),
            "a watcher knows other open hand-offs than there are"
        );
    }
    server.stop().await;
}
