//! A TCP proxy before a server, which can be cut, closed, or pointed to another server.
//!
//! Knows nothing of what passes through it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, copy},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinHandle},
};

/// A running proxy; it and its connections are gone when it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepted: watch::Receiver<usize>,
    accepting: JoinHandle<()>,
}

struct Shared {
    server: Mutex<String>,
    /// After so many bytes from the server the first connection is cut.
    first_bytes: u64,
    connections: Mutex<Vec<AbortHandle>>,
}

impl Proxy {
    /// Before the server at this address.
    pub(crate) async fn before(server: &str) -> Self {
        Self::cutting(server, u64::MAX).await
    }

    /// Before the server at this address; the first connection is cut after so many bytes from the server.
    pub(crate) async fn cutting(server: &str, first_bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let (server, connections) = (Mutex::new(server.to_owned()), Mutex::default());
        let shared = Arc::new(Shared { server, first_bytes, connections });
        let (tell, accepted) = watch::channel(0);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared), tell));
        Self { address, shared, accepted, accepting }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// How many connections there have been.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.borrow()
    }

    /// Waits until there have been so many connections.
    pub(crate) async fn has_accepted(&mut self, count: usize) {
        self.accepted.wait_for(|accepted| *accepted >= count).await.expect("the proxy runs");
    }

    /// Sends later connections to another server.
    pub(crate) fn point_to(&self, server: &str) {
        server.clone_into(&mut self.shared.server.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        let connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.iter().for_each(AbortHandle::abort);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, tell: watch::Sender<usize>) {
    loop {
        let (near, _) = listener.accept().await.expect("a listener accepts");
        let bytes = if *tell.borrow() == 0 { shared.first_bytes } else { u64::MAX };
        let server = shared.server.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let forwarding = tokio::spawn(forward(near, server, bytes)).abort_handle();
        shared.connections.lock().unwrap_or_else(PoisonError::into_inner).push(forwarding);
        tell.send_modify(|accepted| *accepted += 1);
    }
}

/// Forwards in both directions until one side ends or the bytes are used up; then both are closed, wherever they are.
async fn forward(mut near: TcpStream, server: String, bytes: u64) {
    // A server that is gone closes the connection, as it would without a proxy.
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    let (mut from_near, mut to_near) = near.split();
    let (from_far, mut to_far) = far.split();
    let mut from_far = from_far.take(bytes);
    // An error is an end.
    tokio::select! {
        _ = copy(&mut from_near, &mut to_far) => (),
        _ = copy(&mut from_far, &mut to_near) => (),
    }
}
