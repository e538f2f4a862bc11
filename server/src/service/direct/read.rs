//! Reads a request's body as far as it is one message that is not compressed, in one piece or in several.
//!
//! Knows nothing of what is in the message. A body that is anything else can be read again from its beginning.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::BodyExt as _;
use hyper::body::{Body as HttpBody, Bytes, Frame as HttpFrame};
use tonic::{Status, body::Body};

use crate::own_body::PREFIX_BYTES;

/// A request's body as far as it had to be read to tell whether it is as usual; as a body it is whole again.
pub(super) struct Read {
    pieces: Pieces,
    /// What came after them, if it was not the end.
    next: Option<Result<HttpFrame<Bytes>, Status>>,
    rest: Body,
}

/// The beginning of a body.
enum Pieces {
    None,
    /// As nearly always; it need not be copied.
    One(Bytes),
    /// With room for the rest of the message.
    Several(Vec<u8>),
}

impl Read {
    /// Reads until the end, or until something comes that does not belong to the one message of at most `bytes_max` bytes.
    pub(super) async fn of(mut rest: Body, bytes_max: usize) -> Self {
        let mut pieces = Pieces::None;
        loop {
            match rest.frame().await {
                None => return Self { pieces, next: None, rest },
                Some(Ok(frame)) if frame.data_ref().is_some_and(|piece| pieces.lack(piece, bytes_max)) => {
                    pieces = pieces.and(frame.into_data().expect("it was seen to be data"));
                }
                next => return Self { pieces, next, rest },
            }
        }
    }

    /// The message, if that is all there is.
    pub(super) fn whole_message(&self, bytes_max: usize) -> Option<&[u8]> {
        let (_, message) = self.pieces.bytes().split_at_checked(PREFIX_BYTES)?;
        let whole = message_bytes(self.pieces.bytes(), bytes_max)? == message.len();
        (whole && self.next.is_none()).then_some(message)
    }
}

impl Pieces {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::One(piece) => piece,
            Self::Several(bytes) => bytes,
        }
    }

    /// Whether the message goes on as far as `piece` does. Whatever comes first is its beginning.
    fn lack(&self, piece: &[u8], bytes_max: usize) -> bool {
        let bytes = self.bytes();
        bytes.is_empty()
            || message_bytes(bytes, bytes_max)
                .is_some_and(|length| bytes.len() + piece.len() <= PREFIX_BYTES + length)
    }

    /// These and the next one, which they lack.
    fn and(self, piece: Bytes) -> Self {
        let mut bytes = match self {
            Self::None => return Self::One(piece),
            Self::One(first) if first.is_empty() => return Self::One(piece),
            Self::One(first) if piece.is_empty() => return Self::One(first),
            Self::One(first) => {
                let length = message_bytes(&first, usize::MAX).unwrap_or_default();
                let mut bytes = Vec::with_capacity(PREFIX_BYTES + length);
                bytes.extend_from_slice(&first);
                bytes
            }
            Self::Several(bytes) => bytes,
        };
        bytes.extend_from_slice(&piece);
        Self::Several(bytes)
    }
}

/// How long the message is that begins with these bytes, if they say so, it is not compressed and has at most `bytes_max` bytes.
fn message_bytes(beginning: &[u8], bytes_max: usize) -> Option<usize> {
    let [compressed, length @ ..] = *beginning.first_chunk::<PREFIX_BYTES>()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    (compressed == 0 && length <= bytes_max).then_some(length)
}

impl HttpBody for Read {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<HttpFrame<Bytes>, Status>>> {
        match mem::replace(&mut self.pieces, Pieces::None) {
            Pieces::None => {}
            Pieces::One(piece) => return Poll::Ready(Some(Ok(HttpFrame::data(piece)))),
            Pieces::Several(bytes) => return Poll::Ready(Some(Ok(HttpFrame::data(bytes.into())))),
        }
        if let Some(next) = self.next.take() {
            return Poll::Ready(Some(next));
        }
        Pin::new(&mut self.rest).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http_body_util::StreamBody;

    use super::*;

    const BYTES_MAX: usize = 4;

    /// What is read of a body with these frames, and what the body is afterwards.
    async fn read(frames: Vec<HttpFrame<Bytes>>) -> (Option<Vec<u8>>, Vec<u8>, bool) {
        let frames = tokio_stream::iter(frames.into_iter().map(Ok::<_, Status>));
        let read = Read::of(Body::new(StreamBody::new(frames)), BYTES_MAX).await;
        let message = read.whole_message(BYTES_MAX).map(<[u8]>::to_vec);
        let whole = read.collect().await.expect("no frame is an error");
        let trailers = whole.trailers().is_some();
        (message, whole.to_bytes().to_vec(), trailers)
    }

    fn data(bytes: &'static [u8]) -> HttpFrame<Bytes> {
        HttpFrame::data(Bytes::from_static(bytes))
    }

    #[tokio::test]
    async fn one_whole_message_is_taken() {
        let message = b"\0\0\0\0\x03abc";
        assert_eq!(read(vec![data(message)]).await.0.as_deref(), Some(&b"abc"[..]));
        let among_empty_ones = vec![data(b""), data(message), data(b"")];
        assert_eq!(read(among_empty_ones).await.0.as_deref(), Some(&b"abc"[..]));
        assert_eq!(read(vec![data(b"\0\0\0\0\0")]).await.0.as_deref(), Some(&b""[..]));
    }

    #[tokio::test]
    async fn one_message_in_several_pieces_is_taken() {
        let pieces: [&[&'static [u8]]; 4] = [
            &[b"\0\0\0\0\x03", b"abc"],
            &[b"\0\0\0\0\x03a", b"bc"],
            &[b"\0\0\0\0\x03a", b"", b"b", b"c", b""],
            &[b"", b"\0\0\0\0\x03", b"", b"abc"],
        ];
        for pieces in pieces {
            let frames = pieces.iter().map(|piece| data(piece)).collect();
            let expected = (Some(b"abc".to_vec()), pieces.concat(), false);
            assert_eq!(read(frames).await, expected, "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn all_else_is_left_as_it_came() {
        let unusual: [&[&'static [u8]]; 12] = [
            &[],
            &[b"\0\0\0"],
            &[b"\0\0\0\0\x03ab"],
            &[b"\0\0\0\0\x03abcd"],
            &[b"\x01\0\0\0\x03abc"],
            &[b"\0\0\0\0\x05abcde"],
            &[b"\0\0\0\0\x03", b"ab"],
            &[b"\0\0\0\0\x03a", b"bcd"],
            &[b"\0\0\0\0\x03a", b"b", b"cd"],
            &[b"\0\0\0\0\x05ab", b"cde"],
            &[b"\0\0", b"\0\0\x03abc"],
            &[b"\0\0\0\0\x03abc", b"\0\0\0\0\x03abc", b"\0"],
        ];
        for pieces in unusual {
            let frames = pieces.iter().map(|piece| data(piece)).collect();
            assert_eq!(read(frames).await, (None, pieces.concat(), false), "{pieces:?}");
        }
        let with_trailers = vec![data(b"\0\0\0\0\x03abc"), HttpFrame::trailers(HeaderMap::new())];
        assert_eq!(read(with_trailers).await, (None, b"\0\0\0\0\x03abc".to_vec(), true));
    }
}
