//! The remembered requests in a checkpoint: one after the other, nothing gathered.
//!
//! Large descriptions and metadata, which many requests of one task share, are written once. They are found by content, so that the same
//! requests give the same bytes whatever shares what in memory.

use std::collections::BTreeMap;

use minicbor::{Decoder, data::Type, decode::Error as DecodeError};

use crate::{
    State,
    checkpoint_parts::{Out, Parts, Section, Writing},
    digest::Digest,
    remembered::{Described, Remembered},
};

impl State {
    /// Writes all requests, oldest first, and gives their number.
    pub(crate) fn write_requests<E>(&self, parts: &mut Parts<'_, E>) -> Result<u64, E> {
        let (mut met, mut count) = (Met::default(), 0);
        for Remembered { key, revision, time_us, entry, described } in self.requests.iter() {
            parts.item(Section::Requests, |e| {
                e.encode(key)?.encode(revision)?.i64(time_us)?.bytes(entry)?;
                match described {
                    Some(described) => met.write(e, described),
                    None => e.null()?.ok(),
                }
            })?;
            count += 1;
        }
        Ok(count)
    }
}

/// Reads them again.
#[derive(Debug, Default)]
pub(crate) struct RequestsReader {
    /// The large descriptions, in the order in which they were written.
    large: Vec<Described>,
}

impl RequestsReader {
    /// Reads one request.
    pub(crate) fn read_item(&mut self, state: &mut State, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (key, revision, time_us, entry) = (d.decode()?, d.decode()?, d.i64()?, d.bytes()?);
        let described = read_described(d, &mut self.large)?;
        state.requests.insert(&Remembered { key, revision, time_us, entry, described }, state.memory);
        Ok(())
    }
}

/// The large descriptions that were written, by content, and which they were in order.
#[derive(Default)]
struct Met(BTreeMap<Digest, u64>);

impl Met {
    /// Its place among those that were written, or itself if it is new.
    fn write(&mut self, e: &mut Out<'_>, described: &Described) -> Writing {
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

fn read_described<'a>(
    d: &mut Decoder<'_>,
    large: &'a mut Vec<Described>,
) -> Result<Option<&'a Described>, DecodeError> {
    let index = match d.datatype()? {
        Type::Null => return d.null().map(|()| None),
        Type::Bytes => {
            large.push(Described::read(&mut Decoder::new(d.bytes()?))?);
            large.len() - 1
        }
        _ => usize::try_from(d.u64()?).unwrap_or(usize::MAX),
    };
    large.get(index).map(Some).ok_or_else(|| DecodeError::message("no such description was written before"))
}
