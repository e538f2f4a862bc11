//! All hand-offs of a namespace, by id.
//!
//! A clone shares everything with the original until one of them is changed.

use std::{borrow::Cow, ops::Bound, sync::Arc};

use super::{
    kept::{Kept, merged},
    packing::{Buffer, pack_handoff, unpack_handoff},
    pages::{Pages, Run},
    sorted::Sorted,
};
use crate::{Handoff, HandoffId, HandoffStatus, Revision};

/// The present version of each hand-off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handoffs {
    /// Those that are not closed, of tasks that do not rest.
    as_is: Sorted<HandoffId, Arc<Handoff>>,
    /// The others.
    packed: Pages,
    /// Those of all that are not closed.
    open: Sorted<HandoffId, ()>,
    buffer: Buffer,
}

impl Handoffs {
    /// Puts one in place that was packed: closed, unless it is noted as [open](Self::restore_open).
    pub(crate) fn restore(&mut self, id: HandoffId, bytes: &[u8]) {
        self.packed.set(&handoff_key(id), bytes);
    }

    /// Puts many in place that were packed, under their [keys](handoff_key), all of them behind those that are there. Tells whether they are; if
    /// not, nothing is changed.
    pub(crate) fn restore_run(&mut self, run: Run) -> bool {
        self.packed.append(run)
    }

    /// Notes that one is not closed.
    pub(crate) fn restore_open(&mut self, id: HandoffId) {
        self.open.insert(id, ());
    }

    /// How many there are, about; a few large ones count as the many small ones that would take their room.
    pub(crate) fn count_about(&self) -> usize {
        self.as_is.len() + self.packed.count_max()
    }

    pub(crate) fn contains(&self, id: HandoffId) -> bool {
        self.as_is.contains(&id) || self.packed.contains(&handoff_key(id))
    }

    /// One of them packed.
    pub(crate) fn packed_one(&self, id: HandoffId) -> Option<Cow<'_, [u8]>> {
        self.kept(id).map(Kept::packed)
    }

    pub(crate) fn get(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        self.kept(id).map(|kept| kept.get(id))
    }

    /// Whether the present version is the one given, which it once was: one that is closed does not change any more.
    pub(crate) fn holds(&self, handoff: &Handoff) -> bool {
        handoff.status != HandoffStatus::Initiated || self.is_open(handoff.id)
    }

    /// Puts one in place, and gives back the version that was there. One that is closed is packed at once.
    pub(crate) fn put(&mut self, handoff: Arc<Handoff>) -> Option<Arc<Handoff>> {
        let (id, is_new) = (handoff.id, handoff.revision == handoff.id.0);
        let before = if is_new { None } else { self.get(id) };
        if handoff.status == HandoffStatus::Initiated {
            self.open.insert(id, ());
            self.as_is.insert(id, handoff);
            return before;
        }
        if !is_new {
            self.open.remove(&id);
            self.as_is.remove(&id);
        }
        self.pack_as(id, &handoff);
        before
    }

    pub(crate) fn is_open(&self, id: HandoffId) -> bool {
        self.open.contains(&id)
    }

    pub(crate) fn remove(&mut self, id: HandoffId) {
        self.as_is.remove(&id);
        self.packed.remove(&handoff_key(id));
        self.open.remove(&id);
    }

    /// Packs one that will hardly change soon.
    pub(super) fn pack(&mut self, id: HandoffId) {
        if let Some(handoff) = self.as_is.remove(&id) {
            self.pack_as(id, &handoff);
        }
    }

    fn pack_as(&mut self, id: HandoffId, handoff: &Handoff) {
        self.buffer.handoff(handoff, |bytes| self.packed.set(&handoff_key(id), bytes));
    }

    /// Those after `after`, in the order in which they were created.
    pub(crate) fn after(&self, after: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        self.ascending(after).map(|(id, kept)| kept.get(id))
    }

    /// Those before `before`, the newest first.
    pub(crate) fn before(&self, before: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        let as_is = self.as_is.descending(before.as_ref().map_or(Bound::Unbounded, Bound::Excluded));
        let before = before.map(handoff_key);
        let packed = self.packed.descending(before.as_ref().map(<[u8; 8]>::as_slice));
        let (as_is, packed) = (as_is.map(|(id, handoff)| (*id, handoff)), packed.map(of_page));
        merged(as_is, packed, |id, other| other.cmp(id)).map(|(id, kept)| kept.get(id))
    }

    /// Those that are not closed, in the order in which they were created.
    pub(crate) fn open(&self) -> impl Iterator<Item = HandoffId> {
        self.open.iter().map(|(id, ())| *id)
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (HandoffId, Cow<'_, [u8]>)> {
        self.ascending(None).map(|(id, kept)| (id, kept.packed()))
    }

    fn ascending(&self, after: Option<HandoffId>) -> impl Iterator<Item = (HandoffId, Kept<'_, Handoff>)> {
        let as_is = self.as_is.ascending(after.as_ref().map_or(Bound::Unbounded, Bound::Excluded));
        let after = after.map(handoff_key);
        let packed = self.packed.ascending(after.as_ref().map(<[u8; 8]>::as_slice));
        merged(as_is.map(|(id, handoff)| (*id, handoff)), packed.map(of_page), HandoffId::cmp)
    }

    fn kept(&self, id: HandoffId) -> Option<Kept<'_, Handoff>> {
        let as_is = self.as_is.get(&id).map(Kept::AsIs);
        as_is.or_else(|| self.packed.get(&handoff_key(id)).map(Kept::Packed))
    }
}

/// An id as a key that is ordered as ids are.
pub(crate) fn handoff_key(id: HandoffId) -> [u8; 8] {
    id.0.0.to_be_bytes()
}

fn of_page<'a>((key, bytes): (&[u8], &'a [u8])) -> (HandoffId, &'a [u8]) {
    let id = key.try_into().expect("all keys were made of ids");
    (HandoffId(Revision(u64::from_be_bytes(id))), bytes)
}

impl<'a> Kept<'a, Handoff> {
    fn packed(self) -> Cow<'a, [u8]> {
        match self {
            Self::AsIs(handoff) => Cow::Owned(pack_handoff(handoff)),
            Self::Packed(bytes) => Cow::Borrowed(bytes),
        }
    }

    fn get(self, id: HandoffId) -> Arc<Handoff> {
        match self {
            Self::AsIs(handoff) => Arc::clone(handoff),
            Self::Packed(bytes) => Arc::new(unpack_handoff(id, bytes)),
        }
    }
}
