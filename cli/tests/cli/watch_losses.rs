//! A watch of the Rust client through real losses: connections cut anywhere, servers that are killed, hang, or come back with another log.
//!
//! The servers are real processes, and between them and the client is a proxy.

use std::time::Duration;

use baton_client::{Client, Error, RetryPolicy, Watch};

use crate::{proxy::Proxy, server::Server};

/// So many events there are, each of about `DESCRIPTION_BYTES`: several messages of several frames.
const EVENTS: u64 = 60;
const DESCRIPTION_BYTES: usize = 8_000;

/// A client that connects again soon: what is looked for here is not patience.
fn client(endpoints: &[&str]) -> Client {
    let builder = Client::builder().endpoints(&endpoints.join(","));
    let backoff = Duration::from_millis(2);
    let retry = RetryPolicy { backoff_initial: backoff, backoff_max: backoff, ..RetryPolicy::default() };
    builder.retry(retry).build().expect("the addresses are valid")
}

/// Creates tasks, an event each.
async fn create(client: &Client, revisions: impl IntoIterator<Item = u64>) {
    for revision in revisions {
        let description = "x".repeat(DESCRIPTION_BYTES);
        let task = client.create_task(format!("t-{revision}")).agent("a").description(description);
        assert_eq!(task.await.expect("the server creates it").revision, revision);
    }
}

/// Expects these revisions next, and nothing else.
async fn expect(watch: &mut Watch, revisions: impl IntoIterator<Item = u64>) {
    for revision in revisions {
        let event = watch.next().await.expect("the watch goes on").expect("the watch goes on");
        assert_eq!(event.revision, revision);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_connection_is_cut_every_event_comes_once() {
    let server = Server::start();
    create(&client(&[server.address()]), 1..=EVENTS).await;
    let mut cut_within = 0;
    for first_bytes in (1..DESCRIPTION_BYTES as u64 * EVENTS).step_by(9_973) {
        let proxy = Proxy::cutting(server.address(), first_bytes).await;
        let client = client(&[&proxy.address()]);
        let mut watch = client.watch().all_events().from_revision(1).await.expect("the watch begins");
        expect(&mut watch, [1]).await;
        // Nothing is done between two events, so what came up to here came by the connections up to here.
        let before = proxy.accepted();
        expect(&mut watch, 2..=EVENTS).await;
        assert_eq!(proxy.accepted(), 2, "cut after {first_bytes} bytes");
        cut_within += proxy.accepted() - before;
    }
    assert!(cut_within > 10, "most cuts came when some events had been given: {cut_within}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_endpoints_one_may_die() {
    let server = Server::start();
    let direct = client(&[server.address()]);
    let (first, second) = (Proxy::before(server.address()).await, Proxy::before(server.address()).await);
    let client = client(&[&first.address(), &second.address()]);
    let mut watch = client.watch().all_events().await.expect("the watch begins");
    create(&direct, 1..=3).await;
    expect(&mut watch, 1..=2).await;
    assert_eq!((first.accepted(), second.accepted()), (1, 0));

    drop(first);
    create(&direct, 4..=6).await;
    expect(&mut watch, 3..=6).await;
    assert_eq!(second.accepted(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_left_and_nothing_is_missed_when_it_wakes() {
    let server = Server::start();
    let direct = client(&[server.address()]);
    let (first, mut second) = (Proxy::before(server.address()).await, Proxy::before(server.address()).await);
    let client = client(&[&first.address(), &second.address()]);
    let interval = Duration::from_millis(100);
    let watch = client.watch().all_events().progress_interval(interval);
    let mut watch = watch.await.expect("the watch begins");
    create(&direct, 1..=2).await;
    expect(&mut watch, 1..=1).await;

    server.signal("STOP");
    let waiting = tokio::spawn(async move {
        expect(&mut watch, 2..=4).await;
    });
    // Its connection is alive, and silent: only by going to the other endpoint the client shows that it has noticed.
    second.has_accepted(1).await;
    server.signal("CONT");
    create(&direct, 3..=4).await;
    waiting.await.expect("every event comes once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_watched_on() {
    let mut server = Server::start();
    let proxy = Proxy::before(server.address()).await;
    let client = client(&[&proxy.address()]);
    let mut watch = client.watch().all_events().await.expect("the watch begins");
    let mut revisions = 1..;
    let mut more = |count| revisions.by_ref().take(count).collect::<Vec<u64>>();
    for end in [Server::terminate, Server::kill] {
        let (seen, unseen, later) = (more(2), more(2), more(2));
        create(&client, [&seen[..], &unseen[..]].concat()).await;
        expect(&mut watch, seen).await;
        let (_, folder) = end(server);
        server = Server::on(folder);
        proxy.point_to(server.address());
        create(&client, later.clone()).await;
        expect(&mut watch, [unseen, later].concat()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_with_another_log_ends_the_watch() {
    let server = Server::start();
    let proxy = Proxy::before(server.address()).await;
    let client = client(&[&proxy.address()]);
    create(&client, 1..=2).await;
    let mut watch = client.watch().all_events().from_revision(1).await.expect("the watch begins");
    expect(&mut watch, 1..=2).await;

    let _gone = server.kill();
    let other = Server::start();
    proxy.point_to(other.address());
    // Whoever went by revisions alone would take the third event of this log for the next one.
    create(&client, 1..=3).await;
    let error = watch.next().await.expect("it is told").expect_err("the logs are not the same");
    let info = client.server_info().await.expect("the server answers");
    assert!(matches!(&error, Error::LogMismatch { log_id, .. } if *log_id == info.log_id), "{error:?}");
    assert!(watch.next().await.is_none());

    let mut anew = client.watch().all_events().snapshot().await.expect("a new watch begins");
    assert_eq!((anew.revision(), anew.log_id()), (3, &*info.log_id));
    create(&client, 4..=4).await;
    expect(&mut anew, 4..=4).await;
}
