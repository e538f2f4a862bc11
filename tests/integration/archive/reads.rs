//! A server that archives beside one that does not: after the same calls both show the same.

use baton_proto::v1;
use baton_server::clock::ManualClock;

use super::{BEGINNING_US, Reads, archived, archives, fill, never, often, read, serve};
use crate::harness::{Disk, TestServer, hand_off};

/// Finished tasks that are handed on all the same.
const LIVE_AGAIN: [usize; 4] = [2, 3, 9, 11];

/// The rule against handing on what is finished goes off.
async fn allow_finished(server: &TestServer) {
    let request = v1::RemoveValidationRuleRequest { name: "finished_task".into(), ..Default::default() };
    server.clients().await.rules.remove_validation_rule(request).await.unwrap();
}

async fn reads(server: &TestServer) -> Reads {
    read(&mut server.clients().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_archived_is_shown_and_refused_as_if_it_were_not() {
    let clock = ManualClock::at(BEGINNING_US);
    for disk in [Disk::memory(), Disk::folder()] {
        let whole_disk = Disk::memory();
        let whole = serve(&whole_disk, never(), &clock).await;
        let server = serve(&disk, often(), &clock).await;
        for part in 0..3 {
            for server in [&whole, &server] {
                fill(&mut server.clients().await, part * 60, 60).await;
            }
        }
        archives(&server, 60).await;
        assert!(reads(&server).await == reads(&whole).await, "while it runs it shows something else");

        // A restart leaves them where they are.
        server.stop().await;
        let server = serve(&disk, often(), &clock).await;
        let at_start = archived(&server);
        assert!(at_start >= 60, "only {at_start} are archived at the start");
        assert!(reads(&server).await == reads(&whole).await, "after a restart it shows something else");
        assert_eq!(archived(&server), at_start, "to look at them does not bring them back");

        // Some live again, end again, and leave again.
        for server in [&whole, &server] {
            allow_finished(server).await;
            let mut clients = server.clients().await;
            for index in LIVE_AGAIN {
                let task = format!("task-{index:04}");
                clients.hand_off(hand_off("", &task, "triage", "legal")).await.unwrap_err();
                clients.hand_off(hand_off("", &task, "billing", "legal")).await.unwrap();
            }
        }
        assert_eq!(archived(&server), at_start - 4);
        assert!(
            reads(&server).await == reads(&whole).await,
            "with some that live again it shows something else"
        );
        for server in [&whole, &server] {
            let mut clients = server.clients().await;
            for index in LIVE_AGAIN {
                clients.tasks.cancel_task(super::cancel(&format!("task-{index:04}"))).await.unwrap();
            }
            fill(&mut clients, 180, 70).await;
        }
        archives(&server, at_start + 1).await;
        assert!(reads(&server).await == reads(&whole).await, "in the end it shows something else");
        server.stop().await;
        let server = serve(&disk, never(), &clock).await;
        assert!(reads(&server).await == reads(&whole).await, "in the last life it shows something else");
        server.stop().await;
        whole.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_archive_apart() {
    let clock = ManualClock::at(BEGINNING_US);
    let disk = Disk::folder();
    let server = serve(&disk, often(), &clock).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 0, 120).await;
    archives(&server, 30).await;
    let other =
        v1::CreateTaskRequest { namespace: "other".into(), ..crate::harness::create("", "task-0001", "x") };
    assert_eq!(clients.create(other).await.expect("there is none of that id").assigned_agent, "x");
    assert_eq!(clients.task("", "task-0001").await.unwrap().assigned_agent, "billing");
    server.stop().await;
}
