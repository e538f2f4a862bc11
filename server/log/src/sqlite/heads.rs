//! The heads as of the newest append: the only writer need not ask the database.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Head, Record};

/// Where each namespace's chain ends.
#[derive(Debug, Default)]
pub(super) struct Heads {
    by_name: HashMap<Arc<str>, Head>,
}

impl Heads {
    /// Those of a log as it was read.
    pub(super) fn new(heads: Vec<Head>) -> Heads {
        Heads { by_name: heads.into_iter().map(|head| (head.namespace.clone(), head)).collect() }
    }

    /// All of them, ordered by name.
    pub(super) fn all(&self) -> Vec<Head> {
        let mut heads: Vec<_> = self.by_name.values().cloned().collect();
        heads.sort_unstable_by(|one, other| one.namespace.cmp(&other.namespace));
        heads
    }

    pub(super) fn of(&self, namespace: &str) -> Head {
        self.by_name.get(namespace).cloned().unwrap_or_else(|| Head::empty(namespace))
    }

    pub(super) fn set_oldest(&mut self, namespace: &str, oldest_revision: u64) {
        if let Some(head) = self.by_name.get_mut(namespace) {
            head.oldest_revision = oldest_revision;
        }
    }

    /// The chain ends with `record` now.
    pub(super) fn advance(&mut self, record: &Record) {
        let (revision, hash) = (record.last_revision(), record.checksum);
        if let Some(head) = self.by_name.get_mut(&record.namespace) {
            head.revision = revision;
            head.hash = hash;
            return;
        }
        let head = Head { namespace: record.namespace.clone(), revision, oldest_revision: 1, hash };
        self.by_name.insert(record.namespace.clone(), head);
    }
}
