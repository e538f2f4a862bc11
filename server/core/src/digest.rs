//! Short digests by which requests are recognised.

use minicbor::{Decode, Decoder, Encode, Encoder};

/// The first 128 bits of a BLAKE3 hash: equal for equal input, and different for different input for all practical purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(u128);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let (head, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        Self(u128::from_le_bytes(*head))
    }

    /// The digest of those bytes.
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(bytes))
    }

    /// The first 32 of its bits.
    pub(crate) fn head(self) -> u32 {
        self.0 as u32
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }
}

impl<C> Encode<C> for Digest {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_le_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Digest {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?;
        let bytes =
            bytes.try_into().map_err(|_| minicbor::decode::Error::message("a digest has 16 bytes"))?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }
}
