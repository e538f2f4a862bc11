//! Some of the requests that are remembered, one after the other in few allocations.
//!
//! Knows nothing of bounds on how many there are: it only tells when it is full.

use std::ops::Range;

use crate::{
    Revision,
    digest::Digest,
    limits::{DESCRIBED_BYTES_COPIED_MAX, REQUEST_CHUNK_BYTES},
    remembered::{Described, Remembered},
};

/// Requests with consecutive numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    first_number: u64,
    places: Vec<Place>,
    /// The entries of all of them, each with what it does not say of its task.
    bytes: Vec<u8>,
    /// Where that is too much to be copied, it is shared: by the index of the place.
    shared: Vec<(usize, Described)>,
    shared_bytes: usize,
}

/// One of them.
#[derive(Clone, Debug)]
struct Place {
    // Not as a `Digest`, whose alignment would make each place larger by a fifth.
    key: [u8; 16],
    revision: Revision,
    time_us: i64,
    /// Where its bytes end; they begin where those before it end.
    end: u32,
}

impl Chunk {
    /// An empty one, whose first request will have that number.
    pub(crate) fn new(first_number: u64) -> Self {
        Self { first_number, places: Vec::new(), bytes: Vec::new(), shared: Vec::new(), shared_bytes: 0 }
    }

    /// Whether no more should be added: it may go only as a whole, so it must not hold too much.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() + self.shared_bytes >= REQUEST_CHUNK_BYTES
    }

    /// Gives back what memory it does not need, and gives the next, empty, with room for as much.
    pub(crate) fn close(&mut self) -> Self {
        self.places.shrink_to_fit();
        self.bytes.shrink_to_fit();
        let room = self.bytes.len().next_multiple_of(1024).min(2 * REQUEST_CHUNK_BYTES);
        Self {
            places: Vec::with_capacity(self.places.len()),
            bytes: Vec::with_capacity(room),
            ..Self::new(self.numbers().end)
        }
    }

    /// The numbers of its requests.
    pub(crate) fn numbers(&self) -> Range<u64> {
        self.first_number..self.first_number + self.places.len() as u64
    }

    /// Adds a request.
    pub(crate) fn push(&mut self, request: &Remembered<'_>) {
        let Remembered { key, revision, time_us, entry, described } = request;
        self.bytes.extend_from_slice(entry);
        match described {
            Some(described) if described.size() > DESCRIBED_BYTES_COPIED_MAX => {
                self.shared.push((self.places.len(), (*described).clone()));
                self.shared_bytes = self.shared_bytes.saturating_add(described.size());
            }
            Some(described) => described.write(&mut self.bytes),
            None => {}
        }
        let end = u32::try_from(self.bytes.len()).expect("an entry is bounded far below 2^32 bytes");
        self.places.push(Place { key: key.to_bytes(), revision: *revision, time_us: *time_us, end });
    }

    /// The request of that number, if it is here.
    pub(crate) fn get(&self, number: u64) -> Option<Remembered<'_>> {
        let index = self.index(number)?;
        let place = self.places.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.places[before].end);
        let shared = self.shared.binary_search_by_key(&index, |(index, _)| *index).ok();
        Some(Remembered {
            key: Digest::from_bytes(place.key),
            revision: place.revision,
            time_us: place.time_us,
            entry: &self.bytes[start as usize..place.end as usize],
            described: shared.map(|shared| &self.shared[shared].1),
        })
    }

    /// When the request of that number was recorded.
    pub(crate) fn time_us(&self, number: u64) -> Option<i64> {
        self.places.get(self.index(number)?).map(|place| place.time_us)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Remembered<'_>> {
        self.numbers().filter_map(|number| self.get(number))
    }

    fn index(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first_number).map(|index| index as usize)
    }
}
