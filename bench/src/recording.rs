//! Messages of a stream as one watcher got them, kept in a file and played again to many.
//!
//! Knows nothing of what the messages say.

use std::{
    fs,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes};
use tokio::sync::watch;
use tokio_stream::{Stream, wrappers::WatchStream};
use tonic::Status;

use crate::failure::{Failure, While as _};

/// Messages, and how often they were played.
pub(crate) struct Recording {
    messages: Arc<[Bytes]>,
    plays: watch::Sender<u64>,
}

/// What one watcher gets: an empty message at once, then all messages each time that they are played.
pub(crate) struct Playing {
    messages: Arc<[Bytes]>,
    plays: WatchStream<u64>,
    greeted: bool,
    // The next message; behind the last one while nothing is played.
    next: usize,
}

impl Recording {
    /// Reads what [`write()`] wrote; nothing if there is no such file.
    ///
    /// # Errors
    /// It cannot be read, or is cut off.
    pub(crate) fn read(file: &Path) -> Result<Self, Failure> {
        Ok(Self { messages: parse(read(file)?, file)?.into(), plays: watch::Sender::new(0) })
    }

    /// A new watcher.
    pub(crate) fn watch(&self) -> Playing {
        Playing {
            messages: Arc::clone(&self.messages),
            plays: WatchStream::from_changes(self.plays.subscribe()),
            greeted: false,
            next: self.messages.len(),
        }
    }

    /// Sends all messages to all watchers, as fast as each takes them.
    pub(crate) fn play(&self) {
        self.plays.send_modify(|plays| *plays += 1);
    }
}

impl Stream for Playing {
    type Item = Result<Bytes, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.greeted {
            self.greeted = true;
            return Poll::Ready(Some(Ok(Bytes::new())));
        }
        loop {
            if let Some(message) = self.messages.get(self.next).cloned() {
                self.next += 1;
                return Poll::Ready(Some(Ok(message)));
            }
            match Pin::new(&mut self.plays).poll_next(context) {
                Poll::Ready(Some(_)) if !self.messages.is_empty() => self.next = 0,
                Poll::Ready(Some(_)) => {}
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// The bytes of a file; none if there is no such file.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read(file: &Path) -> Result<Bytes, Failure> {
    if !file.exists() {
        return Ok(Bytes::new());
    }
    Ok(fs::read(file).during(format_args!("reading {}", file.display()))?.into())
}

/// Writes messages into one file, each after its length.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(file: &Path, messages: &[Bytes]) -> Result<(), Failure> {
    let mut all = Vec::new();
    for message in messages {
        all.extend((message.len() as u64).to_le_bytes());
        all.extend_from_slice(message);
    }
    fs::write(file, all).during(format_args!("writing {}", file.display()))
}

fn parse(mut all: Bytes, file: &Path) -> Result<Vec<Bytes>, Failure> {
    let mut messages = Vec::new();
    while let Ok(length) = all.try_get_u64_le() {
        let length = usize::try_from(length).ok().filter(|&length| length <= all.len());
        let length = length.ok_or_else(|| Failure::new(format!("{} is cut off", file.display())))?;
        messages.push(all.split_to(length));
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tokio_stream::StreamExt as _;

    use super::{Recording, write};

    fn recorded(messages: &[Bytes]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("stream");
        write(&file, messages).expect("it can be written");
        (folder, file)
    }

    #[tokio::test]
    async fn each_play_sends_every_message_as_it_was_written() {
        let messages = [Bytes::from_static(b"one"), Bytes::from(vec![7; 70_000])];
        let (_folder, file) = recorded(&messages);
        let recording = Recording::read(&file).expect("it can be read");
        let mut watcher = recording.watch();
        assert_eq!(watcher.next().await.expect("a greeting").expect("no error"), Bytes::new());
        for _ in 0..2 {
            recording.play();
            for message in &messages {
                assert_eq!(watcher.next().await.expect("a message").expect("no error"), message);
            }
        }
    }

    #[test]
    fn a_recording_that_is_cut_off_is_refused() {
        let (_folder, file) = recorded(&[Bytes::from_static(b"message")]);
        let whole = std::fs::read(&file).expect("it can be read");
        std::fs::write(&file, &whole[..whole.len() - 1]).expect("it can be written");
        assert!(Recording::read(&file).is_err());
    }
}
