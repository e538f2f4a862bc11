//! Promises of a watch whose connection is lost in unpleasant places: nothing is skipped, nothing comes twice, and nobody waits for a server that hangs.
//!
//! Knows nothing of gaps: what is lost here can be had again.

use std::{future::pending, time::Duration};

use baton_client::{Client, Code, Cursor, RetryPolicy, Status};
use tokio::{
    sync::mpsc,
    time::{advance, timeout},
};

use crate::{
    scripted::{WatchAnswer, cut_off_then, handoffs_in_process},
    watch::{client_of, message, refusal, revisions, stream, watched},
};

#[tokio::test(start_paused = true)]
async fn a_message_that_was_taken_in_is_given_whole_before_the_loss_is_noticed() {
    let (send, receive) = mpsc::unbounded_channel();
    send.send(message(&[1, 2, 3], 4)).unwrap();
    let handoffs = watched([Ok(WatchAnswer::new(receive)), stream([message(&[5], 5)])]);
    let mut watch = client_of(&handoffs).watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
    send.send(Err(Status::unavailable("stopping"))).unwrap();
    assert_eq!((revisions(&mut watch).await, watch.revision()), ([2], 2));
    assert_eq!((revisions(&mut watch).await, watch.revision()), ([3], 4));
    assert_eq!(revisions(&mut watch).await, [5]);
    assert_eq!(handoffs.watch_handoffs.asked()[1].message.start_revision, 5);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_within_a_message_comes_back_to_the_rest_of_it() {
    let handoffs = watched([stream([message(&[1, 2, 3], 3)]), stream([message(&[2, 3], 3)])]);
    let client = client_of(&handoffs);
    let mut watch = client.watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
    let cursor: Cursor = watch.cursor().clone();
    drop(watch);
    let mut again = client.watch().resume(&cursor).await.unwrap();
    assert_eq!(revisions(&mut again).await, [2, 3]);
    assert_eq!(handoffs.watch_handoffs.asked()[1].message.start_revision, 2);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_cut_off_is_asked_for_again() {
    let handoffs = watched([stream([message(&[1], 1)])]);
    let client = Client::builder().channel(cut_off_then(&handoffs)).build().unwrap();
    let mut watch = client.watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_now_on_that_is_lost_before_its_first_message_begins_at_a_later_now() {
    let handoffs = watched([
        stream([Err(Status::unavailable("before a word was said"))]),
        stream([message(&[], 40), Err(Status::unavailable("stopping"))]),
        Err(Status::unavailable("not back yet")),
        stream([message(&[41], 42)]),
    ]);
    let mut watch = client_of(&handoffs).watch().await.unwrap();
    // From here on nothing may be skipped.
    assert_eq!(watch.revision(), 40);
    assert_eq!(revisions(&mut watch).await, [41]);
    let asked = handoffs.watch_handoffs.asked();
    let starts: Vec<u64> = asked.iter().map(|asked| asked.message.start_revision).collect();
    assert_eq!(starts, [0, 0, 41, 41]);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_while_it_connects_again_loses_nothing() {
    let refused = std::iter::repeat_with(|| Err(Status::unavailable("gone"))).take(20);
    let handoffs = watched(
        std::iter::once(stream([message(&[1], 1)])).chain(refused).chain([stream([message(&[2, 3], 3)])]),
    );
    let mut watch = client_of(&handoffs).watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
    let mut given_up = 0;
    let second = loop {
        match timeout(Duration::from_millis(10), watch.next()).await {
            Ok(event) => break event.unwrap().unwrap().revision,
            Err(_elapsed) => given_up += 1,
        }
    };
    assert!(given_up > 100, "it was given up {given_up} times");
    assert_eq!((second, revisions(&mut watch).await), (2, [3]));
    assert_eq!(handoffs.watch_handoffs.asked().len(), 22, "giving up neither hurries nor repeats");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_takes_its_time_does_not_take_the_server_for_silent() {
    let (send, receive) = mpsc::unbounded_channel();
    let handoffs = watched([Ok(WatchAnswer::new(receive))]);
    let client = client_of(&handoffs);
    let interval = Duration::from_secs(1);
    let mut watch = client.watch().from_revision(1).progress_interval(interval).await.unwrap();
    // Between two events, and within a wait that was given up; both far longer than a server may be silent.
    send.send(message(&[1], 1)).unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
    send.send(message(&[2], 2)).unwrap();
    advance(Duration::from_secs(3_600)).await;
    assert_eq!(revisions(&mut watch).await, [2]);
    assert!(timeout(interval, watch.next()).await.is_err(), "nothing was sent yet");
    send.send(message(&[3], 3)).unwrap();
    // The connection's own task has the message when this is over; nobody has asked for it yet.
    timeout(Duration::from_secs(3_600), pending::<()>()).await.unwrap_err();
    assert_eq!(revisions(&mut watch).await, [3]);
    assert_eq!(handoffs.watch_handoffs.asked().len(), 1, "one connection was enough");
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_hangs_is_left_for_the_next_one() {
    // After its script, a server does not answer at all.
    let hanging = watched([stream([message(&[1], 1), Err(Status::unavailable("stopping"))])]);
    let back = watched([Err(Status::unavailable("not back yet")), stream([message(&[2], 2)])]);
    let client = Client::builder()
        .channel(handoffs_in_process(&hanging))
        .channel(handoffs_in_process(&back))
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let mut watch = client.watch().from_revision(1).await.unwrap();
    let all = timeout(Duration::from_secs(60), revisions(&mut watch)).await;
    assert_eq!(all.expect("it does not wait for the one that hangs"), [1, 2]);
    assert_eq!(hanging.watch_handoffs.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_has_too_many_watchers_is_asked_again_later() {
    let handoffs = watched([
        stream([message(&[1], 1), Err(Status::unavailable("stopping"))]),
        Err(refusal(Code::ResourceExhausted, "QUOTA_EXCEEDED")),
        stream([message(&[2], 2)]),
    ]);
    let mut watch = client_of(&handoffs).watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1, 2]);
}
