//! Watches the resident memory of a process while something else goes on.

use std::time::{Duration, Instant};

use tokio::{sync::oneshot, task::JoinHandle, time::interval};

use crate::{failure::Failure, machine::resident_bytes};

/// Samples that are being taken.
pub(crate) struct Sampler {
    stop: oneshot::Sender<()>,
    samples: JoinHandle<Vec<Sample>>,
}

/// The memory of a process at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Seconds since the first one.
    pub at: f64,
    /// Resident bytes.
    pub resident: u64,
}

impl Sampler {
    /// Begins to take samples of a process.
    pub(crate) fn start(process: u32, every: Duration) -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let samples = tokio::spawn(async move {
            let (begun, mut ticks, mut samples) = (Instant::now(), interval(every), Vec::new());
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    _ = &mut stopped => return samples,
                }
                // A process that has ended fails where it is used.
                if let Ok(resident) = resident_bytes(process) {
                    samples.push(Sample { at: begun.elapsed().as_secs_f64(), resident });
                }
            }
        });
        Self { stop, samples }
    }

    /// Ends it and returns the samples; there is at least one of a process that lived.
    ///
    /// # Errors
    /// The task that takes them stopped.
    pub(crate) async fn stop(self) -> Result<Vec<Sample>, Failure> {
        drop(self.stop);
        Ok(self.samples.await?)
    }
}

/// The most of some samples, in bytes.
pub(crate) fn peak(samples: &[Sample]) -> u64 {
    samples.iter().map(|sample| sample.resident).max().unwrap_or_default()
}
