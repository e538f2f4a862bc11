//! Decodes the requests that come most often without copying their texts.
//!
//! Takes only the form in which encoders write them: every field known, of its own type, at most once unless it is repeated, left out if
//! it has its default, and numbers in as few bytes as they take. Whatever else protobuf allows or forbids is left to the library, so that
//! its rules need not be known here; and the length of what is taken is the one that the library would encode.

#[cfg(test)]
mod tests;

use std::str;

use baton_core::ContextParts;
use prost::encoding::{decode_varint, encoded_len_varint};

use super::{
    items::count_items,
    proposed::{BATCH_ITEMS_MAX, BatchHandOff, HandOff, Transfer},
};

/// The wire types that occur, as protobuf numbers them.
const VARINT: u8 = 0;
const DELIMITED: u8 = 2;

/// A `BatchHandOffRequest`, if it is in the usual form.
pub(in crate::service) fn batch_hand_off(message: &[u8]) -> Option<BatchHandOff<'_>> {
    let count = count_items(message);
    // Items are large: none is moved to make room for the next, and no memory is taken for more than may be.
    let taken = if count > BATCH_ITEMS_MAX { 0 } else { count };
    let mut batch = BatchHandOff { count, items: Vec::with_capacity(taken), ..BatchHandOff::default() };
    let mut reader = Reader { rest: message };
    while let Some(key) = reader.key() {
        match key {
            (1, DELIMITED) if taken == 0 => _ = reader.bytes()?,
            (1, DELIMITED) => batch.items.push(hand_off(reader.bytes()?)?),
            (2, DELIMITED) => reader.text_once(&mut batch.namespace)?,
            _ => return None,
        }
    }
    Some(batch)
}

/// A `HandOffRequest`, if it is in the usual form.
pub(in crate::service) fn hand_off(message: &[u8]) -> Option<HandOff<'_>> {
    let mut request = HandOff { bytes: message.len(), ..HandOff::default() };
    let proposed = &mut request.proposed;
    let mut reader = Reader { rest: message };
    while let Some(key) = reader.key() {
        match key {
            (1, DELIMITED) => reader.text_once(&mut request.namespace)?,
            (2, DELIMITED) => reader.text_once(&mut request.request_id)?,
            (3, DELIMITED) => reader.text_once(&mut proposed.task_id)?,
            (4, DELIMITED) => reader.text_once(&mut proposed.from_agent)?,
            (5, DELIMITED) => reader.text_once(&mut proposed.to_agent)?,
            (6, DELIMITED) => reader.text_once(&mut proposed.reason)?,
            (7, VARINT) => once(&mut proposed.owner_epoch, reader.varint()?)?,
            (8, DELIMITED) => once(&mut proposed.transfer, transfer(reader.bytes()?)?)?,
            (9, DELIMITED) => once(&mut proposed.context, told(reader.bytes()?)?)?,
            _ => return None,
        }
    }
    Some(request)
}

fn transfer(message: &[u8]) -> Option<Transfer<'_>> {
    let mut transfer = Transfer::default();
    let mut reader = Reader { rest: message };
    while let Some(key) = reader.key() {
        match key {
            (1, VARINT) => reader.number_once(&mut transfer.scope)?,
            (2, DELIMITED) => transfer.keys.push(reader.text()?),
            (3, VARINT) => reader.number_once(&mut transfer.on_conflict)?,
            _ => return None,
        }
    }
    Some(transfer)
}

fn told(message: &[u8]) -> Option<ContextParts<'_>> {
    let mut told = ContextParts::default();
    let mut reader = Reader { rest: message };
    while let Some(key) = reader.key() {
        match key {
            (1, DELIMITED) => reader.text_once(&mut told.summary)?,
            (2, DELIMITED) => told.completed.push(reader.text()?),
            (3, DELIMITED) => told.remaining.push(reader.text()?),
            (4, DELIMITED) => told.decisions.push(reader.text()?),
            (5, DELIMITED) => told.pitfalls.push(reader.text()?),
            (6, DELIMITED) => told.references.push(reader.text()?),
            _ => return None,
        }
    }
    Some(told)
}

/// Sets a field that is present or absent, unless it is there already.
fn once<T>(field: &mut Option<T>, value: T) -> Option<()> {
    field.is_none().then(|| *field = Some(value))
}

/// The fields of one message that are still to be read. Each of its methods gives `None` for what is not in the usual form.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The number and the wire type of the next field, if there is one. A key of several bytes has a number that no field has.
    fn key(&mut self) -> Option<(u8, u8)> {
        let key = *self.rest.split_off_first()?;
        Some((key >> 3, key & 7))
    }

    fn varint(&mut self) -> Option<u64> {
        let before = self.rest;
        let value = match self.rest.split_off_first()? {
            small @ 0..0x80 => return Some(u64::from(*small)),
            _ => {
                self.rest = before;
                decode_varint(&mut self.rest).ok()?
            }
        };
        (before.len() - self.rest.len() == encoded_len_varint(value)).then_some(value)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        self.rest.split_off(..length)
    }

    fn text(&mut self) -> Option<&'a str> {
        str::from_utf8(self.bytes()?).ok()
    }

    /// Reads a text that is left out if it is empty; so one that is not empty was there already.
    fn text_once(&mut self, field: &mut &'a str) -> Option<()> {
        let text = self.text()?;
        (field.is_empty() && !text.is_empty()).then(|| *field = text)
    }

    /// As [`Reader::text_once`], for the value of an enum. Negative ones are left to the library.
    fn number_once(&mut self, field: &mut i32) -> Option<()> {
        let number = i32::try_from(self.varint()?).ok()?;
        (*field == 0 && number != 0).then(|| *field = number)
    }
}
