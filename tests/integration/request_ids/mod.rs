//! A repeated request id gives the first answer, whatever has happened since, and never does anything again.

mod mutations;

use std::collections::BTreeSet;

use baton_proto::v1;
use prost::Message as _;
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

use crate::harness::{Clients, Disk, TestServer, config, create};
use mutations::Mutation;

/// The rpcs of the contract whose request has a request id, itself or in its items.
fn rpcs_with_request_ids() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(baton_proto::FILE_DESCRIPTOR_SET).unwrap().file;
    let files: Vec<_> = files.into_iter().filter(|file| file.package() == "baton.v1").collect();
    let message = |name: &str| {
        let name = name.trim_start_matches(".baton.v1.");
        files.iter().flat_map(|file| &file.message_type).find(|message| message.name() == name)
    };
    let has_id = |name: &str| {
        message(name).is_some_and(|message| message.field.iter().any(|field| field.name() == "request_id"))
    };
    let asks_with_id = |name: &str| {
        let items = message(name).into_iter().flat_map(|message| &message.field);
        has_id(name)
            || items.filter(|item| item.r#type() == Type::Message).any(|item| has_id(item.type_name()))
    };
    let rpcs = files.iter().flat_map(|file| &file.service).flat_map(|service| &service.method);
    rpcs.filter(|rpc| asks_with_id(rpc.input_type())).map(|rpc| rpc.name().to_owned()).collect()
}

/// Enough events for a checkpoint when the server stops.
async fn fill(clients: &mut Clients) {
    let items: Vec<_> = (0..1_000).map(|index| create("", &format!("filler-{index}"), "nobody")).collect();
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    let results = clients.tasks.batch_create_tasks(batch).await.unwrap().into_inner().results;
    assert!(results.iter().all(|result| result.task.is_some()));
}

async fn first_answers_again(clients: &mut Clients, mutations: &[Mutation], first: &[String], when: &str) {
    let head = clients.head("").await;
    for (mutation, first) in mutations.iter().zip(first) {
        let again = (mutation.ask)(clients.clone()).await;
        assert_eq!(&again, first, "{} {when}", mutation.rpc);
        let other = (mutation.ask_other)(clients.clone()).await;
        assert!(other.contains("REQUEST_ID_REUSED"), "{} with another body, {when}: {other}", mutation.rpc);
    }
    assert_eq!(clients.head("").await, head, "something was done again, {when}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_gives_its_first_answer_again_also_after_restarts() {
    let disk = Disk::folder();
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    let mutations = mutations::all(&mut clients).await;
    let covered: BTreeSet<_> = mutations.iter().map(|mutation| mutation.rpc.to_owned()).collect();
    assert_eq!(covered, rpcs_with_request_ids(), "a mutation has no row here");

    let mut first = Vec::new();
    for mutation in &mutations {
        let head = clients.head("").await;
        first.push((mutation.ask)(clients.clone()).await);
        assert_eq!(clients.head("").await, head + 1, "{} is recorded", mutation.rpc);
    }
    first_answers_again(&mut clients, &mutations, &first, "at once").await;
    server.stop().await;

    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    first_answers_again(&mut clients, &mutations, &first, "after a restart").await;
    fill(&mut clients).await;
    server.stop().await;

    let opened = disk.open(config()).unwrap();
    assert!(opened.recovered()[0].checkpoint_revision.0 > 1_000, "the restart was not from a checkpoint");
    let server = TestServer::serve(opened).await;
    let mut clients = server.clients().await;
    first_answers_again(&mut clients, &mutations, &first, "after a restart from a checkpoint").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_of_one_namespace_and_may_be_left_out() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    for namespace in ["north", "south"] {
        let task = clients.create(create(namespace, "task", "a")).await.unwrap();
        assert_eq!((task.namespace.as_str(), task.revision), (namespace, 1));
    }
    let anonymous = v1::UpdateTaskRequest {
        namespace: "north".into(),
        task_id: "task".into(),
        description: Some("another".into()),
        ..Default::default()
    };
    for revision in [2, 3] {
        let answer = clients.tasks.update_task(anonymous.clone()).await.unwrap().into_inner();
        assert_eq!(answer.task.unwrap().revision, revision, "without an id it is done each time");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_came_to_nothing_may_be_asked_again_with_its_id() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let start = v1::UpdateTaskRequest {
        request_id: "start".into(),
        task_id: "task".into(),
        start: true,
        ..Default::default()
    };
    clients.tasks.update_task(start.clone()).await.expect_err("there is no such task yet");
    clients.create(create("", "task", "a")).await.unwrap();
    clients.tasks.update_task(start).await.expect("now there is one, and nothing was recorded before");
    server.stop().await;
}
