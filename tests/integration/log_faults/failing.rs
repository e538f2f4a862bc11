//! One fault at a time: what callers, probes and the operator are told, and what is there afterwards.

use baton_log::{AppendFault, Plan};
use baton_proto::v1::ErrorReason;
use baton_server::ServerError;
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::{Disk, Refused, TestServer, create, hand_off, in_time};

/// The append that fails in these tests: that of the hand-off, after the task's creation.
const HAND_OFF: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_write_stops_the_server_and_says_so_everywhere() {
    let faults = [
        (AppendFault::FsyncFailsAfterWrite { persists: true }, Some(2)),
        (AppendFault::FsyncFailsAfterWrite { persists: false }, Some(1)),
        (AppendFault::FsyncFailsBeforeWrite, Some(1)),
        (AppendFault::ShortWrite, Some(1)),
    ];
    for (fault, revision_after) in faults {
        for disk in [Disk::memory(), Disk::folder()] {
            let server = TestServer::start_faulty(&disk, Plan::list(vec![(HAND_OFF, fault)])).await;
            let mut clients = server.clients().await;
            let mut health = HealthClient::new(clients.channel.clone());
            let mut health = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
            let now = in_time(health.message()).await.unwrap().unwrap();
            assert_eq!(now.status(), ServingStatus::Serving);
            clients.create(create("", "task", "a")).await.unwrap();

            let refused = Refused::of(clients.hand_off(hand_off("", "task", "a", "b")).await);
            assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::LogUnavailable));
            assert!(refused.details.retry_info().is_some());
            let now = in_time(health.message()).await.unwrap().unwrap();
            assert_eq!(now.status(), ServingStatus::NotServing);
            match server.ended().await {
                Err(ServerError::LogFailed(why)) => assert!(why.contains("as planned"), "{why}"),
                other => panic!("{fault:?} ended with {other:?}"),
            }

            let server = TestServer::start(&disk).await;
            let mut clients = server.clients().await;
            let task = clients.task("", "task").await.expect("what was answered is there");
            assert_eq!(Some(task.revision), revision_after, "{fault:?}");
            server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_the_server_goes_on_once_there_is_room() {
    for disk in [Disk::memory(), Disk::folder()] {
        let plan = Plan::list(vec![(HAND_OFF, AppendFault::NoSpace), (3, AppendFault::NoSpace)]);
        let server = TestServer::start_faulty(&disk, plan).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "a")).await.unwrap();
        for _ in 0..2 {
            let refused = Refused::of(clients.hand_off(hand_off("", "task", "a", "b")).await);
            assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::LogFull));
            assert!(refused.details.retry_info().is_some());
            assert_eq!(clients.task("", "task").await.unwrap().owner_epoch, 1, "reads go on");
        }
        let (handoff, _) = clients.hand_off(hand_off("", "task", "a", "b")).await.unwrap();
        assert_eq!((handoff.revision, clients.head("").await), (2, 2), "nothing was written in between");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_settled_by_reading_the_log() {
    for disk in [Disk::memory(), Disk::folder()] {
        let applied = AppendFault::UnknownOutcome { applied: true };
        let lost = AppendFault::UnknownOutcome { applied: false };
        let server = TestServer::start_faulty(&disk, Plan::list(vec![(HAND_OFF, applied), (3, lost)])).await;
        let mut clients = server.clients().await;
        clients.create(create("", "task", "a")).await.unwrap();
        let (handoff, _) = clients.hand_off(hand_off("", "task", "a", "b")).await.expect("it was applied");
        assert_eq!(handoff.revision, 2);
        let refused = Refused::of(clients.hand_off(hand_off("", "task", "b", "c")).await);
        assert_eq!((refused.code, refused.reason()), (Code::Unavailable, ErrorReason::LogUnavailable));
        assert!(refused.message.contains("nothing was recorded"), "{}", refused.message);
        let (handoff, _) = clients.hand_off(hand_off("", "task", "b", "c")).await.unwrap();
        assert_eq!(handoff.revision, 3);
        server.stop().await;
    }
}
