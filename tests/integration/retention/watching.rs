//! A watcher that is behind when its events go is told what is left, after all that it could still be given.

use baton_proto::v1::{ErrorReason, WatchHandoffsRequest, handoff_service_client::HandoffServiceClient};
use baton_server::clock::ManualClock;
use tonic::{Code, transport::Endpoint};

use super::{
    AGE_S, BEGINNING_US, DEFAULT, SECOND_US, begins_at, by_age, by_size, create_many, oldest, start,
};
use crate::harness::{Disk, Refused, create, events_until, hand_off, in_time};

/// Tasks with large descriptions: far more than lies between a server and a client that does not read.
const TASKS: usize = 2_000;
const DESCRIPTION_BYTES: usize = 8 * 1024;
/// What a client takes that does not read.
const WINDOW_BYTES: u32 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_whose_next_events_go_gets_the_rest_of_what_was_read_and_then_the_gap() {
    let clock = ManualClock::at(BEGINNING_US);
    let disk = Disk::folder();
    let server = start(&disk, by_age(), &clock).await;
    let mut clients = server.clients().await;
    create_many(&mut clients, "", 0, TASKS, DESCRIPTION_BYTES).await;
    clients.create(create("", "last", "triage")).await.unwrap();
    let newest = clients.head("").await;
    server.stop().await;

    let server = start(&disk, by_age(), &clock).await;
    let slow = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let slow = slow.initial_stream_window_size(WINDOW_BYTES).initial_connection_window_size(WINDOW_BYTES);
    let mut slow = HandoffServiceClient::new(in_time(slow.connect()).await.unwrap());
    let request = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
    let mut stream = in_time(slow.watch_handoffs(request)).await.unwrap().into_inner();
    let mut told = in_time(stream.message()).await.unwrap().unwrap().revision;
    assert!(told < newest, "it is behind");

    clock.advance((AGE_S as i64 + 1) * SECOND_US);
    begins_at(&server, DEFAULT, newest).await;
    let mut next = told + 1;
    let refused = loop {
        match in_time(stream.message()).await {
            Ok(message) => {
                let message = message.expect("the stream ends with the gap");
                for event in message.events {
                    assert_eq!(event.revision, next, "events come in order, with none left out");
                    next += 1;
                }
                told = message.revision;
            }
            Err(status) => break Refused::from(status),
        }
    };
    assert_eq!(told, next - 1);
    assert!(next < newest, "all was delivered: there was no gap to tell of");
    assert_eq!((refused.code, refused.reason()), (Code::OutOfRange, ErrorReason::RevisionCompacted));
    let newest = newest.to_string();
    assert_eq!((refused.value("oldest_revision"), refused.value("newest_revision")), (&*newest, &*newest));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_up_misses_nothing_while_events_go() {
    for disk in [Disk::memory(), Disk::folder()] {
        let server = start(&disk, by_size(), &ManualClock::at(BEGINNING_US)).await;
        let mut clients = server.clients().await;
        let request = WatchHandoffsRequest { start_revision: 1, all_events: true, ..Default::default() };
        let mut stream = server.clients().await.watch(request).await.unwrap();
        let mut seen = 0;
        let writing = in_time(async {
            for index in 0.. {
                create_many(&mut clients, "", index * 10, 10, 1_000).await;
                let task = format!("task-{}", index * 10);
                clients.hand_off(hand_off("", &task, "triage", "billing")).await.expect("hand-offs go on");
                let head = (index as u64 + 1) * 11;
                let events = events_until(&mut stream, head).await;
                assert!(events.iter().map(|event| event.revision).eq(seen + 1..=head));
                seen = head;
                // More than one truncation's worth.
                if oldest(&server, DEFAULT) > 300 {
                    break;
                }
            }
        });
        writing.await;
        server.stop().await;
    }
}
