//! Older lines of a history, packed in blocks that are written once: who adds a line to a long history unpacks few of them.

use minicbor::{Decoder, Encoder};

use crate::{Revision, TaskId, store::record::StoredEntry};

use super::{
    OWN_BYTES, TO_MEMORY,
    line::{Place, read_lines, read_revision, write_lines},
    names::{NamesRead, NamesWritten},
};

/// Lines of a block. With more, each change of a task that rests would unpack more; with fewer, names and times would be repeated more often.
pub(in crate::store) const BLOCK_LINES: usize = 8;

/// Blocks of [`BLOCK_LINES`] lines each, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Blocks {
    count: usize,
    /// Each as a byte string of CBOR.
    bytes: Vec<u8>,
}

impl Blocks {
    /// From the bytes of so many.
    pub(super) fn restored(count: usize, bytes: &[u8]) -> Self {
        Self { count, bytes: bytes.to_vec() }
    }

    pub(in crate::store) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(in crate::store) fn iter(&self) -> impl Iterator<Item = Block<'_>> {
        let mut d = Decoder::new(&self.bytes);
        (0..self.count).map(move |_| Block(d.bytes().expect(OWN_BYTES)))
    }

    /// Adds the newest.
    pub(in crate::store) fn push(&mut self, lines: &[StoredEntry]) {
        self.bytes.extend_from_slice(&packed(lines));
        self.count += 1;
    }

    /// Takes the oldest away.
    pub(in crate::store) fn drop_oldest(&mut self) {
        let mut d = Decoder::new(&self.bytes);
        d.skip().expect(OWN_BYTES);
        let end = d.position();
        self.bytes.drain(..end);
        self.count -= 1;
    }

    /// Has `change` change the lines of the oldest block that reaches that revision, if there is one.
    pub(in crate::store) fn alter(
        &mut self,
        task: &TaskId,
        revision: Revision,
        change: impl FnOnce(&mut [StoredEntry]),
    ) {
        let mut d = Decoder::new(&self.bytes);
        for _ in 0..self.count {
            let start = d.position();
            let block = Block(d.bytes().expect(OWN_BYTES));
            if block.newest() >= revision {
                let mut lines = block.lines(task);
                change(&mut lines);
                let end = d.position();
                self.bytes.splice(start..end, packed(&lines));
                return;
            }
        }
    }
}

/// The lines of one block.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Block<'a>(&'a [u8]);

impl Block<'_> {
    /// The revision of its newest line.
    pub(in crate::store) fn newest(self) -> Revision {
        read_revision(&mut Decoder::new(self.0), Place::default()).expect(OWN_BYTES)
    }

    /// Its lines, the oldest first.
    pub(in crate::store) fn lines(self, task: &TaskId) -> Vec<StoredEntry> {
        let (mut d, mut names) = (Decoder::new(self.0), NamesRead::default());
        read_lines(&mut d, BLOCK_LINES, task, Place::default(), &mut names).expect(OWN_BYTES)
    }
}

/// A block as a byte string: its names and times are its own, so that it can be read, and copied, alone.
fn packed(lines: &[StoredEntry]) -> Vec<u8> {
    debug_assert_eq!(lines.len(), BLOCK_LINES, "a block is full");
    let mut block = Vec::new();
    let mut names = NamesWritten::default();
    write_lines(&mut Encoder::new(&mut block), lines, Place::default(), &mut names).expect(TO_MEMORY);
    let mut bytes = Vec::with_capacity(block.len() + size_of::<u64>() + 1);
    Encoder::new(&mut bytes).bytes(&block).expect(TO_MEMORY);
    bytes
}
