//! Holds a log back in the middle of an append, so that a test can look at what waits.
//!
//! Knows nothing of logs: their plan calls it.

use std::sync::{Arc, Condvar, Mutex};

/// Holds appends back: the log waits in the middle of one until it is let go on, at the latest when the test, or the log, is done with the gate:
/// a test that fails meanwhile would not end otherwise.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    closed: bool,
    waiting: bool,
}

impl Gate {
    /// The next append will wait.
    pub(crate) fn close(&self) {
        self.0.0.lock().unwrap().closed = true;
    }

    /// Lets the append that waits go on, and those after it.
    pub(crate) fn open(&self) {
        self.0.0.lock().unwrap().closed = false;
        self.0.1.notify_all();
    }

    /// Called by the log before an append.
    pub(crate) fn pass(&self) {
        let mut state = self.0.0.lock().unwrap();
        state.waiting = state.closed;
        self.0.1.notify_all();
        while state.closed {
            state = self.0.1.wait(state).unwrap();
        }
        state.waiting = false;
    }

    /// Waits until an append waits.
    pub(crate) async fn held(&self) {
        let gate = Arc::clone(&self.0);
        let held = tokio::task::spawn_blocking(move || {
            let mut state = gate.0.lock().unwrap();
            while !state.waiting {
                state = gate.1.wait(state).unwrap();
            }
        });
        super::in_time(held).await.unwrap();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}
