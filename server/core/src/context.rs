//! What the next agent must know: encoded once, where it enters, and from there on copied as it is to wherever it goes.
//!
//! On the way of a hand-off nobody looks into it but for its size. Knows no bounds: those of its texts are checked where it enters.

use std::sync::Arc;

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

use crate::codec::{length, with_encoded};

/// What a context says, text by text.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct ContextParts<'a> {
    /// The situation.
    #[b(0)]
    pub summary: &'a str,
    /// What has been done.
    #[b(1)]
    pub completed: Vec<&'a str>,
    /// What is left.
    #[b(2)]
    pub remaining: Vec<&'a str>,
    /// What was decided.
    #[b(3)]
    pub decisions: Vec<&'a str>,
    /// What to watch out for.
    #[b(4)]
    pub pitfalls: Vec<&'a str>,
    /// Where to look.
    #[b(5)]
    pub references: Vec<&'a str>,
}

/// How many parts there are.
const PARTS: usize = 6;
/// Room for a context of the usual length, in bytes.
const USUAL_BYTES: usize = 256;
const OWN_BYTES: &str = "the bytes are as they were written";

/// A context. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Context {
    /// [`ContextParts`] in CBOR.
    bytes: Arc<[u8]>,
    size: usize,
}

impl ContextParts<'_> {
    /// Size in bytes of all texts.
    pub fn size(&self) -> usize {
        let lists = [&self.completed, &self.remaining, &self.decisions, &self.pitfalls, &self.references];
        self.summary.len() + lists.into_iter().flatten().map(|text| text.len()).sum::<usize>()
    }
}

impl Context {
    /// Size in bytes of all its texts.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Tells each of its texts with the place of its part among [`ContextParts`], from 0, in order: what [`Context::parts`] gives, without
    /// memory for it.
    pub fn each(&self, mut tell: impl FnMut(usize, &str)) {
        let d = &mut Decoder::new(&self.bytes);
        let mut told = || {
            d.array()?;
            tell(0, d.str()?);
            for part in 1..PARTS {
                for _ in 0..length(d.array()?)? {
                    tell(part, d.str()?);
                }
            }
            Ok::<_, DecodeError>(())
        };
        told().expect(OWN_BYTES);
    }

    /// What it says.
    pub fn parts(&self) -> ContextParts<'_> {
        Decoder::new(&self.bytes).decode().expect(OWN_BYTES)
    }
}

impl From<&ContextParts<'_>> for Context {
    fn from(parts: &ContextParts<'_>) -> Self {
        Self { bytes: with_encoded::<USUAL_BYTES, _>(parts, |bytes| bytes.into()), size: parts.size() }
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.parts().fmt(f)
    }
}

impl<C> Encode<C> for Context {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.writer_mut().write_all(&self.bytes).map_err(EncodeError::write)
    }
}

impl<'b, C> Decode<'b, C> for Context {
    /// In the form that this program writes, whatever form CBOR allows it came in: nobody has to reckon with another.
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        d.decode::<ContextParts<'_>>().map(|parts| Self::from(&parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(context: &Context) -> Vec<(usize, String)> {
        let mut all = Vec::new();
        context.each(|part, text| all.push((part, text.to_owned())));
        all
    }

    #[test]
    fn a_context_says_the_same_in_every_form_that_can_be_read() {
        let parts = ContextParts { summary: "s", remaining: vec!["r", ""], ..ContextParts::default() };
        let expected = Context::from(&parts);
        // The lists, and what they are in, without their lengths.
        let unbounded = b"\x9f\x61s\x9f\xff\x9f\x61r\x60\xff\x9f\xff\x9f\xff\x9f\xff\xff";
        for bytes in [&expected.bytes[..], unbounded] {
            let context: Context = Decoder::new(bytes).decode().expect("it is a context");
            assert_eq!(context, expected);
            assert_eq!(context.parts(), parts);
            assert_eq!(told(&context), [(0, "s".to_owned()), (2, "r".to_owned()), (2, String::new())]);
        }
    }
}
