//! Writes log lines to a slow place without making anyone wait for it.
//!
//! Lines gather in a buffer; one thread writes them, many at a time. When the buffer is full, lines are dropped and counted. Knows
//! nothing of what lines look like.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use prometheus_client::metrics::counter::Counter;

/// Lines that may wait to be written, in bytes.
pub const BUFFER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many bytes are worth a write at once.
const GATHERED_BYTES: usize = 64 * 1024;

/// How long the first line waits for others. A busy server writes 100 times a second, not once for each request.
const GATHER_TIME: Duration = Duration::from_millis(10);

/// Takes log lines. Its clones write to the same place; each `write` must be whole lines.
#[derive(Clone, Debug)]
pub struct LogWriter {
    shared: Arc<Shared>,
}

/// Keeps the thread that writes. Dropping it writes what is left.
#[derive(Debug)]
pub struct LogWriterGuard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    buffer: Mutex<Buffer>,
    /// Signalled when there is a first line, enough lines, or the end.
    wake: Condvar,
    dropped: Counter,
}

#[derive(Debug, Default)]
struct Buffer {
    lines: Vec<u8>,
    dropped_since_told: u64,
    closed: bool,
}

/// What the thread takes from the buffer.
enum Batch {
    Lines { dropped: u64 },
    End,
}

impl LogWriter {
    /// Starts a thread that writes to `sink`. Lines that are dropped are counted in `dropped`, and said in a line of their own.
    ///
    /// # Errors
    /// What the system says if there can be no more threads.
    pub fn spawn(sink: impl Write + Send + 'static, dropped: Counter) -> io::Result<(Self, LogWriterGuard)> {
        let shared =
            Arc::new(Shared { buffer: Mutex::new(Buffer::default()), wake: Condvar::new(), dropped });
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("log-writer".to_owned())
            .spawn(move || for_thread.write_all_to(sink))?;
        Ok((Self { shared: Arc::clone(&shared) }, LogWriterGuard { shared, thread: Some(thread) }))
    }
}

impl Write for LogWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.shared.add(lines);
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn add(&self, lines: &[u8]) {
        let mut buffer = self.buffer.lock();
        if buffer.closed || buffer.lines.len() + lines.len() > BUFFER_BYTES_MAX {
            buffer.dropped_since_told += 1;
            self.dropped.inc();
            return;
        }
        let before = buffer.lines.len();
        buffer.lines.extend_from_slice(lines);
        let after = buffer.lines.len();
        drop(buffer);
        if before == 0 || (before < GATHERED_BYTES && after >= GATHERED_BYTES) {
            self.wake.notify_one();
        }
    }

    fn write_all_to(&self, mut sink: impl Write) {
        let mut lines = Vec::new();
        loop {
            let batch = self.take(&mut lines);
            // Nobody is left to tell if this fails: the log is what would say so.
            let _ = sink.write_all(&lines);
            let _ = sink.flush();
            match batch {
                Batch::Lines { dropped: 0 } => {}
                Batch::Lines { dropped } => {
                    tracing::warn!(
                        dropped,
                        "log lines were dropped: standard error does not take them fast enough"
                    );
                }
                Batch::End => return,
            }
        }
    }

    /// Waits for lines and swaps them into `lines`, whose memory the buffer reuses.
    fn take(&self, lines: &mut Vec<u8>) -> Batch {
        lines.clear();
        let mut buffer = self.buffer.lock();
        while buffer.lines.is_empty() && !buffer.closed {
            self.wake.wait(&mut buffer);
        }
        if buffer.lines.len() < GATHERED_BYTES && !buffer.closed {
            self.wake.wait_for(&mut buffer, GATHER_TIME);
        }
        mem::swap(lines, &mut buffer.lines);
        let dropped = mem::take(&mut buffer.dropped_since_told);
        if buffer.closed { Batch::End } else { Batch::Lines { dropped } }
    }
}

impl Drop for LogWriterGuard {
    fn drop(&mut self) {
        self.shared.buffer.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It writes what is left. If it panicked there is nobody left to tell.
            let _ = thread.join();
        }
    }
}
