//! Where the engine works: in a thread of its own, or in the only one of the runtime that serves the connections.
//!
//! Where one thread serves all connections, to wake another for each commit, and to be woken by it, takes as long as the commit
//! (docs/adr/0023). Knows nothing of what the engine does.

use std::thread;

use futures_executor::block_on;
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task,
};

/// Where the engine works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a thread of its own.
    OwnThread,
    /// In the runtime's only thread. Others wait for it there, so it must neither take long nor wait for the disk.
    Runtime,
}

/// An engine that works.
#[derive(Debug)]
pub(super) enum Working {
    Thread(thread::JoinHandle<()>),
    Task(task::JoinHandle<()>),
}

impl Place {
    /// Where an engine works best whose callers are tasks of `runtime`.
    pub(super) fn beside(runtime: Option<&Handle>) -> Self {
        let has_one_thread = |runtime: &Handle| {
            // In a runtime of the current thread nothing happens while that thread does something else.
            runtime.runtime_flavor() == RuntimeFlavor::MultiThread && runtime.metrics().num_workers() == 1
        };
        if runtime.is_some_and(has_one_thread) { Self::Runtime } else { Self::OwnThread }
    }

    /// Lets `work` be done there.
    pub(super) fn start(
        self,
        runtime: Option<&Handle>,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Working {
        match (self, runtime) {
            (Self::Runtime, Some(runtime)) => Working::Task(runtime.spawn(work)),
            _ => {
                let thread = thread::Builder::new().name("baton-engine".into());
                let thread = thread.spawn(move || block_on(work));
                Working::Thread(thread.expect("a thread can be started when the server starts"))
            }
        }
    }

    /// Does what takes long, or waits for the disk. What else would be done in the same thread is done in another one meanwhile.
    pub(super) fn aside<T>(self, work: impl FnOnce() -> T) -> T {
        match self {
            Self::OwnThread => work(),
            Self::Runtime => task::block_in_place(work),
        }
    }
}

impl Working {
    /// Waits until it is done. A panic has been reported where it happened.
    pub(super) fn join(self) {
        match self {
            Self::Thread(thread) => _ = thread.join(),
            Self::Task(task) => _ = block_on(task),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn the_engine_has_a_thread_of_its_own_unless_the_runtime_has_only_one() {
        let with =
            |threads| Builder::new_multi_thread().worker_threads(threads).build().expect("it can be made");
        let current_thread = Builder::new_current_thread().build().expect("it can be made");
        let table = [
            (None, Place::OwnThread),
            (Some(current_thread), Place::OwnThread),
            (Some(with(1)), Place::Runtime),
            (Some(with(2)), Place::OwnThread),
        ];
        for (runtime, place) in table {
            let handle = runtime.as_ref().map(|runtime| runtime.handle());
            assert_eq!(Place::beside(handle), place, "{runtime:?}");
        }
    }
}
