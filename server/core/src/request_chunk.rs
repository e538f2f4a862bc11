//! Some of the requests that are remembered, one after the other in few allocations.
//!
//! Knows nothing of bounds on how many there are: it only tells when it is full.

use std::ops::Range;

use crate::{
    Revision,
    digest::Digest,
    limits::{DESCRIBED_BYTES_COPIED_MAX, REQUEST_CHUNK_BYTES, REQUEST_CHUNK_BYTES_FIRST},
    remembered::{Described, Remembered},
};

/// Room is made for a place for so many bytes of entries, until it is known how many there are.
const PLACE_PER_BYTES: usize = 256;

/// Requests with consecutive numbers.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    first_number: u64,
    /// Most bytes of more than one entry.
    room: usize,
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
        Self::with_room(first_number, REQUEST_CHUNK_BYTES_FIRST, REQUEST_CHUNK_BYTES_FIRST / PLACE_PER_BYTES)
    }

    fn with_room(first_number: u64, room: usize, places: usize) -> Self {
        Self {
            first_number,
            room,
            places: Vec::with_capacity(places),
            bytes: Vec::with_capacity(room),
            shared: Vec::new(),
            shared_bytes: 0,
        }
    }

    /// Whether the request should be added. There is room for one, whatever its size; more than that do not share a chunk that holds much,
    /// for it may go only as a whole.
    pub(crate) fn has_room_for(&self, request: &Remembered<'_>) -> bool {
        let (mut bytes, mut shared) = (self.bytes.len() + request.entry.len(), self.shared_bytes);
        match request.described {
            Some(described) if is_shared(described) => shared = shared.saturating_add(described.size()),
            Some(described) => bytes += described.size(),
            None => {}
        }
        self.places.is_empty() || (bytes <= self.room && bytes.saturating_add(shared) <= REQUEST_CHUNK_BYTES)
    }

    /// Gives back what memory it does not need, and gives the next, empty, with room for twice as much: few requests take little memory,
    /// and none is copied when more come.
    pub(crate) fn close(&mut self) -> Self {
        self.places.shrink_to_fit();
        self.bytes.shrink_to_fit();
        let bytes = self.bytes.len();
        let room = (2 * bytes).next_power_of_two().clamp(REQUEST_CHUNK_BYTES_FIRST, REQUEST_CHUNK_BYTES);
        Self::with_room(self.numbers().end, room, self.places.len() * room / bytes.max(1))
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
            Some(described) if is_shared(described) => {
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

    /// The digest of its id.
    pub(crate) fn key(&self, number: u64) -> Option<Digest> {
        self.places.get(self.index(number)?).map(|place| Digest::from_bytes(place.key))
    }

    /// Those from that number on, with their numbers.
    pub(crate) fn iter_from(&self, number: u64) -> impl Iterator<Item = (u64, Remembered<'_>)> {
        let Range { start, end } = self.numbers();
        (start.max(number)..end).filter_map(|number| Some((number, self.get(number)?)))
    }

    /// Where the last of them was recorded.
    pub(crate) fn last_revision(&self) -> Option<Revision> {
        self.places.last().map(|place| place.revision)
    }

    /// The number of the first that was recorded after `revision`, or that of the first of the next chunk.
    pub(crate) fn number_after(&self, revision: Revision) -> u64 {
        self.first_number + self.places.partition_point(|place| place.revision <= revision) as u64
    }

    fn index(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first_number).map(|index| index as usize)
    }
}

/// Whether it is too much to be copied.
fn is_shared(described: &Described) -> bool {
    described.size() > DESCRIBED_BYTES_COPIED_MAX
}
