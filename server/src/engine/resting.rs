//! Lets the tasks rest that were not changed lately, in whichever namespace they are.
//!
//! The tasks of the newest changes are kept unpacked, so many of all namespaces together: memory is bounded however many namespaces there
//! are, and one that goes quiet makes room for those that are written.

use std::{collections::VecDeque, sync::Arc};

use baton_core::{Revision, limits::UNPACKED_CHANGES_MAX};

use super::Namespace;

/// The commits whose tasks do not rest yet.
#[derive(Debug, Default)]
pub(super) struct Resting {
    /// Oldest first.
    commits: VecDeque<Changed>,
    /// What they changed, together.
    changes: usize,
}

/// What a commit changed in a namespace.
#[derive(Debug)]
struct Changed {
    namespace: Arc<Namespace>,
    until: Revision,
    changes: usize,
}

impl Resting {
    /// Notes a commit of so many changes, the newest of which has the revision `until`; then lets rest what the oldest commits changed.
    pub(super) fn after(&mut self, namespace: Arc<Namespace>, until: Revision, changes: usize) {
        self.commits.push_back(Changed { namespace, until, changes });
        self.changes += changes;
        while self.changes > UNPACKED_CHANGES_MAX {
            let Some(oldest) = self.commits.pop_front() else { return };
            self.changes -= oldest.changes;
            oldest.namespace.rest_until(oldest.until);
        }
    }
}
