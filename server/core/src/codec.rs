//! How values are written in CBOR (RFC 8949): shared ones as if they were not shared; lengths; bytes that are only looked at.

use minicbor::{Encode, Encoder, decode::Error};

/// Gives `take` what `value` is encoded. Takes no memory if that has no more than `USUAL_BYTES`.
pub(crate) fn with_encoded<const USUAL_BYTES: usize, T>(
    value: &impl Encode<()>,
    take: impl FnOnce(&[u8]) -> T,
) -> T {
    let mut usual = [0; USUAL_BYTES];
    let mut room = usual.as_mut_slice();
    if Encoder::new(&mut room).encode(value).is_ok() {
        let left = room.len();
        return take(&usual[..USUAL_BYTES - left]);
    }
    let mut bytes = Vec::with_capacity(2 * USUAL_BYTES);
    Encoder::new(&mut bytes).encode(value).expect("writing to memory cannot fail");
    take(&bytes)
}

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
