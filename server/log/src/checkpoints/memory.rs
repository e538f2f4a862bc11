//! Checkpoints in memory, for tests.
//!
//! Clones share them, so that they survive the server that saved them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{CheckpointError, CheckpointHead, CheckpointParts, CheckpointUnreadable, Checkpoints, TakePart};

type Kept = (CheckpointHead, Arc<[Vec<u8>]>);
type ByRevision = BTreeMap<u64, Kept>;

/// [`Checkpoints`] that last as long as a clone of them.
#[derive(Clone, Debug, Default)]
pub struct MemoryCheckpoints {
    kept: Arc<Mutex<BTreeMap<Arc<str>, ByRevision>>>,
}

impl Checkpoints for MemoryCheckpoints {
    fn save(
        &mut self,
        head: &CheckpointHead,
        write: &mut dyn FnMut(&mut TakePart<'_>) -> Result<(), CheckpointError>,
    ) -> Result<(), CheckpointError> {
        let mut parts = Vec::new();
        write(&mut |part| {
            parts.push(part.to_vec());
            Ok(())
        })?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_namespace = kept.entry(Arc::clone(&head.namespace)).or_default();
        of_namespace.insert(head.revision, (head.clone(), parts.into()));
        Ok(())
    }

    fn remove_others(&mut self, namespace: &str, kept: &[u64]) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_namespace) = all.get_mut(namespace) {
            of_namespace.retain(|at, _| kept.contains(at));
        }
    }

    fn heads(&self, namespace: &str) -> Result<Vec<CheckpointHead>, CheckpointError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_namespace = kept.get(namespace).into_iter().flat_map(|all| all.values().rev());
        Ok(of_namespace.map(|(head, _)| head.clone()).collect())
    }

    fn open(&self, head: &CheckpointHead) -> Result<Box<dyn CheckpointParts + '_>, CheckpointUnreadable> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(&head.namespace).and_then(|all| all.get(&head.revision));
        match found {
            Some((present, parts)) if present == head => {
                Ok(Box::new(Parts { parts: Arc::clone(parts), next: 0 }))
            }
            _ => Err(CheckpointUnreadable("it is not there any more".to_owned())),
        }
    }
}

struct Parts {
    parts: Arc<[Vec<u8>]>,
    next: usize,
}

impl CheckpointParts for Parts {
    fn next_part(&mut self) -> Result<Option<&[u8]>, CheckpointUnreadable> {
        let part = self.parts.get(self.next);
        self.next += 1;
        Ok(part.map(Vec::as_slice))
    }
}
