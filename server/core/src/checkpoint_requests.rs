//! The remembered requests in a checkpoint: those that are in no segment, one after the other, nothing gathered.
//!
//! Large descriptions and metadata, which many requests of one task share, are written once. They are found by content, so that the same
//! requests give the same bytes whatever shares what in memory.

use std::collections::BTreeMap;

use minicbor::{Decoder, data::Type, decode::Error as DecodeError};

use crate::{
    Revision, State,
    checkpoint_parts::{Out, Parts, Section, Writing},
    digest::Digest,
    remembered::{Described, Remembered},
};

impl State {
    /// Writes the requests that were recorded after `after`, oldest first, and gives their number.
    pub(crate) fn write_requests<E>(&self, after: Revision, parts: &mut Parts<'_, E>) -> Result<u64, E> {
        let (mut large, mut count) = (LargeWritten::default(), 0);
        for (_, request) in self.requests.held_after(after) {
            let Remembered { key, revision, time_us, entry, described } = request;
            parts.item(Section::Requests, |e| {
                e.encode(key)?.encode(revision)?.i64(time_us)?.bytes(entry)?;
                large.write(e, described)
            })?;
            count += 1;
        }
        Ok(count)
    }
}

/// Reads them again.
#[derive(Debug, Default)]
pub(crate) struct RequestsReader {
    large: LargeRead,
    order: Order,
}

impl RequestsReader {
    /// Reads what follows `before`.
    pub(crate) fn after(before: Order) -> Self {
        Self { large: LargeRead::default(), order: before }
    }

    /// Reads one request.
    pub(crate) fn read_item(&mut self, state: &mut State, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (key, revision, time_us, entry) = (d.decode()?, d.decode()?, d.i64()?, d.bytes()?);
        self.order.next(revision)?;
        let described = self.large.read(d)?;
        let described = described.map(|index| self.large.get(index));
        state.requests.insert(&Remembered { key, revision, time_us, entry, described }, state.memory);
        Ok(())
    }

    /// How many were read, those in segments too.
    pub(crate) fn count(&self) -> u64 {
        self.order.count
    }
}

/// Sees to it that requests come in order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Order {
    newest: Revision,
    /// How many came.
    pub(crate) count: u64,
}

impl Order {
    /// The next was recorded at `revision`.
    pub(crate) fn next(&mut self, revision: Revision) -> Result<(), DecodeError> {
        if revision <= self.newest {
            return Err(DecodeError::message("its requests are not in order"));
        }
        *self = Self { newest: revision, count: self.count + 1 };
        Ok(())
    }
}

/// The large descriptions that were written, by content, and which they were in order.
#[derive(Default)]
pub(crate) struct LargeWritten(BTreeMap<Digest, u64>);

impl LargeWritten {
    /// Its place among those that were written, or itself if it is new; or that there is none.
    pub(crate) fn write(&mut self, e: &mut Out<'_>, described: Option<&Described>) -> Writing {
        let Some(described) = described else { return e.null()?.ok() };
        let mut bytes = Vec::new();
        described.write(&mut bytes);
        let (content, next) = (Digest::of(&bytes), self.0.len() as u64);
        match self.0.get(&content) {
            Some(index) => e.u64(*index)?.ok(),
            None => {
                self.0.insert(content, next);
                e.bytes(&bytes)?.ok()
            }
        }
    }
}

/// The large descriptions that were read, in the order in which they were written.
#[derive(Debug, Default)]
pub(crate) struct LargeRead(Vec<Described>);

impl LargeRead {
    /// Reads what was written of one, and gives its place, if there is one.
    pub(crate) fn read(&mut self, d: &mut Decoder<'_>) -> Result<Option<usize>, DecodeError> {
        let index = match d.datatype()? {
            Type::Null => return d.null().map(|()| None),
            Type::Bytes => {
                self.0.push(Described::read(&mut Decoder::new(d.bytes()?))?);
                self.0.len() - 1
            }
            _ => usize::try_from(d.u64()?).unwrap_or(usize::MAX),
        };
        if index >= self.0.len() {
            return Err(DecodeError::message("no such description was written before"));
        }
        Ok(Some(index))
    }

    /// The one that has that place.
    pub(crate) fn get(&self, index: usize) -> &Described {
        &self.0[index]
    }
}
