//! What goes and what stays, by age and by size, to the event.

use baton_log::{Keep, LogReader as _, ReadLimit};
use baton_proto::v1::{ErrorReason, WatchHandoffsRequest};
use baton_server::{clock::ManualClock, config::Config};
use tonic::Code;

use super::{
    AGE_S, BEGINNING_US, DEFAULT, Reads, SECOND_US, SIZE_BYTES, begins_at, by_age, by_size, create_many,
    fill, oldest, open, read, start,
};
use crate::harness::{Clients, Disk, Refused, TestServer, config, create, in_time};

fn from(namespace: &str, start_revision: u64) -> WatchHandoffsRequest {
    let namespace = namespace.into();
    WatchHandoffsRequest { namespace, start_revision, all_events: true, ..Default::default() }
}

/// The oldest event is delivered, and the one before it is refused with what there is.
async fn check_boundary(clients: &mut Clients, namespace: &str, oldest: u64, newest: u64) {
    let events = clients.events(from(namespace, oldest), newest).await;
    assert!(events.iter().map(|event| event.revision).eq(oldest..=newest), "all that is kept is delivered");
    for gone in [1, oldest - 1] {
        let refused = Refused::of(clients.watch(from(namespace, gone)).await);
        assert_eq!((refused.code, refused.reason()), (Code::OutOfRange, ErrorReason::RevisionCompacted));
        let (told_oldest, told_newest) = (refused.value("oldest_revision"), refused.value("newest_revision"));
        assert_eq!((told_oldest, told_newest), (&*oldest.to_string(), &*newest.to_string()));
    }
}

/// After a restart nothing is left in memory for watchers.
async fn restarted(disk: &Disk, clock: &ManualClock, server: TestServer) -> (TestServer, Clients) {
    server.stop().await;
    let server = start(disk, config(), clock).await;
    let clients = server.clients().await;
    (server, clients)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_when_they_are_too_old_and_not_a_moment_before() {
    for disk in [Disk::memory(), Disk::folder()] {
        let clock = ManualClock::at(BEGINNING_US);
        let server = start(&disk, by_age(), &clock).await;
        let mut clients = server.clients().await;
        for batch in 0..3 {
            create_many(&mut clients, "", batch * 50, 50, 10).await;
            clock.advance(1_000 * SECOND_US);
        }
        assert_eq!(oldest(&server, DEFAULT), 1, "nothing is old enough");
        // The second fifty are as old as an event may be: exactly at the boundary.
        clock.set(BEGINNING_US + (1_000 + AGE_S as i64) * SECOND_US);
        begins_at(&server, DEFAULT, 51).await;
        let (server, mut clients) = restarted(&disk, &clock, server).await;
        check_boundary(&mut clients, "", 51, 150).await;

        server.stop().await;
        clock.advance(1);
        let server = start(&disk, by_age(), &clock).await;
        begins_at(&server, DEFAULT, 101).await;
        let (server, mut clients) = restarted(&disk, &clock, server).await;
        check_boundary(&mut clients, "", 101, 150).await;
        clients.create(create("", "newest", "triage")).await.unwrap();

        server.stop().await;
        clock.advance(2 * AGE_S as i64 * SECOND_US);
        let server = start(&disk, by_age(), &clock).await;
        // Too old it is too, but two checkpoints cannot hold it.
        begins_at(&server, DEFAULT, 151).await;
        let (server, mut clients) = restarted(&disk, &clock, server).await;
        check_boundary(&mut clients, "", 151, 151).await;
        let verified = clients.verify("").await.expect("what is left of the log proves itself");
        assert_eq!((verified[0].records, verified[0].verified_revision), (1, 151));
        server.stop().await;
    }
}

/// What the log of a stopped server should keep of a namespace, and what it keeps.
fn wanted_and_kept(disk: &Disk, namespace: &str) -> (u64, u64) {
    let log = disk.log();
    let keep = Keep { since_us: None, bytes: Some(SIZE_BYTES) };
    let head = log.head(namespace).unwrap();
    (log.first_kept(namespace, keep).unwrap(), head.oldest_revision)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_events_go_when_there_are_too_many_bytes_of_them() {
    let clock = ManualClock::at(BEGINNING_US);
    let disk = Disk::folder();
    let server = start(&disk, config(), &clock).await;
    for index in 0..300 {
        create_many(&mut server.clients().await, "", index, 1, 1_000).await;
    }
    server.stop().await;
    let (wanted, kept) = wanted_and_kept(&disk, DEFAULT);
    assert!(wanted > 200 && kept == 1, "300 records of more than 1,000 bytes are far more than 64 KiB");

    let server = start(&disk, by_size(), &clock).await;
    begins_at(&server, DEFAULT, wanted).await;
    let (server, mut clients) = restarted(&disk, &clock, server).await;
    check_boundary(&mut clients, "", wanted, 300).await;
    server.stop().await;
    let log = disk.log();
    let bodies = |from| -> usize {
        let records = log.read(DEFAULT, from, ReadLimit::UNLIMITED).unwrap();
        records.iter().map(|record| record.body.len()).sum()
    };
    assert!(bodies(wanted) as u64 >= SIZE_BYTES && (bodies(wanted + 1) as u64) < SIZE_BYTES);
    drop(log);

    // While more is written, more goes, and never what should be kept.
    let server = start(&disk, by_size(), &clock).await;
    let mut clients = server.clients().await;
    let mut written = 300;
    let going = in_time(async {
        while oldest(&server, DEFAULT) <= 300 {
            create_many(&mut clients, "", written, 1, 1_000).await;
            written += 1;
        }
    });
    going.await;
    server.stop().await;
    let (wanted, kept) = wanted_and_kept(&disk, DEFAULT);
    assert!(300 < kept && kept <= wanted, "{kept} is the oldest, it should be {wanted}");
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_share_the_bytes_and_the_oldest_go_wherever_they_are() {
    let clock = ManualClock::at(BEGINNING_US);
    let disk = Disk::folder();
    let server = start(&disk, config(), &clock).await;
    let mut clients = server.clients().await;
    for (namespace, count) in [("first", 40), ("middle", 60), ("last", 20)] {
        for index in 0..count {
            create_many(&mut clients, namespace, index, 1, 1_000).await;
        }
    }
    server.stop().await;
    let [(_, _), (middle, _), (last, _)] =
        ["first", "middle", "last"].map(|name| wanted_and_kept(&disk, name));
    assert!((2..60).contains(&middle) && last == 1, "the 64 KiB begin in the middle");

    let server = start(&disk, by_size(), &clock).await;
    begins_at(&server, "first", 40).await;
    begins_at(&server, "middle", middle).await;
    begins_at(&server, "last", 1).await;
    let (server, mut clients) = restarted(&disk, &clock, server).await;
    check_boundary(&mut clients, "first", 40, 40).await;
    check_boundary(&mut clients, "middle", middle, 60).await;
    assert_eq!(clients.events(from("last", 1), 20).await.len(), 20);
    for namespace in ["first", "middle", "last"] {
        let task = clients.task(namespace, "task-0").await.expect("a task stays when its creation is gone");
        assert_eq!(task.revision, 1);
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_shown_changes_when_events_go_or_after_a_restart() {
    for disk in [Disk::memory(), Disk::folder()] {
        let clock = ManualClock::at(BEGINNING_US);
        let server = start(&disk, config(), &clock).await;
        let mut clients = server.clients().await;
        fill(&mut clients, 0, 240, "Ann").await;
        clock.advance(90 * SECOND_US);
        fill(&mut clients, 240, 60, "Ann").await;
        let before: Reads = read(&mut clients).await;
        server.stop().await;

        let server = start(&disk, by_size(), &clock).await;
        let mut clients = server.clients().await;
        let going = in_time(async {
            while oldest(&server, DEFAULT) == 1 {
                assert!(read(&mut clients).await == before, "before anything goes");
            }
        });
        going.await;
        assert!(read(&mut clients).await == before, "after events went");
        server.stop().await;
        let opened = open(&disk, config(), &clock).unwrap();
        let recovered = &opened.recovered()[0];
        assert!(recovered.oldest_revision.0 > 1 && recovered.checkpoint_revision.0 > 1, "{recovered:?}");
        let server = TestServer::serve(opened).await;
        let mut clients = server.clients().await;
        assert!(read(&mut clients).await == before, "after a restart");
        fill(&mut clients, 300, 10, "Ann").await;
        assert_eq!(clients.head("").await, before.head + 31, "it goes on where it was");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_to_go_no_checkpoint_is_made() {
    let clock = ManualClock::at(BEGINNING_US);
    let disk = Disk::folder();
    let generous = Config { retain_s: Some(10), retain_bytes: Some(1 << 30), ..by_age() };
    let server = start(&disk, generous.clone(), &clock).await;
    let mut clients = server.clients().await;
    create_many(&mut clients, "", 0, 100, 10).await;
    clients.create(create("", "last", "triage")).await.unwrap();
    let checkpoints = || std::fs::read_dir(disk.path().join("checkpoints")).unwrap().count();
    assert_eq!(checkpoints(), 0, "nothing is due");
    clock.advance(11 * SECOND_US);
    begins_at(&server, DEFAULT, 101).await;
    server.stop().await;
    let made = |file: std::fs::DirEntry| (file.file_name(), file.metadata().unwrap().modified().unwrap());
    let files = || -> Vec<_> {
        let entries = std::fs::read_dir(disk.path().join("checkpoints")).unwrap();
        let mut files: Vec<_> = entries.map(|entry| made(entry.unwrap())).collect();
        files.sort();
        files
    };
    let before = files();
    assert_eq!(before.len(), 2);

    // The one event that is left is too old as well, and each look finds it so.
    let server = start(&disk, generous, &clock).await;
    create_many(&mut server.clients().await, "other", 0, 100, 10).await;
    server.clients().await.create(create("other", "last", "triage")).await.unwrap();
    clock.advance(11 * SECOND_US);
    // Another namespace was looked at after it.
    begins_at(&server, "other", 101).await;
    server.stop().await;
    let after = files();
    assert_eq!(after.len(), 4);
    assert!(before.iter().all(|file| after.contains(file)), "a checkpoint was made again for nothing");
}
