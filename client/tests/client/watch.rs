//! Promises of a watch: every event once and in order, through lost connections, or an error that says what is gone.
//!
//! Knows nothing of how a server finds out what matches.

use std::{collections::HashMap, time::Duration};

use baton_client::{Client, Code, Cursor, Error, EventType, Status, Watch};
use baton_proto::v1;
use tokio::{sync::mpsc, time::Instant};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::scripted::{Handoffs, Script, WatchAnswer, handoffs_in_process};

pub(crate) type Message = Result<v1::WatchHandoffsResponse, Status>;

/// A message with these events, true up to `revision`.
pub(crate) fn message(events: &[u64], revision: u64) -> Message {
    let event = |&revision| v1::HandoffEvent {
        revision,
        r#type: v1::EventType::HandoffCompleted.into(),
        ..Default::default()
    };
    let events = events.iter().map(event).collect();
    Ok(v1::WatchHandoffsResponse { events, revision, log_id: "log-1".to_owned(), ..Default::default() })
}

/// A stream that ends after the messages.
pub(crate) fn stream(messages: impl IntoIterator<Item = Message>) -> Result<WatchAnswer, Status> {
    let (send, receive) = mpsc::unbounded_channel();
    messages.into_iter().for_each(|message| send.send(message).unwrap());
    Ok(WatchAnswer::new(receive))
}

pub(crate) fn watched(answers: impl IntoIterator<Item = Result<WatchAnswer, Status>>) -> Handoffs {
    Handoffs { watch_handoffs: Script::new(answers), ..Handoffs::default() }
}

pub(crate) fn client_of(handoffs: &Handoffs) -> Client {
    Client::builder().channel(handoffs_in_process(handoffs)).build().unwrap()
}

pub(crate) async fn revisions<const N: usize>(watch: &mut Watch) -> [u64; N] {
    let mut revisions = [0; N];
    for revision in &mut revisions {
        *revision = watch.next().await.unwrap().unwrap().revision;
    }
    revisions
}

pub(crate) fn refusal(code: Code, reason: &str) -> Status {
    let values = [("oldest_revision", "100"), ("newest_revision", "200"), ("log_id", "log-2")];
    let values: HashMap<String, String> =
        values.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    Status::with_error_details(code, "", ErrorDetails::with_error_info(reason, "baton.v1", values))
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_taken_up_after_the_last_event_and_none_comes_twice() {
    let handoffs = watched([
        stream([message(&[5, 6], 6), Err(Status::unavailable("stopping"))]),
        Err(Status::unavailable("not back yet")),
        // What a careless server sends again is dropped.
        stream([message(&[6, 7], 9), Err(Status::cancelled("cut"))]),
        stream([message(&[10], 10)]),
    ]);
    let client = client_of(&handoffs);
    let mut watch = client.watch().from_revision(5).log_id("log-1").await.unwrap();

    assert_eq!(revisions(&mut watch).await, [5, 6, 7, 10]);

    let asked = handoffs.watch_handoffs.asked();
    let starts: Vec<(u64, &str, bool)> = asked
        .iter()
        .map(|asked| &asked.message)
        .map(|message| (message.start_revision, message.log_id.as_str(), message.snapshot))
        .collect();
    assert_eq!(starts, [(5, "log-1", false), (7, "log-1", false), (7, "log-1", false), (10, "log-1", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_merely_ends_is_opened_again() {
    let handoffs = watched([stream([message(&[1], 1)]), stream([]), stream([message(&[2], 2)])]);
    let mut watch = client_of(&handoffs).watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1, 2]);
    assert_eq!(handoffs.watch_handoffs.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_watch_goes_on_at_the_next_endpoint() {
    let first = watched([stream([message(&[1], 1), Err(Status::unavailable("stopping"))])]);
    let second = watched([stream([message(&[2], 2)])]);
    let client = Client::builder()
        .channel(handoffs_in_process(&first))
        .channel(handoffs_in_process(&second))
        .build()
        .unwrap();
    let mut watch = client.watch().from_revision(1).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1, 2]);
    assert_eq!(second.watch_handoffs.asked()[0].message.start_revision, 2);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_another_log_is_refused() {
    let handoffs = watched([Err(refusal(Code::FailedPrecondition, "LOG_MISMATCH"))]);
    let cursor = Cursor { revision: 41, log_id: "log-1".to_owned() };

    let refused = client_of(&handoffs).watch().resume(&cursor).await.unwrap_err();

    assert!(matches!(&refused, Error::LogMismatch { log_id, .. } if log_id == "log-2"), "{refused:?}");
    let asked = &handoffs.watch_handoffs.asked()[0].message;
    assert_eq!((asked.start_revision, asked.log_id.as_str()), (42, "log-1"));
}

#[tokio::test(start_paused = true)]
async fn the_cursor_is_where_the_caller_is_and_moves_with_progress_too() {
    let handoffs = watched([stream([message(&[5, 6], 8), message(&[], 30), message(&[31], 31)])]);
    let mut watch = client_of(&handoffs).watch().from_revision(5).await.unwrap();
    assert_eq!((watch.revision(), watch.log_id()), (4, ""));

    let mut seen = Vec::new();
    for _ in 0..3 {
        watch.next().await.unwrap().unwrap();
        seen.push(watch.revision());
    }
    // After 5, 6 has not been given yet; after 6, nothing matches up to 8.
    assert_eq!(seen, [5, 8, 31]);
    assert_eq!(*watch.cursor(), Cursor { revision: 31, log_id: "log-1".to_owned() });
}

#[tokio::test(start_paused = true)]
async fn a_watch_from_now_on_knows_from_the_first_when_now_is() {
    let handoffs = watched([
        stream([message(&[], 40), Err(Status::unavailable("before anything happened"))]),
        stream([message(&[41], 41)]),
    ]);
    let mut watch = client_of(&handoffs).watch().to_agent("billing").await.unwrap();
    assert_eq!((watch.revision(), watch.log_id()), (40, "log-1"));
    assert!(watch.open_handoffs().is_empty());
    assert_eq!(revisions(&mut watch).await, [41]);

    let asked: Vec<v1::WatchHandoffsRequest> =
        handoffs.watch_handoffs.asked().into_iter().map(|asked| asked.message).collect();
    assert_eq!((asked[0].start_revision, asked[0].snapshot), (0, true));
    assert_eq!((asked[1].start_revision, asked[1].snapshot), (41, false));
    assert_eq!(asked[0].filter, asked[1].filter);
    assert_eq!(asked[0].filter.as_ref().unwrap().to_agents, ["billing"]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_whole_even_if_the_connection_is_lost_within_it() {
    let part = |id: &str, continues: bool| {
        let open_handoffs = vec![v1::Handoff { handoff_id: id.to_owned(), ..Default::default() }];
        let snapshot_continues = continues;
        message(&[], 7).map(|message| v1::WatchHandoffsResponse {
            open_handoffs,
            snapshot_continues,
            ..message
        })
    };
    let handoffs = watched([
        stream([part("h-1", true), Err(Status::unavailable("stopping"))]),
        stream([part("h-1", true), part("h-2", false), message(&[8], 8)]),
    ]);
    let mut watch = client_of(&handoffs).watch().snapshot().await.unwrap();
    let open: Vec<&str> = watch.open_handoffs().iter().map(|handoff| handoff.handoff_id.as_str()).collect();
    assert_eq!(open, ["h-1", "h-2"]);
    assert_eq!(revisions(&mut watch).await, [8]);
    assert!(handoffs.watch_handoffs.asked().iter().all(|asked| asked.message.snapshot));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_falls_silent_is_made_anew() {
    let (silent, receive) = mpsc::unbounded_channel();
    silent.send(message(&[1], 1)).unwrap();
    let handoffs = watched([Ok(WatchAnswer::new(receive)), stream([message(&[2], 2)])]);
    let interval = Duration::from_secs(2);
    let client = client_of(&handoffs);
    let mut watch = client.watch().from_revision(1).progress_interval(interval).await.unwrap();

    let begun = Instant::now();
    assert_eq!(revisions(&mut watch).await, [1, 2]);
    assert!(begun.elapsed() >= interval * 3, "{:?}", begun.elapsed());
    assert_eq!(
        handoffs.watch_handoffs.asked()[0].timeout,
        None,
        "a watch outlives the deadline of its beginning"
    );
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_told_to_gives_up() {
    let gone = std::iter::repeat_with(|| Err(Status::unavailable("gone"))).take(1_000);
    let handoffs = watched(std::iter::once(stream([message(&[1], 1)])).chain(gone));
    let client = client_of(&handoffs);
    let mut watch = client.watch().from_revision(1).give_up_after(Duration::from_secs(30)).await.unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);

    let begun = Instant::now();
    let error = watch.next().await.unwrap().unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(begun.elapsed() >= Duration::from_secs(30), "{:?}", begun.elapsed());
    assert!(watch.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_loses_nothing() {
    let (send, receive) = mpsc::unbounded_channel();
    let handoffs = watched([Ok(WatchAnswer::new(receive))]);
    let mut watch =
        client_of(&handoffs).watch().from_revision(1).types([EventType::HandoffCompleted]).await.unwrap();

    let waited = tokio::time::timeout(Duration::from_secs(1), watch.next()).await;
    assert!(waited.is_err(), "nothing was sent yet");
    send.send(message(&[1], 1)).unwrap();
    assert_eq!(revisions(&mut watch).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_the_past_is_refused() {
    let handoffs = watched([]);
    let refused = client_of(&handoffs).watch().from_revision(3).snapshot().await.unwrap_err();
    assert!(matches!(&refused, Error::Invalid { violations, .. } if violations[0].field == "snapshot"));
    assert!(handoffs.watch_handoffs.asked().is_empty());
}
