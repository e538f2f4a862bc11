//! What is known of one connection, and what it has a share of.
//!
//! Knows nothing of the bytes that it carries.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// One open connection; every call on it shares this.
#[derive(Debug)]
pub struct Connection {
    peer: SocketAddr,
    watches: AtomicU32,
}

impl Connection {
    /// The connection from `peer`, with no watches.
    pub fn new(peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self { peer, watches: AtomicU32::new(0) })
    }

    /// Where it comes from.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Takes one of the connection's `watches_max` watches, or none if all are taken. Dropping it gives it back.
    pub fn take_watch(self: &Arc<Self>, watches_max: u32) -> Option<ConnectionWatch> {
        self.watches
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < watches_max).then_some(open + 1)
            })
            .ok()
            .map(|_| ConnectionWatch { connection: Arc::clone(self) })
    }
}

/// One watch of a connection.
#[derive(Debug)]
pub struct ConnectionWatch {
    connection: Arc<Connection>,
}

impl Drop for ConnectionWatch {
    fn drop(&mut self) {
        self.connection.watches.fetch_sub(1, Ordering::Relaxed);
    }
}
