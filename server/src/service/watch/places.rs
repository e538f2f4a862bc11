//! How many watches there are, on the server and on each connection, and may be.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use prometheus_client::metrics::gauge::Gauge;

use crate::{
    config::Config,
    connection::{Connection, ConnectionWatch},
    metrics::Metrics,
    service::refusal::too_many,
    status::Refusal,
};

/// The places that there are.
#[derive(Debug)]
pub(in crate::service) struct Watchers {
    count: AtomicUsize,
    count_max: usize,
    per_connection_max: u32,
    gauge: Gauge,
}

/// One watch's place; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Place {
    watchers: Arc<Watchers>,
    // Held for its drop: it gives the connection's place back.
    connection: Option<ConnectionWatch>,
}

impl Watchers {
    pub(in crate::service) fn new(config: &Config, metrics: &Metrics) -> Arc<Self> {
        Arc::new(Self {
            count: AtomicUsize::new(0),
            count_max: config.watchers_max as usize,
            per_connection_max: config.watchers_per_connection_max,
            gauge: metrics.watchers.clone(),
        })
    }

    /// Takes a place for a watch on `connection`.
    pub(super) fn enter(self: &Arc<Self>, connection: Option<&Arc<Connection>>) -> Result<Place, Refusal> {
        let count_max = self.count_max;
        let taken = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
            (count < count_max).then_some(count + 1)
        });
        if taken.is_err() {
            return Err(full("watchers_max", count_max, "on this server"));
        }
        self.gauge.inc();
        let mut place = Place { watchers: Arc::clone(self), connection: None };
        if let Some(connection) = connection {
            let watch = connection.take_watch(self.per_connection_max).ok_or_else(|| {
                let limit = self.per_connection_max as usize;
                full("watchers_per_connection_max", limit, "on this connection; use another")
            })?;
            place.connection = Some(watch);
        }
        Ok(place)
    }
}

fn full(name: &'static str, limit: usize, place: &str) -> Refusal {
    too_many(name, limit, format!("there are {limit} watches {place}, which is the limit ({name})"))
}

impl Drop for Place {
    fn drop(&mut self) {
        self.watchers.count.fetch_sub(1, Ordering::Relaxed);
        self.watchers.gauge.dec();
    }
}
