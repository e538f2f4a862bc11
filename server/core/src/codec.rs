//! How shared values are written in CBOR (RFC 8949): as if they were not shared; and their lengths.

use minicbor::decode::Error;

/// The length of an array or map; those of unknown length are never written.
pub(crate) fn length(written: Option<u64>) -> Result<u64, Error> {
    written.ok_or_else(|| Error::message("a length is missing"))
}

/// `Option<Arc<T>>`, for `#[cbor(with = …, has_nil)]`.
pub(crate) mod optional_shared {
    use std::sync::Arc;

    use minicbor::{
        Decode, Decoder, Encode, Encoder,
        decode::Error as DecodeError,
        encode::{Error as EncodeError, Write},
    };

    pub(crate) fn encode<C, T: Encode<C>, W: Write>(
        value: &Option<Arc<T>>,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match value {
            Some(value) => (**value).encode(e, ctx),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<'b, C, T: Decode<'b, C>>(
        d: &mut Decoder<'b>,
        ctx: &mut C,
    ) -> Result<Option<Arc<T>>, DecodeError> {
        Option::<T>::decode(d, ctx).map(|value| value.map(Arc::new))
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape that the derive asks for")]
    pub(crate) fn nil<T>() -> Option<Option<Arc<T>>> {
        Some(None)
    }

    pub(crate) fn is_nil<T>(value: &Option<Arc<T>>) -> bool {
        value.is_none()
    }
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
