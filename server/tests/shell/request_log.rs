//! One line for each request, in JSON so that it can be read back.

use baton_proto::v1;
use baton_server::{
    config::{Config, LogFormat, LogRequests},
    log_writer::{LogWriter, LogWriterGuard},
    logging,
};
use prometheus_client::metrics::counter::Counter;
use prost::Message as _;
use serde_json::Value;
use tracing::subscriber::DefaultGuard;

use crate::{
    harness::{GET_SERVER_INFO, GET_SUMMARY, TestServer, in_time},
    log_writer::Sink,
};

/// What this thread logs while it lives.
struct Capture {
    sink: Sink,
    guard: LogWriterGuard,
    _subscriber: DefaultGuard,
}

impl Capture {
    fn start(config: &Config) -> Self {
        let sink = Sink::open();
        let (writer, guard) = LogWriter::spawn(sink.clone(), Counter::default()).unwrap();
        let subscriber = tracing::subscriber::set_default(logging::subscriber(config, writer, false));
        Self { sink, guard, _subscriber: subscriber }
    }

    /// Ends the capture and returns all that was logged.
    fn text(self) -> String {
        drop(self.guard);
        let written = self.sink.written.lock().clone();
        String::from_utf8(written).unwrap()
    }

    /// Ends the capture and returns the lines of requests.
    fn requests(self) -> Vec<Value> {
        let lines = self.text();
        let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "baton::request").collect()
    }
}

fn json(which: LogRequests) -> Config {
    Config { log_format: LogFormat::Json, log_requests: which, ..Config::default() }
}

/// A call that is answered, one that expires and one that is malformed.
async fn three_calls(config: &Config) {
    let server = TestServer::start_with(config.clone()).await;
    let caller = server.caller().await;
    caller.call(GET_SERVER_INFO, None, &v1::GetServerInfoRequest::default()).await;
    server.counts(r#"baton_requests_total{rpc="MonitorService/GetServerInfo",code="OK"} 1"#).await;
    let summary = v1::GetSummaryRequest { namespace: "acme".to_owned(), ..Default::default() };
    caller.call(GET_SUMMARY, Some("20m"), &summary).await;
    caller.call_with_bytes(GET_SUMMARY, None, &[0xff]).await;
    server.shutdown.begin();
    server.ended().await;
}

#[tokio::test]
async fn each_request_has_one_line_with_what_it_was_and_how_it_ended() {
    let config = json(LogRequests::All);
    let capture = Capture::start(&config);
    three_calls(&config).await;
    let lines = capture.requests();
    assert_eq!(lines.len(), 3, "{lines:?}");

    assert_eq!(lines[0]["level"], "INFO");
    assert_eq!(lines[0]["rpc"], "MonitorService/GetServerInfo");
    assert_eq!(lines[0]["code"], "OK");
    assert!(lines[0]["duration_us"].is_u64());
    assert!(lines[0].get("namespace").is_none() && lines[0].get("error").is_none(), "{}", lines[0]);

    assert_eq!(lines[1]["level"], "WARN");
    assert_eq!(lines[1]["rpc"], "MonitorService/GetSummary");
    assert_eq!(lines[1]["namespace"], "acme");
    assert_eq!(lines[1]["task"], "t-17");
    assert_eq!(lines[1]["code"], "DEADLINE_EXCEEDED");
    assert!(lines[1]["duration_us"].as_u64().unwrap() >= 20_000);
    assert!(lines[1]["error"].as_str().unwrap().starts_with("the deadline passed"), "{}", lines[1]);

    assert_eq!(lines[2]["level"], "INFO");
    assert_eq!(lines[2]["code"], "INVALID_ARGUMENT");
    assert_eq!(lines[2]["error"], "the request cannot be decoded");
}

#[tokio::test]
async fn only_what_is_wanted_is_logged() {
    for (which, expected) in [(LogRequests::Refused, 2), (LogRequests::None, 0)] {
        let config = json(which);
        let capture = Capture::start(&config);
        three_calls(&config).await;
        assert_eq!(capture.requests().len(), expected, "{which:?}");
    }
}

#[tokio::test]
async fn a_caller_cannot_forge_lines_of_text() {
    let config = Config::default();
    let capture = Capture::start(&config);
    let mut server = TestServer::start().await;
    let namespace = "a\n2026-01-01T00:00:00Z ERROR forged\u{1b}[31m".to_owned();
    let summary = v1::GetSummaryRequest { namespace, ..Default::default() };
    let answer = server.caller().await.send(GET_SUMMARY, None, &summary.encode_to_vec()).await;
    assert_eq!(in_time(server.events.recv()).await, Some("begun"));
    drop(answer);
    server.counts(r#"baton_requests_total{rpc="MonitorService/GetSummary",code="CANCELLED"} 1"#).await;
    server.shutdown.begin();
    server.ended().await;
    let text = capture.text();
    let line = text.lines().find(|line| line.contains("GetSummary")).unwrap();
    assert!(line.contains(r"a\n2026") && line.contains("code=CANCELLED"), "{line}");
    assert!(!text.contains('\u{1b}') && !text.lines().any(|line| line.starts_with("2026-01-01")), "{text}");
}
