//! The tables of a checkpoint: what is shared in memory is written once, and shared again when it is read.
//!
//! Found by content, so that the same state gives the same bytes whatever shares what in memory.

use std::collections::BTreeMap;

use minicbor::{Decoder, Encoder, decode::Error, encode::Write};

use crate::{Knowledge, Known, Text, Value, codec::length};

/// Values smaller than this are written where they stand.
const SHARED_VALUE_BYTES_MIN: usize = 64;

/// Encoded items, each once, in the order in which they were first met.
#[derive(Default)]
struct Interned {
    // Only saves hashing the same memory again.
    by_address: BTreeMap<usize, u64>,
    by_hash: BTreeMap<[u8; 32], u64>,
    items: Vec<Vec<u8>>,
}

impl Interned {
    fn index(&mut self, encoded: Vec<u8>) -> u64 {
        let hash = *blake3::hash(&encoded).as_bytes();
        *self.by_hash.entry(hash).or_insert_with(|| {
            self.items.push(encoded);
            self.items.len() as u64 - 1
        })
    }
}

/// What the tables are written from.
#[derive(Default)]
pub(crate) struct TableWriter {
    values: Interned,
    knowledge: Interned,
}

impl TableWriter {
    /// The index of `knowledge` in its table.
    pub(crate) fn index(&mut self, knowledge: &Knowledge) -> u64 {
        let address = std::ptr::from_ref(knowledge.entries()).addr();
        if let Some(index) = self.knowledge.by_address.get(&address) {
            return *index;
        }
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.map(knowledge.len() as u64).expect("writing to memory cannot fail");
        for (key, known) in knowledge.entries() {
            e.str(key).expect("writing to memory cannot fail");
            self.write_value(&known.value, &mut e);
        }
        let index = self.knowledge.index(bytes);
        self.knowledge.by_address.insert(address, index);
        index
    }

    /// A large value as the index in its table, a small one as itself in an array of one.
    fn write_value(&mut self, value: &Value, e: &mut Encoder<&mut Vec<u8>>) {
        let address = value.shared_address();
        let known = address.and_then(|address| self.values.by_address.get(&address).copied());
        let index = known
            .or_else(|| (value.size() >= SHARED_VALUE_BYTES_MIN).then(|| self.value_index(value, address)));
        match index {
            Some(index) => e.u64(index).map(|_| ()),
            None => e.array(1).and_then(|e| e.encode(value)).map(|_| ()),
        }
        .expect("writing to memory cannot fail");
    }

    fn value_index(&mut self, value: &Value, address: Option<usize>) -> u64 {
        let encoded = minicbor::to_vec(value).expect("writing to memory cannot fail");
        let index = self.values.index(encoded);
        if let Some(address) = address {
            self.values.by_address.insert(address, index);
        }
        index
    }

    /// Writes both tables.
    pub(crate) fn write<W: Write>(
        &self,
        e: &mut Encoder<W>,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        for table in [&self.values, &self.knowledge] {
            e.array(table.items.len() as u64)?;
            for item in &table.items {
                e.bytes(item)?;
            }
        }
        e.ok()
    }
}

/// The tables as read.
pub(crate) struct Tables {
    knowledge: Vec<Knowledge>,
}

impl Tables {
    /// Reads both tables.
    pub(crate) fn read(d: &mut Decoder<'_>) -> Result<Self, Error> {
        let values: Vec<Value> = read_items(d, |mut item| item.decode())?;
        let knowledge = read_items(d, |mut item| read_knowledge(&mut item, &values))?;
        Ok(Self { knowledge })
    }

    /// The knowledge at `index`.
    pub(crate) fn knowledge(&self, index: u64) -> Result<Knowledge, Error> {
        let found = usize::try_from(index).ok().and_then(|index| self.knowledge.get(index));
        found.cloned().ok_or_else(|| Error::message("no such knowledge in the table"))
    }
}

fn read_items<T>(
    d: &mut Decoder<'_>,
    read: impl Fn(Decoder<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let count = length(d.array()?)?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(read(Decoder::new(d.bytes()?))?);
    }
    Ok(items)
}

fn read_knowledge(d: &mut Decoder<'_>, values: &[Value]) -> Result<Knowledge, Error> {
    let mut entries = BTreeMap::new();
    for _ in 0..length(d.map()?)? {
        let key: Text = d.decode()?;
        let value = match d.datatype()? {
            minicbor::data::Type::Array => {
                d.array()?;
                d.decode()?
            }
            _ => {
                let index = usize::try_from(d.u64()?).ok();
                let found = index.and_then(|index| values.get(index));
                found.cloned().ok_or_else(|| Error::message("no such value in the table"))?
            }
        };
        let known = Known::new(&key, value);
        entries.insert(key, known);
    }
    Ok(Knowledge::from_entries(entries))
}
