//! Where requests stand, by the digests of their ids, in eight bytes for each.
//!
//! Knows nothing of the requests: whoever asks tells whether what is found is it.

use hashbrown::HashTable;

use crate::digest::Digest;

/// Numbers of requests, by digests.
// Only ever looked up, never iterated: its order cannot reach the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestIndex(HashTable<Slot>);

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The head of the digest: most others are told apart without a look at the requests, and a table that grows needs none.
    tag: u32,
    number: u32,
}

impl Slot {
    fn hash(&self) -> u64 {
        hash(self.tag)
    }
}

/// Digests are even, but the table looks at both ends of a hash of twice the width.
fn hash(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl RequestIndex {
    /// An empty one with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(HashTable::with_capacity(count))
    }

    /// The number under `key` that `is_it`.
    pub(crate) fn find(&self, key: Digest, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = key.head();
        let found = self.0.find(hash(tag), |slot| slot.tag == tag && is_it(slot.number));
        found.map(|slot| slot.number)
    }

    /// Adds `number` under `key`.
    pub(crate) fn insert(&mut self, key: Digest, number: u32) {
        let slot = Slot { tag: key.head(), number };
        self.0.insert_unique(slot.hash(), slot, Slot::hash);
    }

    /// Removes `number` from under `key`.
    pub(crate) fn remove(&mut self, key: Digest, number: u32) {
        if let Ok(entry) = self.0.find_entry(hash(key.head()), |slot| slot.number == number) {
            entry.remove();
        }
    }
}
