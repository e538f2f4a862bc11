//! While a record is being written, nobody sees it; if it is lost, nobody ever did.

use baton_log::{AppendFault, Plan};
use baton_proto::v1::{self, WatchHandoffsRequest};

use crate::harness::{Clients, Disk, Gate, TestServer, create, hand_off, in_time};

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

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_seen_before_it_is_durable() {
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
