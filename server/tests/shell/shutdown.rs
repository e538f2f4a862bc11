//! Stops: orderly where everyone plays along, bounded where someone does not.

use baton_proto::v1;
use baton_server::{
    config::Config,
    shutdown::{Shutdown, StopSignals},
};
use prost::Message as _;
use tokio::{io::AsyncReadExt as _, net::TcpStream, task::yield_now};
use tonic::Code;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::harness::{GET_SUMMARY, STUBBORN, TestServer, VERIFY_LOG, drain, in_time};

fn stubborn() -> Vec<u8> {
    v1::VerifyLogRequest { namespace: STUBBORN.to_owned() }.encode_to_vec()
}

#[tokio::test]
async fn a_stop_ends_open_streams_and_then_the_server() {
    let server = TestServer::start().await;
    let caller = server.caller().await;
    let mut stream = caller.open(VERIFY_LOG, None, &[]).await;
    assert!(stream.next::<v1::VerifyLogResponse>().await.is_some());

    server.shutdown.begin();

    let reply = stream.finish().await;
    assert_eq!(reply.status.code(), Code::Unavailable);
    assert_eq!(reply.status.message(), "stopping");
    assert_eq!(server.ended().await.connections_cut, 0);
}

#[tokio::test]
async fn a_stop_tells_those_who_watch_health_before_their_streams_end() {
    let server = TestServer::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    let first = in_time(watch.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::Serving);

    server.shutdown.begin();

    let (rest, end) = drain(watch).await;
    assert_eq!(rest.iter().map(|answer| answer.status()).collect::<Vec<_>>(), [ServingStatus::NotServing]);
    assert_eq!(end.unwrap_err().code(), Code::Unavailable);
    assert_eq!(server.ended().await.connections_cut, 0);
}

#[tokio::test]
async fn a_call_that_is_under_way_is_answered_although_the_server_stops() {
    let mut server = TestServer::start().await;
    let caller = server.caller().await;
    let answer = caller.send(GET_SUMMARY, None, &[]).await;
    let answer = tokio::spawn(answer);
    assert_eq!(in_time(server.events.recv()).await, Some("begun"));

    server.shutdown.begin();
    in_time(async {
        while server.readiness.check().is_ok() {
            yield_now().await;
        }
    })
    .await;
    server.release.notify_one();

    let response = in_time(answer).await.unwrap().unwrap();
    assert!(response.headers().get("grpc-status").is_none(), "{response:?}");
    assert_eq!(server.ended().await.connections_cut, 0);
}

#[tokio::test]
async fn a_stream_that_does_not_end_is_cut_after_the_grace_period() {
    let config = Config { stop_grace_s: 0, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let caller = server.caller().await;
    let mut stream = caller.open(VERIFY_LOG, None, &stubborn()).await;
    assert!(stream.next::<v1::VerifyLogResponse>().await.is_some());

    server.shutdown.begin();

    assert_eq!(server.ended().await.connections_cut, 1);
}

#[tokio::test]
async fn a_second_request_to_stop_cuts_the_grace_period_short() {
    let config = Config { stop_grace_s: 600, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let caller = server.caller().await;
    let mut stream = caller.open(VERIFY_LOG, None, &stubborn()).await;
    assert!(stream.next::<v1::VerifyLogResponse>().await.is_some());

    server.shutdown.begin();
    server.shutdown.cut();

    assert_eq!(server.ended().await.connections_cut, 1);
}

#[tokio::test]
async fn a_connection_that_has_said_nothing_does_not_delay_the_stop() {
    let server = TestServer::start().await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    server.counts("baton_connections 1").await;

    server.shutdown.begin();

    assert_eq!(in_time(silent.read(&mut [0; 1])).await.unwrap(), 0);
    assert_eq!(server.ended().await.connections_cut, 0);
}

#[tokio::test]
async fn a_stopped_server_takes_no_connections() {
    let server = TestServer::start().await;
    let address = server.address;
    server.shutdown.begin();
    server.ended().await;
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn the_first_signal_begins_the_stop_and_the_second_cuts_it_short() {
    let shutdown = Shutdown::new();
    let mut signal = shutdown.signal();
    let signals = StopSignals::install().unwrap();
    let forwarding = tokio::spawn(async move { signals.forward_to(&shutdown).await });

    send("-TERM");
    in_time(signal.stopping()).await;
    assert!(signal.is_stopping() && !forwarding.is_finished());

    send("-INT");
    in_time(signal.cutting()).await;
    in_time(async {
        while !forwarding.is_finished() {
            yield_now().await;
        }
    })
    .await;
}

/// Sends this process a signal, which the test has taken over.
fn send(name: &str) {
    let pid = std::process::id().to_string();
    let sent = std::process::Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success());
}
