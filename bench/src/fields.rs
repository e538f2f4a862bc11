//! Walks over the fields of an encoded message, for what is read off it without taking it apart.
//!
//! Knows how fields are put together, nothing of what they mean.

use prost::{
    DecodeError,
    encoding::{DecodeContext, WireType, check_wire_type, decode_key, decode_varint, skip_field},
};

/// Shows each field of a message to `see`, which takes the field's value off the rest.
///
/// # Errors
/// It is not a message.
pub(crate) fn fields<'a>(
    mut bytes: &'a [u8],
    mut see: impl FnMut(u32, WireType, &mut &'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !bytes.is_empty() {
        let (field, wire) = decode_key(&mut bytes)?;
        see(field, wire, &mut bytes)?;
    }
    Ok(())
}

/// Takes a value off and leaves it.
///
/// # Errors
/// There is none.
pub(crate) fn skip(field: u32, wire: WireType, rest: &mut &[u8]) -> Result<(), DecodeError> {
    skip_field(wire, field, rest, DecodeContext::default())
}

/// Takes the message off that a field holds.
///
/// # Errors
/// There is none.
pub(crate) fn inner<'a>(wire: WireType, rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    check_wire_type(WireType::LengthDelimited, wire)?;
    let length = usize::try_from(decode_varint(rest)?).unwrap_or(usize::MAX);
    match rest.split_at_checked(length) {
        Some((inner, after)) => {
            *rest = after;
            Ok(inner)
        }
        // Asks for more than there is, which is the error that it is.
        None => decode_varint(&mut &[][..]).map(|_| &[][..]),
    }
}
