//! Bad input at the border: every wrong field is named, nothing is written, and the server stays up.

mod handoffs;
mod page_tokens;
mod tasks_and_states;
mod watches_and_figures;
mod wire;

use std::{future::Future, pin::Pin};

use baton_proto::v1::{self, ErrorReason};
use prost_types::{ListValue, Struct, Value, value::Kind};
use tonic::{Code, Status};

use crate::harness::{Clients, Disk, Refused, TestServer, create, hand_off, object, state};

type Asking = Pin<Box<dyn Future<Output = Result<(), Status>> + Send>>;

/// One bad request, and the fields that its refusal must name, in order.
struct Case {
    what: String,
    fields: Vec<String>,
    ask: Box<dyn FnOnce(Clients) -> Asking>,
}

/// `case!("what is wrong", service.rpc(request) => ["field", …])`
macro_rules! case {
    ($what:expr, $service:ident.$rpc:ident($request:expr) => [$($field:expr),* $(,)?]) => {{
        let request = $request;
        Case {
            what: format!("{}, {}", stringify!($rpc), $what),
            fields: vec![$($field.to_string()),*],
            ask: Box::new(move |mut clients: crate::harness::Clients| {
                Box::pin(async move { clients.$service.$rpc(request).await.map(drop) })
            }),
        }
    }};
}
use case;

/// Ids that nobody may give: what is wrong with each, and the id.
fn bad_ids() -> [(&'static str, String); 7] {
    [
        ("empty", String::new()),
        ("257 bytes", "x".repeat(257)),
        ("257 bytes in fewer characters", format!("{}x", "ü".repeat(128))),
        ("a line break", "a\nb".into()),
        ("a control character beyond ASCII", "a\u{85}b".into()),
        ("white space before", " a".into()),
        ("white space after", "a\u{3000}".into()),
    ]
}

/// As [`bad_ids`], where an empty id means none.
fn bad_optional_ids() -> impl Iterator<Item = (&'static str, String)> {
    bad_ids().into_iter().skip(1)
}

/// A text of this many bytes.
fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// A value as the only one of a Struct.
fn holding(kind: Option<Kind>) -> Struct {
    Struct { fields: [("key".to_owned(), Value { kind })].into() }
}

/// A Struct of this many levels, itself the first.
fn nested(levels: usize) -> Struct {
    (1..levels).fold(Struct::default(), |inner, _| holding(Some(Kind::StructValue(inner))))
}

/// A Struct whose lists make this many levels, itself the first.
fn nested_lists(levels: usize) -> Struct {
    let list = |values| Some(Kind::ListValue(ListValue { values }));
    let innermost = list(Vec::new());
    let kind = (2..levels).fold(innermost, |inner, _| list(vec![Value { kind: inner }]));
    holding(kind)
}

/// Structs that are no metadata and no state, whatever their size.
fn bad_structs() -> Vec<(&'static str, Struct)> {
    vec![
        ("33 levels", nested(33)),
        ("33 levels of lists", nested_lists(33)),
        ("not a number", holding(Some(Kind::NumberValue(f64::NAN)))),
        ("an infinite number", holding(Some(Kind::NumberValue(f64::NEG_INFINITY)))),
        ("a value of no kind", holding(None)),
        ("a key of 257 bytes", object([(long(257), "x")])),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_field_is_named_and_nothing_is_written() {
    let server = TestServer::start(&Disk::folder()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    clients.states.update_agent_state(state("", "a", &[("key", "value")])).await.unwrap();
    let head = clients.head("").await;

    let cases = tasks_and_states::cases().into_iter();
    let cases = cases.chain(handoffs::cases()).chain(watches_and_figures::cases()).chain(wire::cases());
    let mut count = 0;
    for Case { what, fields, ask } in cases {
        let answer = ask(clients.clone()).await;
        let Err(status) = answer else { panic!("{what}: was taken") };
        let refused = Refused::from(status);
        assert_eq!(refused.code, Code::InvalidArgument, "{what}: {refused:?}");
        assert_eq!(refused.reason(), ErrorReason::InvalidField, "{what}");
        assert_eq!(refused.fields(), fields, "{what}: {}", refused.message);
        count += 1;
    }
    assert!(count > 150, "only {count} cases");

    assert_eq!(clients.head("").await, head, "something was written");
    clients.hand_off(hand_off("", "task", "a", "b")).await.expect("the server is as well as ever");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_just_within_the_limits_is_taken() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let (namespace, task, agent) = (long(256), "ü".repeat(128), long(256));
    for (index, metadata) in
        [nested(32), nested_lists(32), object([(long(256), "x")])].into_iter().enumerate()
    {
        let request = v1::CreateTaskRequest {
            request_id: format!("{index}{}", long(255)),
            description: long(16 * 1024),
            metadata: Some(metadata.clone()),
            ..create(&namespace, &format!("{}{index}", &task[..254]), &agent)
        };
        let created = clients.create(request).await.unwrap();
        assert_eq!(created.metadata, Some(metadata));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deepest_metadata_and_state_can_be_read_back_wherever_they_are_shown() {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    let deepest = || Some(nested(32));
    let items = vec![v1::CreateTaskRequest { metadata: deepest(), ..create("", "task", "a") }];
    let batch = v1::BatchCreateTasksRequest { items, namespace: String::new() };
    let results = clients.tasks.batch_create_tasks(batch).await.unwrap().into_inner().results;
    assert_eq!(results[0].task.as_ref().unwrap().metadata, deepest());
    let update = v1::UpdateAgentStateRequest { state: deepest(), ..state("", "a", &[]) };
    clients.states.update_agent_state(update).await.unwrap();

    let page = clients.tasks.list_tasks(v1::ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(page.tasks[0].metadata, deepest());
    let watch = v1::WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    let events = clients.events(watch, 2).await;
    assert_eq!(events[0].task.as_ref().unwrap().metadata, deepest());
    assert_eq!(clients.state("", "a").await.unwrap().state, deepest());
    let request = v1::GetStateHistoryRequest { agent_id: "a".into(), ..Default::default() };
    let page = clients.states.get_state_history(request).await.unwrap().into_inner();
    assert_eq!(page.entries[0].state, deepest());
    server.stop().await;
}
