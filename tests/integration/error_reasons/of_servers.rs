//! Reasons that lie with the server and its log.

use baton_log::{AppendFault, Plan};
use baton_proto::v1;
use baton_server::{clock::SystemClock, config::Config};
use std::sync::Arc;
use tokio::task::JoinSet;

use super::Met;
use crate::harness::{Disk, Gate, Refused, TestServer, config, create, hand_off, in_time};

/// A server in memory whose appends wait at the gate.
async fn gated(gate: &Gate, config: Config) -> TestServer {
    let passing = gate.clone();
    let plan = Plan::appends(move |_| {
        passing.pass();
        None
    });
    TestServer::serve(Disk::memory().open_with(config, plan, Arc::new(SystemClock)).unwrap()).await
}

pub(super) async fn queue_full() -> Met {
    let gate = Gate::default();
    let server = gated(&gate, Config { queue_commands_max: 1, batch_commands_max: 1, ..config() }).await;
    let clients = server.clients().await;
    gate.close();
    let mut asked = JoinSet::new();
    for index in 0..8 {
        let mut caller = clients.clone();
        asked.spawn(async move { caller.create(create("", &format!("task-{index}"), "a")).await });
    }
    // One is being written and one waits; all others are refused while the log stands still.
    let first = in_time(asked.join_next()).await.unwrap().unwrap();
    let refused = Refused::of(first);
    assert_eq!(refused.value("limit"), "1");
    gate.open();
    let rest: Vec<_> = in_time(asked.join_all()).await;
    assert!(rest.iter().any(Result::is_ok), "what waits is done once the log goes on");
    vec![(refused, &["limit"])]
}

pub(super) async fn quota_exceeded() -> Met {
    let config = Config { namespaces_max: 1, watchers_max: 2, watchers_per_connection_max: 1, ..config() };
    let server = TestServer::start_with(&Disk::memory(), config).await;
    let mut clients = server.clients().await;
    clients.create(create("one", "task", "a")).await.unwrap();
    let too_many_namespaces = Refused::of(clients.create(create("two", "task", "a")).await);
    let one = || v1::WatchHandoffsRequest { namespace: "one".into(), ..Default::default() };
    let two = v1::WatchHandoffsRequest { namespace: "two".into(), ..Default::default() };
    let unknown_namespace = Refused::of(clients.watch(two).await);
    let mut second = server.clients().await;
    let mut third = server.clients().await;
    let _first_watch = clients.watch(one()).await.unwrap();
    let too_many_of_one = Refused::of(clients.watch(one()).await);
    let _second_watch = second.watch(one()).await.unwrap();
    let too_many_in_all = Refused::of(third.watch(one()).await);
    let names = [&too_many_namespaces, &unknown_namespace, &too_many_of_one, &too_many_in_all];
    let names = names.map(|refused| (refused.value("name"), refused.value("limit")));
    assert_eq!(names[0], names[1]);
    assert_eq!(names.map(|(_, limit)| limit), ["1", "1", "1", "2"]);
    let keys: &[&str] = &["limit", "name"];
    vec![
        (too_many_namespaces, keys),
        (unknown_namespace, keys),
        (too_many_of_one, keys),
        (too_many_in_all, keys),
    ]
}

pub(super) async fn log_full() -> Met {
    let plan = Plan::list(vec![(1, AppendFault::NoSpace)]);
    let server = TestServer::start_faulty(&Disk::memory(), plan).await;
    let mut clients = server.clients().await;
    vec![(Refused::of(clients.create(create("", "task", "a")).await), &[])]
}

pub(super) async fn log_unavailable() -> Met {
    let faults = [AppendFault::UnknownOutcome { applied: false }, AppendFault::FsyncFailsBeforeWrite];
    let plan = Plan::list(vec![(1, faults[0]), (2, faults[1])]);
    let server = TestServer::start_faulty(&Disk::memory(), plan).await;
    let mut clients = server.clients().await;
    let refused = Refused::of(clients.create(create("", "task", "a")).await);
    vec![(refused, &[]), (Refused::of(clients.create(create("", "task", "a")).await), &[])]
}

pub(super) async fn shutting_down() -> Met {
    let server = TestServer::start(&Disk::memory()).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    let mut stream = clients.watch(v1::WatchHandoffsRequest::default()).await.unwrap();
    in_time(stream.message()).await.unwrap();
    server.stop().await;
    let refused = Refused::of(in_time(stream.message()).await);
    assert_eq!(refused.value("resume_revision"), "2");
    vec![(refused, &["resume_revision"])]
}

pub(super) async fn deadline_exceeded() -> Met {
    let gate = Gate::default();
    let server = gated(&gate, Config { request_deadline_s_max: 1, ..config() }).await;
    let mut clients = server.clients().await;
    gate.close();
    let refused = Refused::of(in_time(clients.create(create("", "task", "a"))).await);
    gate.open();
    clients.create(create("", "task", "a")).await.expect("the same request id gives the first answer");
    vec![(refused, &[])]
}

pub(super) async fn log_damaged() -> Met {
    let plan = Plan::list(vec![(2, AppendFault::AlteredByte { back: 1, byte_index: 3 })]);
    let server = TestServer::start_faulty(&Disk::memory(), plan).await;
    let mut clients = server.clients().await;
    clients.create(create("", "task", "a")).await.unwrap();
    clients.hand_off(hand_off("", "task", "a", "b")).await.unwrap();
    let of_one = Refused::of(clients.verify("default").await);
    let of_all = Refused::of(clients.verify("").await);
    vec![(of_one, &["namespace", "revision"]), (of_all, &["namespace", "revision"])]
}
