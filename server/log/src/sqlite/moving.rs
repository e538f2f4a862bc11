//! Moves records from what waits into the database, in chunks of whole appends.
//!
//! Whoever wants it done does it: the mover's thread, or one that cannot wait for that. Knows nothing of threads or of the journal's files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pending::Pending;
use super::store::Store;
use crate::AppendError;

/// The database, and what it does not have yet.
#[derive(Debug)]
pub(super) struct Moving {
    store: Mutex<Store>,
    pending: Arc<Pending>,
}

impl Moving {
    pub(super) fn new(store: Store, pending: Arc<Pending>) -> Moving {
        Moving { store: Mutex::new(store), pending }
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// For a reader, which may outlive the log.
    pub(super) fn pending_shared(&self) -> Arc<Pending> {
        self.pending.clone()
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what the full file of the journal holds.
    pub(super) fn move_filled(&self) -> Result<(), AppendError> {
        self.move_until(self.pending.filled_until())
    }

    /// Moves everything that was appended so far. What comes meanwhile is left: in small pieces it would never end.
    pub(super) fn move_all(&self) -> Result<(), AppendError> {
        self.move_until(self.pending.newest().map_or(0, |newest| newest.sequence))
    }

    /// Moves the records up to this sequence, durably, as far as there are any.
    fn move_until(&self, sequence: u64) -> Result<(), AppendError> {
        loop {
            // A truncation may come between two chunks.
            let mut store = self.store();
            let newest = store.sequence();
            let chunk = if newest < sequence { self.pending.chunk_after(newest) } else { Vec::new() };
            if chunk.is_empty() {
                self.pending.forget_until(newest);
                return Ok(());
            }
            store.insert(&chunk)?;
        }
    }
}
