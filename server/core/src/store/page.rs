//! A few keys with their values, all of them bytes, in order in one allocation.
//!
//! Knows nothing of how large a page should be, but for how many items it has room.

use std::cmp::Ordering;

use arrayvec::ArrayVec;

/// Most items that should be left in a page: many enough that what a page takes itself hardly counts, few enough that one is soon copied.
pub(super) const ITEMS_MAX: usize = 16;

/// Up to [`ITEMS_MAX`] keys with their values; there is room for one more until it is split. What is before the last value takes less than
/// 64 KiB: a value of any size may only come to lie behind the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    places: ArrayVec<Place, { ITEMS_MAX + 1 }>,
    /// Each item's key and value. Has hardly more room than it needs, but where items are [pushed](Self::push).
    bytes: Vec<u8>,
}

/// Where an item is; it ends where the next one begins.
#[derive(Clone, Copy, Debug)]
struct Place {
    key: u16,
    value: u16,
}

const TOO_LARGE: &str = "only the last value of a page may be large";

impl Page {
    /// An empty one, into which so many bytes can be [pushed](Self::push) before it takes more memory.
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { places: ArrayVec::new(), bytes: Vec::with_capacity(bytes) }
    }

    /// How many items it has.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many bytes its items take.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn key(&self, at: usize) -> &[u8] {
        let Place { key, value } = self.places[at];
        &self.bytes[usize::from(key)..usize::from(value)]
    }

    pub(super) fn value(&self, at: usize) -> &[u8] {
        &self.bytes[usize::from(self.places[at].value)..self.size_of_first(at + 1)]
    }

    /// The key behind all others, if there is one.
    pub(super) fn last_key(&self) -> Option<&[u8]> {
        Some(self.key(self.len().checked_sub(1)?))
    }

    /// All keys with their values, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        (0..self.len()).map(|at| (self.key(at), self.value(at)))
    }

    /// Where the item of that key is, or would be.
    pub(super) fn place(&self, key: &[u8]) -> Result<usize, usize> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            match self.key(middle).cmp(key) {
                Ordering::Less => from = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => to = middle,
            }
        }
        Err(from)
    }

    /// Puts an item in before the one at `at`. There must be room for one more.
    pub(super) fn insert(&mut self, at: usize, key: &[u8], value: &[u8]) {
        let start = self.size_of_first(at);
        self.make_room(start, start, key.len() + value.len());
        let middle = start + key.len();
        self.bytes[start..middle].copy_from_slice(key);
        self.bytes[middle..middle + value.len()].copy_from_slice(value);
        self.places.insert(at, Place { key: offset(start), value: offset(middle) });
        self.move_items(at + 1, start, middle + value.len());
    }

    /// Puts an item in behind all others, with room for more: it is to be made to [fit](Self::fit) after the last.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.bytes.reserve(key.len() + value.len());
        let start = self.bytes.len();
        self.places.push(Place { key: offset(start), value: offset(start + key.len()) });
        self.bytes.extend_from_slice(key);
        self.bytes.extend_from_slice(value);
    }

    /// Gives the item at `at` another value.
    pub(super) fn set(&mut self, at: usize, value: &[u8]) {
        let (start, end) = (usize::from(self.places[at].value), self.size_of_first(at + 1));
        self.make_room(start, end, value.len());
        self.bytes[start..start + value.len()].copy_from_slice(value);
        self.move_items(at + 1, end, start + value.len());
    }

    /// Takes the item at `at` out.
    pub(super) fn remove(&mut self, at: usize) {
        let (start, end) = (self.size_of_first(at), self.size_of_first(at + 1));
        self.make_room(start, end, 0);
        self.places.remove(at);
        self.move_items(at, end, start);
    }

    /// Splits off the items from `at` on.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let start = self.size_of_first(at);
        let mut right = Self { places: self.places.drain(at..).collect(), bytes: self.bytes[start..].into() };
        right.move_items(0, start, 0);
        self.bytes.truncate(start);
        self.fit();
        right
    }

    /// Takes the items of `other`, all of whose keys are behind those here. There must be room for them.
    pub(super) fn append(&mut self, other: &Self) {
        let (items, start) = (self.len(), self.size());
        self.bytes.reserve_exact(other.size());
        self.bytes.extend_from_slice(&other.bytes);
        self.places.extend(other.places.iter().copied());
        self.move_items(items, 0, start);
    }

    /// Where to split it so that both halves take about as much: neither has nothing.
    pub(super) fn middle(&self) -> usize {
        self.items_within(self.size() / 2).clamp(1, self.len() - 1)
    }

    /// How many of its first items take no more than so many bytes together.
    pub(super) fn items_within(&self, bytes: usize) -> usize {
        (1..=self.len()).take_while(|items| self.size_of_first(*items) <= bytes).count()
    }

    /// How many bytes its first items take, so many of them.
    pub(super) fn size_of_first(&self, items: usize) -> usize {
        self.places.get(items).map_or(self.size(), |place| usize::from(place.key))
    }

    /// Makes the bytes between `start` and `end` so many.
    fn make_room(&mut self, start: usize, end: usize, length: usize) {
        let (before, after) = (self.bytes.len(), self.bytes.len() - (end - start) + length);
        if after > self.bytes.capacity() {
            self.bytes.reserve_exact(rounded(after) - before);
        }
        self.bytes.resize(before.max(after), 0);
        self.bytes.copy_within(end..before, start + length);
        self.bytes.truncate(after);
        self.fit();
    }

    /// Gives back what room it does not need. Copied, since an allocator may leave what shrinks where it is, up to half of it empty.
    pub(super) fn fit(&mut self) {
        if rounded(self.bytes.len()) < self.bytes.capacity() {
            let mut fitting = Vec::with_capacity(rounded(self.bytes.len()));
            fitting.extend_from_slice(&self.bytes);
            self.bytes = fitting;
        }
    }

    /// The items from `at` on have moved.
    fn move_items(&mut self, at: usize, from: usize, to: usize) {
        let moved = |place: u16| offset(usize::from(place) - from + to);
        for place in &mut self.places[at..] {
            *place = Place { key: moved(place.key), value: moved(place.value) };
        }
    }
}

/// Room for so many bytes, and up to a seventh more: allocators round up about as much, and so not every change has to ask for more.
fn rounded(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}

fn offset(place: usize) -> u16 {
    u16::try_from(place).expect(TOO_LARGE)
}
