//! How shared values are written in CBOR (RFC 8949): as if they were not shared; and their lengths.

use minicbor::decode::Error;

/// The length of an array or map; those of unknown length are never written.
pub(crate) fn length(written: Option<u64>) -> Result<u64, Error> {
    written.ok_or_else(|| Error::message("a length is missing"))
}

/// `Arc<T>`, for `#[cbor(with = …)]`.
pub(crate) mod shared {
    use std::sync::Arc;

    use minicbor::{
        Decode, Decoder, Encode, Encoder,
        decode::Error as DecodeError,
        encode::{Error as EncodeError, Write},
    };

    pub(crate) fn encode<C, T: Encode<C>, W: Write>(
        value: &Arc<T>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        (**value).encode(e, ctx)
    }

    pub(crate) fn decode<'b, C, T: Decode<'b, C>>(
        d: &mut Decoder<'b>,
        ctx: &mut C,
    ) -> Result<Arc<T>, DecodeError> {
        T::decode(d, ctx).map(Arc::new)
    }
}
