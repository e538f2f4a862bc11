//! A few readers of the log, or of the archive, for those who may not block, lent in the order in which they are asked for.
//!
//! Knows nothing of what is read.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// How many read the same at the same time; the others wait for their turn.
pub(super) const READERS: usize = 4;

/// How many read for long at the same time.
pub(super) const READERS_AT_LENGTH: usize = 2;

/// The readers.
pub(super) struct Readers<R: ?Sized> {
    free: Mutex<Vec<Box<R>>>,
    places: Arc<Semaphore>,
}

/// A reader on loan; dropping it gives it back.
struct Lent<R: ?Sized> {
    readers: Arc<Readers<R>>,
    reader: Option<Box<R>>,
}

impl<R: Send + ?Sized + 'static> Readers<R> {
    pub(super) fn new(readers: Vec<Box<R>>) -> Arc<Self> {
        let places = Arc::new(Semaphore::new(readers.len()));
        Arc::new(Self { free: Mutex::new(readers), places })
    }

    /// Has `read` done on a thread that may block. `None`: it was broken off, since the server ends or `read` panicked.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&R) -> T + Send + 'static,
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

impl<R: ?Sized> Drop for Lent<R> {
    fn drop(&mut self) {
        self.readers.free.lock().extend(self.reader.take());
    }
}
