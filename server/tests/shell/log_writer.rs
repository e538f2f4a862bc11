//! The buffered writer of log lines, with a sink that stands still.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
};

use baton_server::log_writer::{BUFFER_BYTES_MAX, LogWriter};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;

/// Keeps what is written; each write waits for a permit until there are no more to come.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) written: Arc<Mutex<Vec<u8>>>,
    permits: Option<Arc<Mutex<Receiver<()>>>>,
}

impl Sink {
    pub(crate) fn open() -> Self {
        Self { written: Arc::default(), permits: None }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(permits) = &self.permits {
            let _ = permits.lock().recv();
        }
        self.written.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_arrive_in_order_and_the_last_before_the_guard_is_gone() {
    let sink = Sink::open();
    let dropped = Counter::default();
    let (writer, guard) = LogWriter::spawn(sink.clone(), dropped.clone()).unwrap();
    let mut expected = String::new();
    for number in 0..10_000 {
        let line = format!("line {number}\n");
        writer.clone().write_all(line.as_bytes()).unwrap();
        expected.push_str(&line);
    }
    drop(guard);
    assert_eq!(String::from_utf8(sink.written.lock().clone()).unwrap(), expected);
    assert_eq!(dropped.get(), 0);
}

#[test]
fn a_sink_that_stands_still_makes_nobody_wait_and_loses_only_whole_lines() {
    let (let_write, permits) = channel();
    let written = Arc::<Mutex<Vec<u8>>>::default();
    let sink = Sink { written: Arc::clone(&written), permits: Some(Arc::new(Mutex::new(permits))) };
    let dropped = Counter::default();
    let (mut writer, guard) = LogWriter::spawn(sink, dropped.clone()).unwrap();
    let line = format!("{}\n", "x".repeat(1_023));
    // One buffer may be with the thread and one waiting; what is beyond both is dropped.
    let lines = 3 * BUFFER_BYTES_MAX / line.len();
    for _ in 0..lines {
        writer.write_all(line.as_bytes()).unwrap();
    }
    let lost = usize::try_from(dropped.get()).unwrap();
    assert!(lost >= lines / 4, "{lost} of {lines}");

    drop(let_write);
    drop(guard);
    let written = String::from_utf8(written.lock().clone()).unwrap();
    assert_eq!(written.lines().count() + lost, lines);
    assert!(written.lines().all(|present| present.len() == 1_023));
}
