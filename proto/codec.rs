//! How the generated code encodes and decodes messages: as prost does it, from bytes in one piece and with no more memory than they take.
//!
//! The library's own codec takes 8 KiB for each message before it knows its size, and reads byte by byte through a buffer that may be in
//! pieces, which it never is.

use std::marker::PhantomData;

use prost::{
    Message,
    bytes::{Buf as _, BufMut as _},
};
use tonic::{
    Status,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

/// A stream of messages is sent on when so much of it has been encoded, in bytes.
const YIELD_BYTES: usize = 32 * 1024;

/// Encodes `T` and decodes `U`.
#[derive(Debug)]
pub struct MessageCodec<T, U>(PhantomData<(T, U)>);

/// Encodes `T`.
#[derive(Debug)]
pub struct MessageEncoder<T>(PhantomData<T>);

/// Decodes `U`.
#[derive(Debug)]
pub struct MessageDecoder<U>(PhantomData<U>);

impl<T, U> Default for MessageCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for MessageCodec<T, U>
where
    T: Message + 'static,
    U: Message + Default + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = MessageEncoder<T>;
    type Decoder = MessageDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        MessageEncoder(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        MessageDecoder(PhantomData)
    }
}

impl<T: Message> Encoder for MessageEncoder<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, message: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        // Into a Vec and over: the buffer takes single bytes so slowly that the copy costs less.
        let bytes = message.encode_to_vec();
        buffer.reserve(bytes.len());
        buffer.put_slice(&bytes);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(0, YIELD_BYTES)
    }
}

impl<U: Message + Default> Decoder for MessageDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.chunk();
        let length = bytes.len();
        assert_eq!(length, buffer.remaining(), "the library collects a message before it is decoded");
        let message = U::decode(bytes).map_err(|error| Status::internal(error.to_string()))?;
        buffer.advance(length);
        Ok(Some(message))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(0, YIELD_BYTES)
    }
}
