//! Callers that compete, come too late, or leave.

use std::{collections::BTreeSet, sync::Arc};

use baton_log::Plan;
use baton_proto::v1::{self, ErrorReason, TaskHistoryType, WatchHandoffsRequest};
use baton_server::{clock::SystemClock, config::Config};
use tokio::{sync::Barrier, task::JoinSet};
use tonic::Code;

use crate::harness::{Disk, Gate, Refused, TestServer, config, create, hand_off, in_time};

/// Callers at once.
const RACERS: usize = 64;

/// A server whose appends wait at the gate.
async fn gated(gate: &Gate, disk: &Disk, config: Config) -> TestServer {
    let passing = gate.clone();
    let plan = Plan::appends(move |_| {
        passing.pass();
        None
    });
    TestServer::serve(disk.open_with(config, plan, Arc::new(SystemClock)).unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_callers_with_one_epoch_exactly_one_hands_the_task_over() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    let together = Arc::new(Barrier::new(RACERS));
    let mut racing = JoinSet::new();
    for racer in 0..RACERS {
        let (mut clients, together) = (server.clients().await, Arc::clone(&together));
        racing.spawn(async move {
            let asked = hand_off("", "task", "a", &format!("racer-{racer}"));
            together.wait().await;
            clients.hand_off(v1::HandOffRequest { owner_epoch: Some(1), ..asked }).await
        });
    }
    let answers = in_time(racing.join_all()).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, RACERS - 1));
    let (winner, task) = won.into_iter().next().unwrap().unwrap();
    let mut refused_ids = BTreeSet::new();
    for refused in lost.into_iter().map(Refused::of) {
        assert!(matches!(refused.reason(), ErrorReason::StaleOwner | ErrorReason::NotOwner), "{refused:?}");
        assert_eq!((refused.value("owner"), refused.value("owner_epoch")), (winner.to_agent.as_str(), "2"));
        refused_ids.insert(refused.value("handoff_id").to_owned());
    }
    assert_eq!((task.owner_epoch, task.handoff_count), (2, 1));
    let history = clients.history("", "task").await;
    let of_type = |wanted| history.iter().filter(move |entry| entry.r#type() == wanted);
    assert_eq!(of_type(TaskHistoryType::HandoffCompleted).count(), 1);
    let told: BTreeSet<_> =
        of_type(TaskHistoryType::HandoffRejected).map(|entry| entry.handoff_id.clone()).collect();
    assert_eq!(told, refused_ids, "each refusal is in the history");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_in_the_queue_writes_nothing() {
    let gate = Gate::default();
    let server = gated(&gate, &Disk::memory(), Config { request_deadline_s_max: 1, ..config() }).await;
    let mut clients = server.clients().await;
    gate.close();
    let mut first = clients.clone();
    let begun = tokio::spawn(async move { first.create(create("", "begun", "a")).await });
    gate.held().await;
    // The log stands still until this one has waited for as long as it may.
    let late = Refused::of(in_time(clients.create(create("", "late", "a"))).await);
    assert_eq!((late.code, late.reason()), (Code::DeadlineExceeded, ErrorReason::DeadlineExceeded));
    in_time(begun).await.unwrap().expect_err("its deadline has passed as well");
    gate.open();

    let next = clients.create(create("", "next", "a")).await.unwrap();
    assert_eq!(next.revision, 2, "what was begun is recorded, what came too late is not");
    assert_eq!(clients.task("", "begun").await.unwrap().revision, 1);
    let refused = Refused::of(clients.task("", "late").await);
    assert_eq!(refused.reason(), ErrorReason::TaskNotFound);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_does_not_take_its_commit_back() {
    for disk in [Disk::memory(), Disk::folder()] {
        let gate = Gate::default();
        let server = gated(&gate, &disk, config()).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "a")).await.unwrap();
        let mut stream = clients.watch(WatchHandoffsRequest::default()).await.unwrap();
        gate.close();
        let mut leaving = server.clients().await;
        let asked = tokio::spawn(async move { leaving.hand_off(hand_off("", "task", "a", "b")).await });
        gate.held().await;
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled(), "the caller is gone, and its connection with it");
        gate.open();
        let events = crate::harness::events_until(&mut stream, 2).await;
        assert_eq!(events[0].task.as_ref().unwrap().assigned_agent, "b");
        assert_eq!(clients.task("", "task").await.unwrap().owner_epoch, 2);
        server.stop().await;
    }
}
