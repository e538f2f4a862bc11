//! The remembered requests in a checkpoint, or in a segment that it builds on: one after the other, nothing gathered.
//!
//! Large descriptions and metadata, which many requests of one task share, are written once in each. They are found by content, so that the same
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
        let (mut writer, mut count) = (RequestsWriter::default(), 0);
        for request in self.requests.after(after) {
            writer.write(Section::Requests, &request, parts)?;
            count += 1;
        }
        Ok(count)
    }
}

/// Writes them one by one.
#[derive(Default)]
pub(crate) struct RequestsWriter {
    met: Met,
}

impl RequestsWriter {
    /// Writes what a segment begins with: a sign that it shares nothing with what was before.
    pub(crate) fn begin_segment(e: &mut Out<'_>) -> Writing {
        e.null()?.ok()
    }

    /// Writes one request.
    pub(crate) fn write<E>(
        &mut self,
        section: Section,
        request: &Remembered<'_>,
        parts: &mut Parts<'_, E>,
    ) -> Result<(), E> {
        let Remembered { key, revision, time_us, entry, described } = request;
        parts.item(section, |e| {
            e.encode(key)?.encode(revision)?.i64(*time_us)?.bytes(entry)?;
            match described {
                Some(described) => self.met.write(e, described),
                None => e.null()?.ok(),
            }
        })
    }
}

/// Reads them again.
#[derive(Debug, Default)]
pub(crate) struct RequestsReader {
    /// The large descriptions, in the order in which they were written.
    large: Vec<Described>,
    newest: Revision,
    count: u64,
}

impl RequestsReader {
    /// Reads one request of a segment, or what a segment begins with.
    pub(crate) fn read_in_segment(
        &mut self,
        state: &mut State,
        d: &mut Decoder<'_>,
    ) -> Result<(), DecodeError> {
        match d.datatype()? {
            Type::Null => {
                self.begin();
                d.null()
            }
            _ => self.read_item(state, d),
        }
    }

    /// From now on nothing is shared with what was before.
    pub(crate) fn begin(&mut self) {
        self.large.clear();
    }

    /// Reads one request.
    pub(crate) fn read_item(&mut self, state: &mut State, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (key, revision, time_us, entry) = (d.decode()?, d.decode()?, d.i64()?, d.bytes()?);
        if revision <= self.newest {
            return Err(DecodeError::message("its requests are not in order"));
        }
        (self.newest, self.count) = (revision, self.count + 1);
        let described = read_described(d, &mut self.large)?;
        state.requests.insert(&Remembered { key, revision, time_us, entry, described }, state.memory);
        Ok(())
    }

    /// How many were read.
    pub(crate) fn count(&self) -> u64 {
        self.count
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
