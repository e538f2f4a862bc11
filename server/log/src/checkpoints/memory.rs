//! Checkpoints in memory, for tests.
//!
//! Clones share them, so that they survive the server that saved them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::{Checkpoint, CheckpointError, Checkpoints};
use crate::Hash;

type ByRevision = BTreeMap<u64, Checkpoint>;

/// [`Checkpoints`] that last as long as a clone of them.
#[derive(Clone, Debug, Default)]
pub struct MemoryCheckpoints {
    kept: Arc<Mutex<BTreeMap<Arc<str>, ByRevision>>>,
}

impl Checkpoints for MemoryCheckpoints {
    fn save(
        &mut self,
        namespace: &str,
        revision: u64,
        hash: Hash,
        format: u16,
        body: &[u8],
    ) -> Result<(), CheckpointError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let namespace: Arc<str> = namespace.into();
        let of_namespace = kept.entry(namespace.clone()).or_default();
        let body = Bytes::copy_from_slice(body);
        of_namespace.insert(revision, Checkpoint { namespace, revision, hash, format, body });
        Ok(())
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_namespace) = all.get_mut(namespace) {
            of_namespace.retain(|at, _| kept.contains(at));
        }
    }

    fn load(&self, namespace: &str) -> Result<Vec<Checkpoint>, CheckpointError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.get(namespace).into_iter().flat_map(|all| all.values().rev().cloned()).collect())
    }
}
