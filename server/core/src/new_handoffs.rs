//! The hand-offs that a draft changes, each as it is after the last change, in the order of their ids.
//!
//! Nearly all are new, and new ones come in that order: each then goes behind the others. Knows nothing of what a change means.

use std::sync::Arc;

use crate::{Handoff, HandoffId};

/// Hand-offs by id.
#[derive(Debug, Default)]
pub(crate) struct NewHandoffs(Vec<Arc<Handoff>>);

impl NewHandoffs {
    /// None, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    pub(crate) fn get(&self, id: HandoffId) -> Option<&Arc<Handoff>> {
        self.place(id).ok().map(|at| &self.0[at])
    }

    /// Puts one in the place of the one with its id, or adds it.
    pub(crate) fn put(&mut self, handoff: Arc<Handoff>) {
        match self.place(handoff.id) {
            Ok(at) => self.0[at] = handoff,
            Err(at) => self.0.insert(at, handoff),
        }
    }

    fn place(&self, id: HandoffId) -> Result<usize, usize> {
        match self.0.last() {
            Some(last) if last.id >= id => self.0.binary_search_by_key(&id, |handoff| handoff.id),
            _ => Err(self.0.len()),
        }
    }
}

impl IntoIterator for NewHandoffs {
    type Item = Arc<Handoff>;
    type IntoIter = std::vec::IntoIter<Arc<Handoff>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
