//! Holds a thread that mostly sleeps to the processor of the thread that wakes it and then waits for it.
//!
//! Woken elsewhere, it may have to wait for whoever runs there, while the processor of the one that waits for it has nothing to do: the kernel
//! seldom moves a thread that is ready to where there is room (docs/adr/0024). Knows nothing of what the threads do.

#[cfg(target_os = "linux")]
pub(super) use linux::Affinity;
#[cfg(not(target_os = "linux"))]
pub(super) use other::Affinity;

#[cfg(target_os = "linux")]
mod linux {
    use rustix::{
        io::{Errno, Result},
        process::Pid,
        thread::{CpuSet, gettid, sched_getaffinity, sched_getcpu, sched_setaffinity},
    };

    /// Where one thread may run.
    #[derive(Debug)]
    pub(in super::super) struct Affinity {
        thread: Pid,
        held: Option<Held>,
    }

    /// The one processor where it may run just now.
    #[derive(Debug)]
    struct Held {
        processor: usize,
        /// Where it may run otherwise.
        before: CpuSet,
    }

    impl Affinity {
        /// Of the calling thread.
        pub(in super::super) fn of_this_thread() -> Self {
            Self { thread: gettid(), held: None }
        }

        /// Holds it to the processor that the calling thread runs on.
        ///
        /// # Errors
        /// The system does not allow it. It stays where it may run now.
        pub(in super::super) fn follow_caller(&mut self) -> Result<()> {
            let processor = sched_getcpu();
            if self.held.as_ref().is_some_and(|held| held.processor == processor) {
                return Ok(());
            }
            if processor >= CpuSet::MAX_CPU {
                return Err(Errno::INVAL);
            }
            let before = match &self.held {
                Some(held) => held.before,
                None => sched_getaffinity(Some(self.thread))?,
            };
            let mut only = CpuSet::new();
            only.set(processor);
            sched_setaffinity(Some(self.thread), &only)?;
            self.held = Some(Held { processor, before });
            Ok(())
        }

        /// Lets it run where it may otherwise.
        ///
        /// # Errors
        /// The system does not allow it. It stays held.
        pub(in super::super) fn let_go(&mut self) -> Result<()> {
            if let Some(Held { before, .. }) = &self.held {
                sched_setaffinity(Some(self.thread), before)?;
                self.held = None;
            }
            Ok(())
        }
    }

    #[cfg(test)]
    #[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
    mod tests {
        use std::{sync::mpsc, thread};

        use super::*;

        #[test]
        fn a_thread_follows_its_caller_until_it_is_let_go() {
            let (tell, told) = mpsc::channel();
            let (end, ended) = mpsc::channel::<()>();
            let sleeper = thread::spawn(move || {
                tell.send(Affinity::of_this_thread()).unwrap();
                let _ = ended.recv();
            });
            let mut affinity = told.recv().unwrap();
            let sleeps_at = |affinity: &Affinity| sched_getaffinity(Some(affinity.thread)).unwrap();
            let before = sleeps_at(&affinity);
            // The caller goes to each processor that it may run on, so that it knows where it is.
            let mine = sched_getaffinity(None).unwrap();
            for processor in (0..CpuSet::MAX_CPU).filter(|processor| mine.is_set(*processor)) {
                let mut only = CpuSet::new();
                only.set(processor);
                sched_setaffinity(None, &only).unwrap();
                affinity.follow_caller().unwrap();
                assert_eq!(sleeps_at(&affinity), only);
            }
            sched_setaffinity(None, &mine).unwrap();
            affinity.let_go().unwrap();
            assert_eq!(sleeps_at(&affinity), before);
            drop(end);
            sleeper.join().unwrap();
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod other {
    use std::convert::Infallible;

    /// Where one thread may run: anywhere, always.
    #[derive(Debug)]
    pub(in super::super) struct Affinity;

    impl Affinity {
        /// Of the calling thread.
        pub(in super::super) fn of_this_thread() -> Self {
            Self
        }

        /// Does nothing here.
        pub(in super::super) fn follow_caller(&mut self) -> Result<(), Infallible> {
            Ok(())
        }

        /// Does nothing here.
        pub(in super::super) fn let_go(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }
}
