//! Truncates the log as it is asked to: one bounded step between two batches, so that commands hardly wait.
//!
//! Knows nothing of what may be removed: that is decided by whoever asks.

use std::{collections::BTreeMap, sync::Arc};

use baton_core::Revision;
use baton_log::{AppendError, Log};
use tracing::{debug, warn};

use super::Namespaces;
use crate::metrics::Metrics;

/// A truncation that is wanted.
#[derive(Debug)]
pub(super) struct Truncation {
    /// Whose log.
    pub(super) namespace: Arc<str>,
    /// The records that end before this revision are to go.
    pub(super) before: u64,
}

/// Works off truncations.
pub(super) struct Truncator {
    /// What is still to be done, by namespace.
    before: BTreeMap<Arc<str>, u64>,
    namespaces: Arc<Namespaces>,
    metrics: Arc<Metrics>,
}

impl Truncator {
    pub(super) fn new(namespaces: Arc<Namespaces>, metrics: Arc<Metrics>) -> Self {
        Self { before: BTreeMap::new(), namespaces, metrics }
    }

    /// Takes a truncation on.
    pub(super) fn add(&mut self, Truncation { namespace, before }: Truncation) {
        let wanted = self.before.entry(namespace).or_insert(0);
        *wanted = before.max(*wanted);
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.before.is_empty()
    }

    /// Does one step, if there is something to do. A step that fails is tried again when the truncation is next asked for.
    ///
    /// # Errors
    /// What the log says if it cannot be trusted any more.
    pub(super) fn step(&mut self, log: &mut dyn Log) -> Result<(), String> {
        let Some(next) = self.before.first_entry() else { return Ok(()) };
        let (namespace, before) = (Arc::clone(next.key()), *next.get());
        let truncated = match log.truncate_before(&namespace, before) {
            Ok(truncated) => truncated,
            Err(AppendError::Broken(why)) => return Err(why),
            Err(error) => {
                warn!(%namespace, before, %error, "the log was not truncated; it is tried again later");
                next.remove();
                return Ok(());
            }
        };
        show_oldest(&self.metrics, &namespace, truncated.oldest_revision);
        if let Some(namespace) = self.namespaces.get(&namespace) {
            namespace.forget_before(Revision(truncated.oldest_revision));
        }
        if truncated.is_done {
            debug!(%namespace, oldest_revision = truncated.oldest_revision, "log truncated");
            self.before.remove(&namespace);
        }
        Ok(())
    }
}

/// Tells what is the oldest revision that the log of a namespace has.
pub(super) fn show_oldest(metrics: &Metrics, namespace: &str, oldest_revision: u64) {
    let gauge = metrics.log_oldest_revision(namespace);
    gauge.set(i64::try_from(oldest_revision).unwrap_or(i64::MAX));
}
