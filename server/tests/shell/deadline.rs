//! Deadlines, over a real connection.

use baton_proto::v1;
use baton_server::config::Config;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{GET_SERVER_INFO, GET_SUMMARY, TestServer, VERIFY_LOG, in_time};

#[tokio::test]
async fn an_expired_call_is_told_so_and_its_handler_is_let_go() {
    let mut server = TestServer::start().await;
    let reply = server.caller().await.call(GET_SUMMARY, Some("30m"), &v1::GetSummaryRequest::default()).await;
    assert_eq!(reply.status.code(), Code::DeadlineExceeded);
    let info = reply.status.get_details_error_info().unwrap();
    assert_eq!((info.domain.as_str(), info.reason.as_str()), ("baton.v1", "DEADLINE_EXCEEDED"));
    assert_eq!(in_time(server.events.recv()).await, Some("begun"));
    assert_eq!(in_time(server.events.recv()).await, Some("left"));
    server
        .counts(r#"baton_requests_total{rpc="MonitorService/GetSummary",code="DEADLINE_EXCEEDED"} 1"#)
        .await;
}

#[tokio::test]
async fn a_malformed_timeout_is_refused_and_named() {
    let server = TestServer::start().await;
    let caller = server.caller().await;
    for timeout in ["", "5", "m", "123456789S", "-1S", "+1S", "1.5S", "1s", "5 S", "S5", "0x1S"] {
        let reply = caller.call(GET_SERVER_INFO, Some(timeout), &v1::GetServerInfoRequest::default()).await;
        assert_eq!(reply.status.code(), Code::InvalidArgument, "{timeout:?}");
        let violations = reply.status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].field, "grpc-timeout");
        assert!(violations[0].description.contains(&format!("{timeout:?}")), "{:?}", violations[0]);
    }
}

#[tokio::test]
async fn every_unit_counts_and_a_long_or_missing_timeout_is_the_servers_longest() {
    let config = Config { request_deadline_s_max: 40, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let caller = server.caller().await;
    let cases = [
        (None, 40_000),
        (Some("99999999H"), 40_000),
        (Some("1H"), 40_000),
        (Some("1M"), 40_000),
        (Some("41S"), 40_000),
        (Some("30S"), 30_000),
        (Some("00000030S"), 30_000),
        (Some("31000m"), 31_000),
        (Some("32000000u"), 32_000),
    ];
    for (timeout, expected_ms) in cases {
        let reply = caller.call(GET_SERVER_INFO, timeout, &v1::GetServerInfoRequest::default()).await;
        let left_ms: i64 = reply.message::<v1::GetServerInfoResponse>().version.parse().unwrap();
        assert!((expected_ms - 5_000..=expected_ms).contains(&left_ms), "{timeout:?}: {left_ms}");
    }
}

#[tokio::test]
async fn a_timeout_of_nothing_has_passed_already() {
    let server = TestServer::start().await;
    for timeout in ["0S", "1n"] {
        let reply =
            server.caller().await.call(GET_SUMMARY, Some(timeout), &v1::GetSummaryRequest::default()).await;
        assert_eq!(reply.status.code(), Code::DeadlineExceeded, "{timeout}");
    }
}

#[tokio::test]
async fn a_stream_has_its_callers_deadline_and_no_other() {
    let config = Config { request_deadline_s_max: 1, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let caller = server.caller().await;

    let mut unbounded = caller.open(VERIFY_LOG, None, &[]).await;
    assert_eq!(unbounded.next::<v1::VerifyLogResponse>().await.unwrap().hash, "none");

    let mut longer = caller.open(VERIFY_LOG, Some("1H"), &[]).await;
    let left_ms: u64 = longer.next::<v1::VerifyLogResponse>().await.unwrap().hash.parse().unwrap();
    assert!(left_ms > 3_000_000, "{left_ms}");

    let mut bounded = caller.open(VERIFY_LOG, Some("200m"), &[]).await;
    assert!(bounded.next::<v1::VerifyLogResponse>().await.is_some());
    let reply = bounded.finish().await;
    assert_eq!(reply.status.code(), Code::DeadlineExceeded);
    assert_eq!(reply.status.get_details_error_info().unwrap().reason, "DEADLINE_EXCEEDED");
}
