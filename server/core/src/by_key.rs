//! A small map whose values stand in the order in which their keys came first.
//!
//! Looked up by a hash of the key, without a comparison per level as a sorted map needs; iterated in an order that no hash decides.

use std::borrow::Borrow;

use hashbrown::HashTable;

use crate::text_hash::text_hash;

/// What is under each key. Whoever makes up keys that collide makes a batch slower by as many comparisons as it has commands.
#[derive(Debug)]
pub(crate) struct ByKey<K, V> {
    in_order: Vec<(K, V)>,
    /// Where each stands in that order.
    index: HashTable<Slot>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    place: u32,
}

impl<K, V> ByKey<K, V> {
    /// An empty one with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self { in_order: Vec::with_capacity(count), index: HashTable::with_capacity(count) }
    }
}

impl<K: Borrow<str>, V> ByKey<K, V> {
    /// The value under `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&V> {
        self.place(text_hash(key), key).map(|place| &self.in_order[place].1)
    }

    /// Whether there is a value under `key`.
    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.place(text_hash(key), key).is_some()
    }

    /// Puts `value` under `key`, in the place of what is there.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let hash = text_hash(key.borrow());
        match self.place(hash, key.borrow()) {
            Some(place) => self.in_order[place].1 = value,
            None => {
                let slot = Slot { hash, place: self.in_order.len() as u32 };
                self.index.insert_unique(spread(hash), slot, |slot| spread(slot.hash));
                self.in_order.push((key, value));
            }
        }
    }

    fn place(&self, hash: u32, key: &str) -> Option<usize> {
        let is_it = |slot: &Slot| slot.hash == hash && self.in_order[slot.place as usize].0.borrow() == key;
        self.index.find(spread(hash), is_it).map(|slot| slot.place as usize)
    }
}

impl<K, V> IntoIterator for ByKey<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.in_order.into_iter()
    }
}

/// The table looks at both ends of a hash of twice the width.
fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
