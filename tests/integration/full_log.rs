//! A log that has reached its size: writes are refused, reads go on, and nothing is lost.

use baton_proto::v1::{self, ErrorReason};
use baton_server::config::Config;
use tonic::Code;

use crate::harness::{Disk, Refused, TestServer, config, create, hand_off};

const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_log_refuses_writes_loses_nothing_and_goes_on_with_more_room() {
    let disk = Disk::folder();
    let small = Config { log_size_bytes_max: Some(MIB), ..config() };
    let server = TestServer::start_with(&disk, small.clone()).await;
    let mut clients = server.clients().await;
    let mut answered = Vec::new();
    let refused = loop {
        let request = v1::CreateTaskRequest {
            description: "x".repeat(16 * 1024),
            ..create("", &format!("task-{}", answered.len()), "a")
        };
        match clients.create(request).await {
            Ok(task) => answered.push(task),
            Err(status) => break Refused::from(status),
        }
        assert!(answered.len() < 1_000, "the log takes more than its size");
    };
    assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::LogFull));
    assert!(refused.details.retry_info().is_some());
    assert!(answered.len() > 10, "the log takes far less than its size");

    let server = in_order(server, &disk, &answered, small).await;
    server.stop().await;
    let server =
        TestServer::start_with(&disk, Config { log_size_bytes_max: Some(4 * MIB), ..config() }).await;
    let mut clients = server.clients().await;
    clients.verify("").await.expect("the log holds");
    let (handoff, _) = clients.hand_off(hand_off("", "task-0", "a", "b")).await.expect("there is room again");
    assert_eq!(handoff.revision, clients.head("").await);
    server.stop().await;
}

/// Everything can be read, by this server and by one that starts on the full log.
async fn in_order(server: TestServer, disk: &Disk, answered: &[v1::Task], small: Config) -> TestServer {
    check(&server, answered).await;
    server.stop().await;
    let server = TestServer::start_with(disk, small).await;
    check(&server, answered).await;
    server
}

async fn check(server: &TestServer, answered: &[v1::Task]) {
    let mut clients = server.clients().await;
    for task in answered {
        assert_eq!(&clients.task("", &task.task_id).await.unwrap(), task);
    }
    let head = clients.head("").await;
    let watch = v1::WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    assert_eq!(clients.events(watch, head).await.len() as u64, head);
}
