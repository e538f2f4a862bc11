//! All hand-offs of a namespace, by id.
//!
//! A clone shares everything with the original until one of them is changed.

use std::{ops::Bound, sync::Arc};

use super::{
    packing::{pack_handoff, unpack_handoff},
    sorted::Sorted,
};
use crate::{Handoff, HandoffId, HandoffStatus};

/// The present version of each hand-off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handoffs {
    slots: Sorted<HandoffId, Slot>,
    /// Those of them that are not closed.
    open: Sorted<HandoffId, ()>,
}

// Cheap to clone: those that lie near one that changes are copied with it while a clone of the map is held.
#[derive(Clone, Debug)]
enum Slot {
    AsIs(Arc<Handoff>),
    Packed(Arc<[u8]>),
}

impl Handoffs {
    /// Puts one in place that was packed: closed, unless it is noted as [open](Self::restore_open).
    pub(crate) fn restore(&mut self, id: HandoffId, bytes: Arc<[u8]>) {
        self.slots.insert(id, Slot::Packed(bytes));
    }

    /// Notes that one is not closed.
    pub(crate) fn restore_open(&mut self, id: HandoffId) {
        self.open.insert(id, ());
    }

    pub(crate) fn contains(&self, id: HandoffId) -> bool {
        self.slots.contains(&id)
    }

    /// One of them packed.
    pub(crate) fn packed_one(&self, id: HandoffId) -> Option<Arc<[u8]>> {
        self.slots.get(&id).map(Slot::packed)
    }

    pub(crate) fn get(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        self.slots.get(&id).map(|slot| slot.get(id))
    }

    /// Whether the present version is the one given.
    pub(crate) fn holds(&self, handoff: &Handoff) -> bool {
        self.slots.get(&handoff.id).is_some_and(|slot| slot.get(handoff.id).revision == handoff.revision)
    }

    /// Puts one in place, and gives back the version that was there.
    pub(crate) fn put(&mut self, handoff: Arc<Handoff>) -> Option<Arc<Handoff>> {
        let id = handoff.id;
        if handoff.status == HandoffStatus::Initiated {
            self.open.insert(id, ());
        } else {
            self.open.remove(&id);
        }
        self.slots.insert(id, Slot::AsIs(handoff)).map(|before| before.get(id))
    }

    pub(crate) fn is_open(&self, id: HandoffId) -> bool {
        self.open.contains(&id)
    }

    pub(crate) fn remove(&mut self, id: HandoffId) {
        self.slots.remove(&id);
        self.open.remove(&id);
    }

    /// Packs one that will hardly change soon. Tells whether it was not packed before.
    pub(super) fn pack(&mut self, id: HandoffId) -> bool {
        match self.slots.get_mut(&id) {
            Some(slot @ Slot::AsIs(_)) => {
                *slot = Slot::Packed(slot.packed());
                true
            }
            _ => false,
        }
    }

    /// Those after `after`, in the order in which they were created.
    pub(crate) fn after(&self, after: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        let start = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        self.slots.ascending(start).map(|(id, slot)| slot.get(*id))
    }

    /// Those before `before`, the newest first.
    pub(crate) fn before(&self, before: Option<HandoffId>) -> impl Iterator<Item = Arc<Handoff>> {
        let end = before.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        self.slots.descending(end).map(|(id, slot)| slot.get(*id))
    }

    /// Those that are not closed, in the order in which they were created.
    pub(crate) fn open(&self) -> impl Iterator<Item = HandoffId> {
        self.open.iter().map(|(id, ())| *id)
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (HandoffId, Arc<[u8]>)> {
        self.slots.iter().map(|(id, slot)| (*id, slot.packed()))
    }
}

impl Slot {
    fn packed(&self) -> Arc<[u8]> {
        match self {
            Self::AsIs(handoff) => pack_handoff(handoff),
            Self::Packed(bytes) => Arc::clone(bytes),
        }
    }

    fn get(&self, id: HandoffId) -> Arc<Handoff> {
        match self {
            Self::AsIs(handoff) => Arc::clone(handoff),
            Self::Packed(bytes) => Arc::new(unpack_handoff(id, bytes)),
        }
    }
}
