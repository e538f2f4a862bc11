//! What the transport does with requests that never reach a service, and with too many connections.

use baton_proto::v1;
use baton_server::config::Config;
use tokio::{io::AsyncReadExt as _, net::TcpStream};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{GET_SERVER_INFO, GET_SUMMARY, PANICKING, TestServer, in_time};

#[tokio::test]
async fn a_request_that_cannot_be_decoded_is_the_callers_mistake() {
    let server = TestServer::start().await;
    let caller = server.caller().await;
    // Field 1, the namespace, with a length beyond the end; with bytes that are not UTF-8; with the wrong wire type.
    for bytes in [&[0x0a, 0x7f][..], &[0x0a, 0x01, 0xff], &[0x08, 0x01], &[0xff]] {
        let reply = caller.call_with_bytes(GET_SUMMARY, None, bytes).await;
        assert_eq!(reply.status.code(), Code::InvalidArgument, "{bytes:?}: {:?}", reply.status);
        assert_eq!(reply.status.get_details_error_info().unwrap().reason, "INVALID_FIELD");
        assert_eq!(reply.status.get_details_bad_request().unwrap().field_violations[0].field, "request");
    }
    let reply = caller.call(GET_SERVER_INFO, None, &v1::GetServerInfoRequest::default()).await;
    assert_eq!(reply.status.code(), Code::Ok);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_with_its_size_and_the_bound() {
    let config = Config { message_bytes_max: 64 * 1024, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let reply = server.caller().await.call_with_bytes(GET_SUMMARY, None, &vec![0; 64 * 1024 + 1]).await;
    assert_eq!(reply.status.code(), Code::InvalidArgument);
    let violations = reply.status.get_details_bad_request().unwrap().field_violations;
    let description = &violations[0].description;
    assert!(description.contains("65537") && description.contains("65536"), "{description}");
}

#[tokio::test]
async fn an_unknown_service_is_told_which_there_are() {
    let server = TestServer::start().await;
    let reply = server.caller().await.call_with_bytes("/baton.v2.Nothing/Do", None, &[]).await;
    assert_eq!(reply.status.code(), Code::Unimplemented);
    assert!(reply.status.message().contains("baton.v1.MonitorService"), "{}", reply.status.message());
}

#[tokio::test]
async fn a_call_that_its_caller_leaves_is_counted_as_cancelled() {
    let mut server = TestServer::start().await;
    let answer = server.caller().await.send(GET_SUMMARY, None, &[]).await;
    assert_eq!(in_time(server.events.recv()).await, Some("begun"));
    drop(answer);
    assert_eq!(in_time(server.events.recv()).await, Some("left"));
    server.counts(r#"baton_requests_total{rpc="MonitorService/GetSummary",code="CANCELLED"} 1"#).await;
}

#[tokio::test]
async fn connections_beyond_the_bound_are_closed_and_those_within_it_go_on() {
    let config = Config { connections_max: 1, ..Config::default() };
    let server = TestServer::start_with(config).await;
    let caller = server.caller().await;
    let request = v1::GetServerInfoRequest::default();
    assert_eq!(caller.call(GET_SERVER_INFO, None, &request).await.status.code(), Code::Ok);

    let mut second = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(in_time(second.read(&mut [0; 1])).await.unwrap(), 0);

    assert_eq!(caller.call(GET_SERVER_INFO, None, &request).await.status.code(), Code::Ok);
    server.counts("baton_connections_refused_total 1").await;
    server.counts("baton_connections 1").await;
    drop(caller);
    server.counts("baton_connections 0").await;
    assert_eq!(server.caller().await.call(GET_SERVER_INFO, None, &request).await.status.code(), Code::Ok);
}

#[tokio::test]
async fn a_service_that_panics_is_reported_as_a_defect_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let caller = server.caller().await;
    let request = v1::GetSummaryRequest { namespace: PANICKING.to_owned(), ..Default::default() };
    let reply = caller.call(GET_SUMMARY, None, &request).await;
    assert_eq!(reply.status.code(), Code::Internal);
    assert_eq!(reply.status.get_details_error_info().unwrap().reason, "INTERNAL");
    server.counts(r#"baton_requests_total{rpc="MonitorService/GetSummary",code="INTERNAL"} 1"#).await;
    let reply = caller.call(GET_SERVER_INFO, None, &v1::GetServerInfoRequest::default()).await;
    assert_eq!(reply.status.code(), Code::Ok);
}
