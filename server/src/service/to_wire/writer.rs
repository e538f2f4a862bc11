//! Writes a message field by field in the wire's encoding (Protocol Buffers, "Encoding"), without making the message first.
//!
//! Knows the encoding. Knows nothing of what the fields mean.

use std::{fmt::Display, io::Write as _};

use prost::{
    Message,
    encoding::{self, WireType, encode_varint, encoded_len_varint},
};

/// The largest number that one byte holds.
const ONE_BYTE_MAX: usize = 0x7f;

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
        self.key(field, WireType::LengthDelimited);
        self.varint(text.len() as u64);
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
        self.key(field, WireType::Varint);
        self.varint(number.into());
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
        self.key(field, WireType::LengthDelimited);
        let length_at = self.0.len();
        self.0.push(0);
        write(&mut Writer(self.0));
        self.fill_in_length(length_at);
    }

    /// A message that was made.
    pub(super) fn made(&mut self, field: u32, message: &impl Message) {
        encoding::message::encode(field, message, self.0);
    }

    fn key(&mut self, field: u32, wire_type: WireType) {
        self.varint(u64::from((field << 3) | wire_type as u32));
    }

    #[inline]
    fn varint(&mut self, mut number: u64) {
        while number > ONE_BYTE_MAX as u64 {
            self.0.push(number.to_le_bytes()[0] | MORE);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    /// Writes the length of all that comes after `length_at`, where there is room for one byte. Most messages are short, and moving a
    /// longer one along costs less than to measure each before it is written.
    fn fill_in_length(&mut self, length_at: usize) {
        let start = length_at + 1;
        let length = self.0.len() - start;
        if length > ONE_BYTE_MAX {
            let more = encoded_len_varint(length as u64) - 1;
            self.0.resize(self.0.len() + more, 0);
            self.0.copy_within(start..start + length, start + more);
        }
        encode_varint(length as u64, &mut &mut self.0[length_at..]);
    }
}
