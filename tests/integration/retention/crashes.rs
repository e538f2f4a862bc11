//! Truncations that fail or are cut short by a kill: nothing but old events is ever gone, and the rest goes later.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use baton_log::{LogReader as _, Plan, TruncateFault, verify};
use baton_proto::v1;
use baton_server::{ServerError, clock::ManualClock};

use super::{BEGINNING_US, DEFAULT, SIZE_BYTES, begins_at, by_size, create_many, fill, read, start};
use crate::harness::{Clients, Disk, ServerProcess, TestServer, config, create, in_time, seed};

/// A disk with more events than one step of a truncation removes, and what its server shows.
async fn filled(disk: &Disk, clock: &ManualClock) -> super::Reads {
    let server = start(disk, config(), clock).await;
    let mut clients = server.clients().await;
    fill(&mut clients, 0, 300, "Ann").await;
    // Far more than all before it, so that only the last of these is to stay.
    for index in 0..9 {
        clients
            .create(v1::CreateTaskRequest {
                description: "d".repeat(16_000),
                ..create("", &format!("large-{index}"), "triage")
            })
            .await
            .unwrap();
    }
    let shown = read(&mut clients).await;
    server.stop().await;
    shown
}

fn open(disk: &Disk, clock: &ManualClock, fault: TruncateFault) -> baton_server::Server {
    let plan = Plan::none().with_truncations(move |number| (number == 2).then_some(fault));
    disk.open_with(by_size(), plan, Arc::new(clock.clone())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncation_without_space_is_tried_again_and_nobody_notices() {
    for disk in [Disk::memory(), Disk::folder()] {
        let clock = ManualClock::at(BEGINNING_US);
        let shown = filled(&disk, &clock).await;
        let server = TestServer::serve(open(&disk, &clock, TruncateFault::NoSpace)).await;
        // Of the nine large ones, the last five reach into the newest 64 KiB.
        begins_at(&server, DEFAULT, shown.head - 4).await;
        assert!(read(&mut server.clients().await).await == shown);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncation_that_breaks_the_log_stops_the_server_and_the_next_start_goes_on() {
    for persists in [false, true] {
        for disk in [Disk::memory(), Disk::folder()] {
            let clock = ManualClock::at(BEGINNING_US);
            let shown = filled(&disk, &clock).await;
            let fault = TruncateFault::FsyncFails { persists };
            match TestServer::serve(open(&disk, &clock, fault)).await.ended().await {
                Err(ServerError::LogFailed(why)) => assert!(why.contains("as planned"), "{why}"),
                other => panic!("it ended with {other:?}"),
            }
            let server = start(&disk, config(), &clock).await;
            let mut clients = server.clients().await;
            assert!(read(&mut clients).await == shown, "the truncation was cut short");
            clients.verify("").await.expect("what is left proves itself");
            server.stop().await;
            let server = start(&disk, by_size(), &clock).await;
            begins_at(&server, DEFAULT, shown.head - 4).await;
            assert!(read(&mut server.clients().await).await == shown);
            server.stop().await;
        }
    }
}

/// Processes that are killed while they truncate.
const KILLS: usize = 12;

/// Creates tasks until the server is killed; the ids of those that were answered.
async fn write(mut clients: Clients, kill: usize) -> BTreeSet<String> {
    let mut answered = BTreeSet::new();
    for index in 0.. {
        let task_id = format!("task-{kill}-{index}");
        let request =
            v1::CreateTaskRequest { description: "d".repeat(2_000), ..create("", &task_id, "triage") };
        if clients.create(request).await.is_err() {
            break;
        }
        answered.insert(task_id);
    }
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_while_events_go_loses_nothing_that_was_answered() {
    let mut random = fastrand::Rng::with_seed(seed());
    let disk = Disk::folder();
    let mut answered = BTreeSet::new();
    let mut began = Vec::new();
    for kill in 0..KILLS {
        let server = ServerProcess::start_retaining(disk.path(), SIZE_BYTES);
        let mut clients = Clients::connect(server.address).await;
        create_many(&mut clients, &format!("tenant-{kill}"), 0, 200, 500).await;
        let writing = tokio::spawn(write(clients, kill));
        // The moment of the kill is what this is about; nothing waits for it to have happened.
        tokio::time::sleep_until((Instant::now() + Duration::from_millis(random.u64(20..300))).into()).await;
        server.kill();
        answered.append(&mut in_time(writing).await.unwrap());

        let log = disk.log();
        for head in log.heads().unwrap() {
            let proven = verify(&log, &head.namespace, |_| ()).expect("what is left proves itself");
            assert_eq!((proven.oldest_revision, proven.revision), (head.oldest_revision, head.revision));
        }
        began.push(log.head(DEFAULT).unwrap().oldest_revision);
    }
    assert!(began.is_sorted() && began.last() > Some(&1), "{began:?}");
    let server = TestServer::start(&disk).await;
    let mut clients = server.clients().await;
    for task_id in &answered {
        let task = clients.task("", task_id).await.expect("an answered task is there");
        assert_eq!(clients.history("", task_id).await.len(), 1, "{task:?}");
    }
    for kill in 0..KILLS {
        assert_eq!(clients.task(&format!("tenant-{kill}"), "task-199").await.unwrap().revision, 200);
    }
    server.stop().await;
}
