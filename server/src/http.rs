//! Serves metrics and probes over HTTP/1.1.
//!
//! One request a connection, each within a few seconds: scrapers and probes need no more, and nothing can be left hanging. Knows nothing
//! of gRPC.

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::{
    listener,
    metrics::{self, Metrics},
    readiness::Readiness,
};

/// Connections at once; more are closed as they come.
pub const HTTP_CONNECTIONS_MAX: usize = 64;

/// Largest headers of one request, in bytes.
pub const HTTP_HEADERS_BYTES_MAX: usize = 16 * 1024;

/// Longest life of one connection.
pub const HTTP_CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

const TEXT: &str = "text/plain; charset=utf-8";

const HINT: &str = "there are /metrics, /healthz and /readyz here; gRPC is on another port\n";

/// What the pages show.
#[derive(Clone, Debug)]
pub struct HttpPages {
    /// Shown at `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Shown at `/readyz`.
    pub readiness: Readiness,
}

impl HttpPages {
    /// Serves on `listener` until `until` comes true. Stay longer than gRPC does: probes must see that the server is stopping.
    pub async fn serve(self, listener: TcpListener, until: impl Future<Output = ()>) {
        let mut until = pin!(until);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = &mut until => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                (stream, peer) = listener::accept(&listener) => {
                    if connections.len() < HTTP_CONNECTIONS_MAX {
                        connections.spawn(self.clone().serve_connection(stream, peer));
                    }
                }
            }
        }
        connections.shutdown().await;
    }

    async fn serve_connection(self, stream: TcpStream, peer: SocketAddr) {
        let service = service_fn(move |request: Request<Incoming>| {
            let response = self.answer(&request);
            async { Ok::<_, Infallible>(response) }
        });
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HTTP_CONNECTION_TIMEOUT)
            .max_buf_size(HTTP_HEADERS_BYTES_MAX)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        match tokio::time::timeout(HTTP_CONNECTION_TIMEOUT, serving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%peer, %error, "an HTTP connection broke"),
            Err(_) => tracing::debug!(%peer, "an HTTP connection took too long"),
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, HINT);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/metrics" => page(StatusCode::OK, metrics::CONTENT_TYPE, self.metrics.encode()),
            "/healthz" => text(StatusCode::OK, "alive\n"),
            "/readyz" => match self.readiness.check() {
                Ok(()) => text(StatusCode::OK, "ready\n"),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
            },
            _ => text(StatusCode::NOT_FOUND, HINT),
        }
    }
}

fn text(status: StatusCode, content: impl Into<Bytes>) -> Response<Full<Bytes>> {
    page(status, TEXT, content)
}

fn page(status: StatusCode, content_type: &'static str, content: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
