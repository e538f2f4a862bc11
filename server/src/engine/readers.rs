//! A few readers of the log for those who watch from far behind, lent in the order in which they are asked for.
//!
//! Knows nothing of what is read.

use std::sync::Arc;

use baton_log::LogReader;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// How many watchers read the log at the same time; the others wait for their turn.
pub(super) const READERS: usize = 4;

/// The readers.
pub(super) struct Readers {
    free: Mutex<Vec<Box<dyn LogReader>>>,
    places: Arc<Semaphore>,
}

/// A reader on loan; dropping it gives it back.
struct Lent {
    readers: Arc<Readers>,
    reader: Option<Box<dyn LogReader>>,
}

impl Readers {
    pub(super) fn new(readers: Vec<Box<dyn LogReader>>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(readers.len()));
        Arc::new(Self { free: Mutex::new(readers), places })
    }

    /// Has `read` done on a thread that may block. `None`: it was broken off, since the server ends or `read` panicked.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&dyn LogReader) -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let reader = self.free.lock().pop();
        let lent = Lent { readers: Arc::clone(self), reader };
        let task = tokio::task::spawn_blocking(move || {
            // Given back in this order: whoever gets the place finds the reader.
            let _place = place;
            let lent = lent;
            lent.reader.as_deref().map(read)
        });
        task.await.ok().flatten()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.readers.free.lock().extend(self.reader.take());
    }
}
