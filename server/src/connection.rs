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
    /// Unary calls that have not been answered.
    calls: AtomicU32,
    watches: AtomicU32,
}

impl Connection {
    /// The connection from `peer`, with no calls and no watches.
    pub fn new(peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self { peer, calls: AtomicU32::new(0), watches: AtomicU32::new(0) })
    }

    /// Where it comes from.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Counts a unary call as not answered, until [`Connection::call_ended`].
    pub(crate) fn call_begun(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// Undoes [`Connection::call_begun`].
    pub(crate) fn call_ended(&self) {
        self.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether more may soon be sent than has been: somebody waits for an answer, or several for the same events.
    pub(crate) fn is_shared(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > 0 || self.watches.load(Ordering::Relaxed) > 1
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
