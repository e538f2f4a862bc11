//! Writes a message field by field in the wire's encoding (Protocol Buffers, "Encoding"), without making the message first.
//!
//! Knows the encoding. Knows nothing of what the fields mean.

use std::{fmt::Display, io::Write as _};

use prost::{
    Message,
    encoding::{self, WireType, encode_varint, encoded_len_varint},
};

/// The largest number that one byte holds.
const ONE_BYTE_MAX: u64 = 0x7f;

/// The largest field whose key one byte holds.
const ONE_BYTE_FIELD_MAX: u32 = 15;

/// The bit of a byte that says that the number goes on.
const MORE: u8 = 0x80;

/// Appends to a message. As in all proto3 messages, what is empty or zero is left out unless it says otherwise.
pub(super) struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    /// Appends to `message`.
    pub(super) fn new(message: &'a mut Vec<u8>) -> Self {
        Self(message)
    }

    /// A `string`.
    pub(super) fn text(&mut self, field: u32, text: &str) {
        if !text.is_empty() {
            self.item(field, text);
        }
    }

    /// A `string` of a list or of a `oneof`, also if it is empty.
    pub(super) fn item(&mut self, field: u32, text: &str) {
        self.key_and_number(field, WireType::LengthDelimited, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A `string` as `value` shows itself, also if that is nothing.
    pub(super) fn shown(&mut self, field: u32, value: impl Display) {
        self.message(field, |inner| write!(inner.0, "{value}").expect("a Vec takes whatever is written"));
    }

    /// A `uint32`, `uint64`, `int64` in two's complement, or a `bool` as 1.
    pub(super) fn number(&mut self, field: u32, number: impl Into<u64>) {
        let number = number.into();
        if number != 0 {
            self.chosen(field, number);
        }
    }

    /// A number or `bool` of a `oneof`, also if it is zero.
    pub(super) fn chosen(&mut self, field: u32, number: impl Into<u64>) {
        self.key_and_number(field, WireType::Varint, number.into());
    }

    /// A value of an enum.
    pub(super) fn value(&mut self, field: u32, value: impl Into<i32>) {
        self.number(field, i64::from(value.into()).cast_unsigned());
    }

    /// A `double` of a `oneof`, also if it is zero.
    pub(super) fn double(&mut self, field: u32, number: f64) {
        self.key(field, WireType::SixtyFourBit);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// A message that there is, also if nothing is written into it.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>)) {
        self.nested(field, 1, write);
    }

    /// As [`Writer::message`], for one that is mostly longer than 127 bytes and shorter than 16 KiB: another length costs a move of it.
    pub(super) fn long_message(&mut self, field: u32, write: impl FnOnce(&mut Writer<'_>)) {
        self.nested(field, 2, write);
    }

    /// A message that was made.
    pub(super) fn made(&mut self, field: u32, message: &impl Message) {
        encoding::message::encode(field, message, self.0);
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from((field << 3) | wire_type as u32));
    }

    /// Mostly two bytes, which then are appended together.
    #[inline]
    fn key_and_number(&mut self, field: u32, wire_type: WireType, number: u64) {
        if field <= ONE_BYTE_FIELD_MAX && number <= ONE_BYTE_MAX {
            let key = (field << 3) | wire_type as u32;
            self.0.extend_from_slice(&[key.to_le_bytes()[0], number.to_le_bytes()[0]]);
        } else {
            self.key(field, wire_type);
            self.varint(number);
        }
    }

    #[inline]
    fn varint(&mut self, mut number: u64) {
        while number > ONE_BYTE_MAX {
            self.0.push(number.to_le_bytes()[0] | MORE);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// A message whose length will probably take `room` bytes.
    fn nested(&mut self, field: u32, room: usize, write: impl FnOnce(&mut Writer<'_>)) {
        self.key(field, WireType::LengthDelimited);
        let length_at = self.0.len();
        self.0.resize(length_at + room, 0);
        write(&mut Writer(self.0));
        self.fill_in_length(length_at, room);
    }

    /// Writes the length of all that comes after the `room` at `length_at`. To move the message where the room is wrong costs less than to
    /// measure each before it is written.
    fn fill_in_length(&mut self, length_at: usize, room: usize) {
        let (start, end) = (length_at + room, self.0.len());
        let length = (end - start) as u64;
        if room == 1 && length <= ONE_BYTE_MAX {
            self.0[length_at] = length.to_le_bytes()[0];
            return;
        }
        let needed = encoded_len_varint(length);
        if needed != room {
            let moved_to = length_at + needed;
            self.0.resize(end.max(moved_to + end - start), 0);
            self.0.copy_within(start..end, moved_to);
            self.0.truncate(moved_to + end - start);
        }
        encode_varint(length, &mut &mut self.0[length_at..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nested_message_has_its_length_however_much_room_was_left() {
        let lengths = [0, 1, 124, 125, 126, 127, 16_379, 16_380, 16_381, 3_000_000];
        for text in lengths.map(|length| "x".repeat(length)) {
            let mut inner = Vec::new();
            encoding::string::encode(1, &text, &mut inner);
            let mut expected = vec![7];
            encoding::bytes::encode(16, &inner, &mut expected);
            let (mut short, mut long) = (vec![7], vec![7]);
            Writer::new(&mut short).message(16, |writer| writer.item(1, &text));
            Writer::new(&mut long).long_message(16, |writer| writer.item(1, &text));
            assert!(short == expected, "a message with a text of {} bytes", text.len());
            assert!(long == expected, "a long message with a text of {} bytes", text.len());
        }
    }
}
