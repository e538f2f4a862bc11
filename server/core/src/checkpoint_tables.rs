//! What agents share in memory: written once, before it is first needed, and shared again when it is read.
//!
//! Found by content, so that the same state gives the same bytes whatever shares what in memory.

use std::collections::BTreeMap;

use minicbor::{Decoder, Encoder, decode::Error};

use crate::{
    Knowledge, Known, Text, Value,
    checkpoint_parts::{Parts, Section},
    codec::length,
};

/// Values smaller than this are written where they stand.
const SHARED_VALUE_BYTES_MIN: usize = 64;

/// Kinds of items among the agents.
pub(crate) mod item {
    pub(crate) const VALUE: u8 = 0;
    pub(crate) const KNOWLEDGE: u8 = 1;
    pub(crate) const AGENT: u8 = 2;
    pub(crate) const CHANGE: u8 = 3;
}

/// Which items were written, by their content.
#[derive(Default)]
struct Interned {
    // Only saves hashing the same memory again.
    by_address: BTreeMap<usize, u64>,
    by_hash: BTreeMap<[u8; 32], u64>,
}

impl Interned {
    /// The index of the item with that content, which is written if it is new.
    fn index<E>(&mut self, kind: u8, encoded: &[u8], parts: &mut Parts<'_, E>) -> Result<u64, E> {
        let hash = *blake3::hash(encoded).as_bytes();
        if let Some(index) = self.by_hash.get(&hash) {
            return Ok(*index);
        }
        parts.item(Section::Agents, |e| {
            e.u8(kind)?;
            e.writer_mut().extend_from_slice(encoded);
            Ok(())
        })?;
        let index = self.by_hash.len() as u64;
        self.by_hash.insert(hash, index);
        Ok(index)
    }
}

/// Writes what is shared, for as long as the state that shares it does not change.
#[derive(Default)]
pub(crate) struct TableWriter {
    values: Interned,
    knowledge: Interned,
}

impl TableWriter {
    /// The index of `knowledge` among all knowledge that was written.
    pub(crate) fn index<E>(&mut self, knowledge: &Knowledge, parts: &mut Parts<'_, E>) -> Result<u64, E> {
        let address = std::ptr::from_ref(knowledge.entries()).addr();
        if let Some(index) = self.knowledge.by_address.get(&address) {
            return Ok(*index);
        }
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.map(knowledge.len() as u64).expect("writing to memory cannot fail");
        for (key, known) in knowledge.entries() {
            e.str(key).expect("writing to memory cannot fail");
            // A large value is its index, a small one is itself in an array of one.
            match self.shared_value(&known.value, parts)? {
                Some(index) => e.u64(index).map(|_| ()),
                None => e.array(1).and_then(|e| e.encode(&known.value)).map(|_| ()),
            }
            .expect("writing to memory cannot fail");
        }
        let index = self.knowledge.index(item::KNOWLEDGE, &bytes, parts)?;
        self.knowledge.by_address.insert(address, index);
        Ok(index)
    }

    /// The index of a value among all that were written; `None`: it is small.
    fn shared_value<E>(&mut self, value: &Value, parts: &mut Parts<'_, E>) -> Result<Option<u64>, E> {
        let address = value.shared_address();
        if let Some(index) = address.and_then(|address| self.values.by_address.get(&address)) {
            return Ok(Some(*index));
        }
        if value.size() < SHARED_VALUE_BYTES_MIN {
            return Ok(None);
        }
        let encoded = minicbor::to_vec(value).expect("writing to memory cannot fail");
        let index = self.values.index(item::VALUE, &encoded, parts)?;
        if let Some(address) = address {
            self.values.by_address.insert(address, index);
        }
        Ok(Some(index))
    }
}

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    values: Vec<Value>,
    knowledge: Vec<Knowledge>,
}

impl Tables {
    /// Reads a value.
    pub(crate) fn read_value(&mut self, d: &mut Decoder<'_>) -> Result<(), Error> {
        self.values.push(d.decode()?);
        Ok(())
    }

    /// Reads what somebody knows.
    pub(crate) fn read_knowledge(&mut self, d: &mut Decoder<'_>) -> Result<(), Error> {
        let mut entries = BTreeMap::new();
        for _ in 0..length(d.map()?)? {
            let key: Text = d.decode()?;
            let value = match d.datatype()? {
                minicbor::data::Type::Array => {
                    d.array()?;
                    d.decode()?
                }
                _ => at(&self.values, d.u64()?)?,
            };
            let known = Known::new(&key, value);
            entries.insert(key, known);
        }
        self.knowledge.push(Knowledge::from_entries(entries));
        Ok(())
    }

    /// The knowledge at `index`.
    pub(crate) fn knowledge(&self, index: u64) -> Result<Knowledge, Error> {
        at(&self.knowledge, index)
    }
}

fn at<T: Clone>(items: &[T], index: u64) -> Result<T, Error> {
    let found = usize::try_from(index).ok().and_then(|index| items.get(index));
    found.cloned().ok_or_else(|| Error::message("it tells of something shared that was not written"))
}
