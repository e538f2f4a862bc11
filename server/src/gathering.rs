//! Gathers what is written to a connection in small pieces, so that answers that are ready together leave together.
//!
//! A write to a socket costs more than all else that an answer needs on its way out, and the HTTP/2 library writes whenever a frame is too large
//! for a buffer of its own. Here pieces are kept until they are flushed, which is when nothing more is ready. Knows nothing of frames.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A write of so many bytes is worth the call: it is made at once, with what was gathered before it.
const LARGE_BYTES: usize = 4 * 1024;

/// Room for what is gathered, in bytes. A write that finds none is made at once too.
const GATHERED_BYTES_MAX: usize = 16 * 1024;

/// A connection's stream whose small writes are gathered until they are flushed.
#[derive(Debug)]
pub(crate) struct Gathering<S> {
    stream: S,
    gathered: Vec<u8>,
    /// How much of `gathered` the stream has taken.
    taken: usize,
}

impl<S> Gathering<S> {
    /// Gathers what is written to `stream`.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, gathered: Vec::new(), taken: 0 }
    }

    /// Notes that the stream has taken `bytes`: first of what was gathered, then of what came with it. Gives how many these are.
    fn took(&mut self, bytes: usize) -> usize {
        let of_gathered = bytes.min(self.gathered.len() - self.taken);
        self.taken += of_gathered;
        if self.taken == self.gathered.len() {
            self.gathered.clear();
            self.taken = 0;
        }
        bytes - of_gathered
    }
}

impl<S: AsyncWrite + Unpin> Gathering<S> {
    /// Writes all that is gathered, and of `more` what the stream takes after it; gives how much that was.
    fn poll_write_with(&mut self, context: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let both = [IoSlice::new(&self.gathered[self.taken..]), IoSlice::new(more)];
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(context, &both))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_more = self.took(written);
            if self.gathered.is_empty() && (of_more > 0 || more.is_empty()) {
                return Poll::Ready(Ok(of_more));
            }
        }
    }

    fn poll_write_gathered(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gathered.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.poll_write_with(context, &[]).map_ok(|_| ())
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gathering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.len() >= LARGE_BYTES || self.gathered.len() + bytes.len() > GATHERED_BYTES_MAX {
            return self.poll_write_with(context, bytes);
        }
        self.gathered.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_gathered(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_gathered(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gathering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    /// What can be read now.
    fn sent(from: &mut DuplexStream) -> Vec<u8> {
        let mut bytes = [0; 64];
        let mut buffer = ReadBuf::new(&mut bytes);
        let _ = Pin::new(from).poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer);
        buffer.filled().to_vec()
    }

    #[test]
    fn small_pieces_leave_together_when_they_are_flushed() {
        let (stream, mut peer) = duplex(1024);
        let mut gathering = Gathering::new(stream);
        let mut context = Context::from_waker(Waker::noop());
        for piece in [&b"one "[..], b"two"] {
            assert!(Pin::new(&mut gathering).poll_write(&mut context, piece).is_ready());
            assert_eq!(sent(&mut peer), b"");
        }
        assert!(Pin::new(&mut gathering).poll_flush(&mut context).is_ready());
        assert_eq!(sent(&mut peer), b"one two");
    }

    #[tokio::test]
    async fn everything_arrives_once_and_in_order() {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (stream, mut peer) = duplex(random.usize(1..20_000));
            let mut gathering = Gathering::new(stream);
            let sizes = [1, 9, 300, LARGE_BYTES - 1, LARGE_BYTES, GATHERED_BYTES_MAX, 40_000];
            let pieces: Vec<Vec<u8>> = (0..random.usize(1..40))
                .map(|_| {
                    let size = sizes[random.usize(..sizes.len())];
                    (0..size).map(|_| random.u8(..)).collect()
                })
                .collect();
            let whole = pieces.concat();
            let writing = tokio::spawn(async move {
                for piece in pieces {
                    gathering.write_all(&piece).await.expect("the other end is open");
                    if random.u8(..3) > 0 {
                        gathering.flush().await.expect("the other end is open");
                    }
                }
                gathering.shutdown().await.expect("the other end is open");
            });
            let mut arrived = Vec::new();
            peer.read_to_end(&mut arrived).await.expect("the other end is open");
            writing.await.expect("the other end is open");
            assert!(arrived == whole, "seed {seed}: {} bytes of {} arrived", arrived.len(), whole.len());
        }
    }
}
