//! The remembered requests in a checkpoint: one after the other, nothing gathered.
//!
//! Large descriptions and metadata, which many requests of one task share, are written once. They are found by content, so that the same
//! requests give the same bytes whatever shares what in memory.

use std::collections::BTreeMap;

use minicbor::{
    Decoder, Encoder,
    data::Type,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

use crate::{
    RequestMemory,
    codec::length,
    digest::Digest,
    remembered::{Described, Remembered},
    requests::Requests,
};

/// Writes all requests, oldest first.
pub(crate) fn write_requests<W: Write>(
    e: &mut Encoder<W>,
    requests: &Requests,
) -> Result<(), EncodeError<W::Error>> {
    let mut met = Met::default();
    e.array(requests.len() as u64)?;
    for Remembered { key, revision, time_us, entry, described } in requests.iter() {
        e.encode(key)?.encode(revision)?.i64(time_us)?.bytes(entry)?;
        match described {
            Some(described) => met.write(e, described)?,
            None => _ = e.null()?,
        }
    }
    Ok(())
}

/// Reads requests that are remembered within the given bounds from now on.
pub(crate) fn read_requests(d: &mut Decoder<'_>, memory: RequestMemory) -> Result<Requests, DecodeError> {
    let mut requests = Requests::default();
    let mut large: Vec<Described> = Vec::new();
    for _ in 0..length(d.array()?)? {
        let (key, revision, time_us, entry) = (d.decode()?, d.decode()?, d.i64()?, d.bytes()?);
        let described = read_described(d, &mut large)?;
        requests.insert(&Remembered { key, revision, time_us, entry, described }, memory);
    }
    Ok(requests)
}

/// The large descriptions that were written, by content, and which they were in order.
#[derive(Default)]
struct Met(BTreeMap<Digest, u64>);

impl Met {
    /// Its place among those that were written, or itself if it is new.
    fn write<W: Write>(
        &mut self,
        e: &mut Encoder<W>,
        described: &Described,
    ) -> Result<(), EncodeError<W::Error>> {
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
