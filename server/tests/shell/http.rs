//! Metrics and probes, asked for with bare HTTP.

use std::{net::SocketAddr, sync::Arc};

use baton_core::HandoffStatus;
use baton_server::{http::HttpPages, metrics::Metrics, readiness::Readiness};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::harness::in_time;

struct Pages {
    address: SocketAddr,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

async fn serve() -> Pages {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let metrics = Arc::new(Metrics::new());
    let readiness = Readiness::starting();
    let pages = HttpPages { metrics: Arc::clone(&metrics), readiness: readiness.clone() };
    let (stop, until) = oneshot::channel::<()>();
    let serving = tokio::spawn(pages.serve(listener, async {
        let _ = until.await;
    }));
    Pages { address, metrics, readiness, stop, serving }
}

impl Pages {
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        in_time(stream.read_to_string(&mut answer)).await.unwrap();
        answer
    }

    async fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")).await
    }
}

#[tokio::test]
async fn readiness_is_told_from_life() {
    let pages = serve().await;
    assert!(pages.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    let starting = pages.get("/readyz").await;
    assert!(
        starting.starts_with("HTTP/1.1 503 ") && starting.ends_with("not ready: starting\n"),
        "{starting}"
    );
    pages.readiness.serve();
    assert!(pages.get("/readyz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    pages.readiness.refuse("the log cannot be written");
    let refused = pages.get("/readyz").await;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("the log cannot be written"),
        "{refused}"
    );
    assert!(pages.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn metrics_are_open_metrics_with_what_was_counted() {
    let pages = serve().await;
    pages.metrics.handoffs(HandoffStatus::Completed).inc_by(3);
    pages.metrics.commits.inc();
    pages.metrics.commit_commands.observe(3.0);
    pages.metrics.append_duration.observe(0.0002);
    pages.metrics.head_revision("default").set(42);
    pages.metrics.queue_commands.set(5);
    let page = pages.get("/metrics").await;
    assert!(page.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    for line in [
        r#"baton_handoffs_total{status="completed"} 3"#,
        r#"baton_handoffs_total{status="rejected"} 0"#,
        "baton_commits_total 1",
        r#"baton_commit_commands_bucket{le="4.0"} 1"#,
        "baton_append_duration_seconds_count 1",
        r#"baton_head_revision{namespace="default"} 42"#,
        "baton_queue_commands 5",
        "baton_connections 0",
        "baton_watchers 0",
        "baton_commands_committed_total 0",
        "# EOF",
    ] {
        assert!(page.lines().any(|present| present == line), "{line} is not in {page}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_told_what_there_is() {
    let pages = serve().await;
    let lost = pages.get("/").await;
    assert!(lost.starts_with("HTTP/1.1 404 ") && lost.contains("/metrics, /healthz and /readyz"), "{lost}");
    let posted = pages.ask("POST /metrics HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n").await;
    assert!(posted.starts_with("HTTP/1.1 405 ") && posted.contains("allow: GET, HEAD\r\n"), "{posted}");
}

#[tokio::test]
async fn malformed_and_huge_requests_are_refused_and_the_pages_stay_up() {
    let pages = serve().await;
    let huge = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    for (request, status) in [("nonsense\r\n\r\n", "HTTP/1.1 400 "), (huge.as_str(), "HTTP/1.1 431 ")] {
        let answer = pages.ask(request).await;
        assert!(answer.starts_with(status), "{answer}");
    }
    assert!(pages.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn the_pages_end_when_told_although_a_connection_is_open() {
    let pages = serve().await;
    let mut silent = TcpStream::connect(pages.address).await.unwrap();
    assert!(pages.get("/healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    pages.stop.send(()).unwrap();
    in_time(pages.serving).await.unwrap();
    assert_eq!(in_time(silent.read(&mut [0; 1])).await.unwrap(), 0);
}
