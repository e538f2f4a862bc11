//! Batches: each item on its own, in order, and committed together.

use std::collections::BTreeMap;

use baton_log::{LogReader as _, ReadLimit};
use baton_proto::v1::{self, ErrorReason};
use baton_server::config::Config;
use tonic::Code;

use crate::harness::{Clients, Disk, TestServer, config, create, hand_off};

/// Items of a batch.
const ITEMS: usize = 1_000;

async fn hand_off_all(clients: &mut Clients, items: Vec<v1::HandOffRequest>) -> Vec<v1::HandOffResult> {
    let batch = v1::BatchHandOffRequest { items, namespace: String::new() };
    clients.handoffs.batch_hand_off(batch).await.unwrap().into_inner().results
}

/// What became of an item: OK, or code and reason.
fn outcome(error: Option<&v1::ItemError>) -> (Code, String) {
    error.map_or((Code::Ok, String::new()), |error| (Code::from_i32(error.code), error.reason.clone()))
}

fn refused(code: Code, reason: ErrorReason) -> (Code, String) {
    (code, reason.as_str_name().trim_start_matches("ERROR_REASON_").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_items_have_a_thousand_outcomes_in_their_order() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task-7", "somebody")).await.unwrap();
    let items: Vec<_> = (0..ITEMS)
        .map(|index| match index % 10 {
            8 => create("", &format!("task-{index}\n"), "a"),
            7 => v1::CreateTaskRequest { request_id: String::new(), ..create("", "task-7", "a") },
            _ => create("", &format!("task-{index}"), "a"),
        })
        .collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    let results = clients.tasks.batch_create_tasks(batch.clone()).await.unwrap().into_inner().results;
    assert_eq!(results.len(), ITEMS);
    for (index, result) in results.iter().enumerate() {
        let expected = match index % 10 {
            8 => refused(Code::InvalidArgument, ErrorReason::InvalidField),
            7 => refused(Code::AlreadyExists, ErrorReason::TaskExists),
            _ => (Code::Ok, String::new()),
        };
        assert_eq!(outcome(result.error.as_ref()), expected, "item {index}");
        let task_id = result.task.as_ref().map(|task| task.task_id.clone());
        assert_eq!(task_id, (index % 10 < 7 || index % 10 == 9).then(|| format!("task-{index}")));
    }
    let again = clients.tasks.batch_create_tasks(batch).await.unwrap().into_inner().results;
    assert_eq!(again, results, "a repeated batch gives the first answers");
    assert_eq!(clients.head("").await, 801);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hand_offs_of_a_batch_succeed_and_fail_each_on_its_own() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;
    let items: Vec<_> = (0..ITEMS).map(|index| create("", &format!("task-{index}"), "a")).collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    clients.tasks.batch_create_tasks(batch).await.unwrap();
    let commits_before = server.metrics.commits.get();

    let items: Vec<_> = (0..ITEMS)
        .map(|index| {
            let task = format!("task-{index}");
            let good = hand_off("", &task, "a", "b");
            let item = match index % 8 {
                1 => hand_off("", &task, "a", "a"),
                2 => hand_off("", "no-such", "a", "b"),
                3 => v1::HandOffRequest { to_agent: String::new(), ..good },
                4 => v1::HandOffRequest { owner_epoch: Some(9), ..good },
                5 => hand_off("", &task, "b", "c"),
                _ => good,
            };
            v1::HandOffRequest { request_id: format!("request-{index}"), ..item }
        })
        .collect();
    let results = hand_off_all(&mut clients, items.clone()).await;
    assert_eq!(results.len(), ITEMS);
    let mut counts = BTreeMap::new();
    for (index, result) in results.iter().enumerate() {
        let expected = match index % 8 {
            1 => refused(Code::FailedPrecondition, ErrorReason::HandoffRejected),
            2 => refused(Code::NotFound, ErrorReason::TaskNotFound),
            3 => refused(Code::InvalidArgument, ErrorReason::InvalidField),
            4 => refused(Code::FailedPrecondition, ErrorReason::StaleOwner),
            5 => refused(Code::FailedPrecondition, ErrorReason::NotOwner),
            _ => (Code::Ok, String::new()),
        };
        assert_eq!(outcome(result.error.as_ref()), expected, "item {index}");
        *counts.entry(expected.1).or_insert(0_u64) += 1;
        let Some(error) = &result.error else {
            let handoff = result.handoff.as_ref().unwrap();
            assert_eq!((handoff.task_id.as_str(), handoff.owner_epoch), (&*format!("task-{index}"), 2));
            continue;
        };
        assert!(!error.message.is_empty());
        let recorded = error.metadata.get("handoff_id");
        assert_eq!(recorded.is_some(), matches!(index % 8, 1 | 4 | 5), "item {index}: {error:?}");
    }
    let commits = server.metrics.commits.get() - commits_before;
    assert!(commits < 20, "{ITEMS} hand-offs took {commits} commits: they are not committed together");
    assert_eq!(hand_off_all(&mut clients, items).await, results, "a repeated batch gives the first answers");
    let summary = clients.summary("").await;
    assert_eq!((summary.completed, summary.rejected), (counts[""], 375));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_a_batch_are_applied_in_their_order() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "agent-0")).await.unwrap();
    let items: Vec<_> = (0..30)
        .map(|index| v1::HandOffRequest {
            owner_epoch: Some(index + 1),
            ..hand_off("", "task", &format!("agent-{index}"), &format!("agent-{}", index + 1))
        })
        .collect();
    let results = hand_off_all(&mut clients, items).await;
    assert!(results.iter().all(|result| result.error.is_none()));
    let task = clients.task("", "task").await.unwrap();
    assert_eq!((task.assigned_agent.as_str(), task.owner_epoch), ("agent-30", 31));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_larger_than_a_commit_is_recorded_in_several() {
    for batch_commands_max in [1, 7, 99, 100, 1_024] {
        let disk = Disk::folder();
        let server = TestServer::start_with(&disk, Config { batch_commands_max, ..config() }).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task-9", "somebody")).await.unwrap();
        // Every tenth is one that is there already.
        let is_new = |number: &usize| number % 10 != 9;
        let id = |number: usize| if is_new(&number) { format!("task-{number}") } else { "task-9".into() };
        let items = (0..100).map(|number| v1::CreateTaskRequest {
            request_id: String::new(),
            ..create("", &id(number), "somebody")
        });
        let batch = v1::BatchCreateTasksRequest { items: items.collect(), namespace: String::new() };
        let results = clients.tasks.batch_create_tasks(batch).await.unwrap().into_inner().results;
        let done: Vec<bool> = results.iter().map(|result| result.error.is_none()).collect();
        assert_eq!(done, (0..100).map(|number| is_new(&number)).collect::<Vec<_>>());
        let given = results.iter().filter_map(|result| result.task.as_ref()).map(|task| task.task_id.clone());
        assert!(given.eq((0..100).filter(is_new).map(id)), "answers come in the order of the items");
        server.stop().await;
        let everything = ReadLimit { records: 1_000, bytes: usize::MAX };
        let records = disk.log().read("default", 2, everything).unwrap();
        let sizes: Vec<usize> = records.iter().map(|record| record.event_count as usize).collect();
        let parts = done.chunks(batch_commands_max as usize);
        let done_of_parts = parts.map(|part| part.iter().filter(|is_done| **is_done).count());
        assert_eq!(sizes, done_of_parts.filter(|count| *count > 0).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_namespace_may_be_named_or_left_out() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    for (batch, item) in [("", "default"), ("default", ""), ("", ""), ("default", "default")] {
        let items = vec![create(item, &format!("task-{batch}-{item}"), "a")];
        let batch = v1::BatchCreateTasksRequest { items, namespace: batch.into() };
        let results = clients.tasks.batch_create_tasks(batch).await.unwrap().into_inner().results;
        assert_eq!(results[0].task.as_ref().unwrap().namespace, "default");
    }
    server.stop().await;
}
