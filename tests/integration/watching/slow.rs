//! A watcher that is far behind is served from the log, and gets what those got that were there.

use baton_proto::v1::{self, EventType, HandoffEvent, WatchFilter, WatchHandoffsRequest};

use crate::harness::{Clients, Disk, TestServer, create, events_until, hand_off, in_time};

/// Batches of 1,000 tasks: more events than the server keeps in memory for watchers (16,384).
const BATCHES: usize = 18;

async fn write(clients: &mut Clients) -> u64 {
    for batch in 0..BATCHES {
        let items = (0..1_000).map(|index| v1::CreateTaskRequest {
            request_id: String::new(),
            description: String::new(),
            ..create("", &format!("task-{batch}-{index}"), "a")
        });
        let request = v1::BatchCreateTasksRequest { items: items.collect(), namespace: String::new() };
        let results = clients.tasks.batch_create_tasks(request).await.unwrap().into_inner().results;
        assert!(results.iter().all(|result| result.error.is_none()));
        clients.hand_off(hand_off("", &format!("task-{batch}-0"), "a", "b")).await.unwrap();
    }
    (BATCHES * 1_001) as u64
}

fn from(start_revision: u64, all_events: bool) -> WatchHandoffsRequest {
    WatchHandoffsRequest { start_revision, all_events, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn far_behind_gives_the_same_as_live() {
    let disk = Disk::folder();
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    let mut live = server.clients().await.watch(from(1, true)).await.unwrap();
    // This one is opened at the beginning and read at the end: it waits for itself alone.
    let mut idle = server.clients().await.watch(from(1, true)).await.unwrap();
    let head = (BATCHES * 1_001) as u64;
    let watching = tokio::spawn(async move { events_until(&mut live, head).await });
    assert_eq!(write(&mut clients).await, head);
    let live: Vec<HandoffEvent> = in_time(watching).await.unwrap();
    assert!(live.iter().map(|event| event.revision).eq(1..=head));

    assert!(clients.events(from(1, true), head).await == live, "from the beginning");
    assert!(events_until(&mut idle, head).await == live, "read late");
    let middle = head / 2;
    assert!(clients.events(from(middle, true), head).await == live[middle as usize - 1..], "from the middle");
    let handoffs: Vec<_> = live.iter().filter(|event| event.handoff.is_some()).cloned().collect();
    assert_eq!(handoffs.len(), BATCHES);
    assert_eq!(clients.events(from(1, false), head).await, handoffs);
    let filter = WatchFilter {
        task_ids: vec!["task-0-5".into(), "task-17-0".into()],
        types: vec![EventType::TaskCreated.into()],
        ..Default::default()
    };
    let filtered = WatchHandoffsRequest { filter: Some(filter), ..from(1, true) };
    let found = clients.events(filtered, head - 1_000).await;
    let found: Vec<_> = found.iter().map(|event| event.task.as_ref().unwrap().task_id.as_str()).collect();
    assert_eq!(found, ["task-0-5", "task-17-0"]);
    server.stop().await;

    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    assert!(clients.events(from(1, true), head).await == live, "after a restart, when nothing is in memory");
    server.stop().await;
}
