//! All hand-offs of a namespace, by id.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    sync::Arc,
};

use super::packing::{pack_handoff, unpack_handoff};
use crate::{Handoff, HandoffId, HandoffStatus};

/// The present version of each hand-off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Handoffs {
    slots: BTreeMap<HandoffId, Slot>,
    /// Those of them that are not closed.
    open: BTreeSet<HandoffId>,
}

#[derive(Clone, Debug)]
enum Slot {
    AsIs(Arc<Handoff>),
    Packed(Box<[u8]>),
}

impl Handoffs {
    /// Hand-offs that were packed, in the order of their ids, those among them that are `open`.
    pub(crate) fn restored(packed: Vec<(HandoffId, Box<[u8]>)>, open: BTreeSet<HandoffId>) -> Self {
        let slots = packed.into_iter().map(|(id, bytes)| (id, Slot::Packed(bytes))).collect();
        Self { slots, open }
    }

    /// Puts back one that was packed, and closed.
    pub(crate) fn restore(&mut self, id: HandoffId, bytes: Box<[u8]>) {
        self.slots.insert(id, Slot::Packed(bytes));
    }

    pub(crate) fn contains(&self, id: HandoffId) -> bool {
        self.slots.contains_key(&id)
    }

    /// One of them packed.
    pub(crate) fn packed_one(&self, id: HandoffId) -> Option<Box<[u8]>> {
        self.slots.get(&id).map(|slot| slot.packed())
    }

    pub(crate) fn get(&self, id: HandoffId) -> Option<Arc<Handoff>> {
        self.slots.get(&id).map(|slot| slot.get(id))
    }

    /// Whether the present version is the one given.
    pub(crate) fn holds(&self, handoff: &Handoff) -> bool {
        self.slots.get(&handoff.id).is_some_and(|slot| slot.get(handoff.id).revision == handoff.revision)
    }

    pub(crate) fn put(&mut self, handoff: Arc<Handoff>) {
        if handoff.status == HandoffStatus::Initiated {
            self.open.insert(handoff.id);
        } else {
            self.open.remove(&handoff.id);
        }
        self.slots.insert(handoff.id, Slot::AsIs(handoff));
    }

    pub(crate) fn is_open(&self, id: HandoffId) -> bool {
        self.open.contains(&id)
    }

    pub(crate) fn remove(&mut self, id: HandoffId) {
        self.slots.remove(&id);
        self.open.remove(&id);
    }

    /// Packs one that will hardly change soon.
    pub(super) fn pack(&mut self, id: HandoffId) {
        if let Some(slot) = self.slots.get_mut(&id)
            && let Slot::AsIs(handoff) = slot
        {
            *slot = Slot::Packed(pack_handoff(handoff));
        }
    }

    /// Those of `range`, in the order in which they were created.
    pub(crate) fn range(
        &self,
        range: impl RangeBounds<HandoffId>,
    ) -> impl DoubleEndedIterator<Item = Arc<Handoff>> {
        self.slots.range(range).map(|(id, slot)| slot.get(*id))
    }

    /// Those that are not closed, in the order in which they were created.
    pub(crate) fn open(&self) -> impl ExactSizeIterator<Item = HandoffId> {
        self.open.iter().copied()
    }

    /// All of them packed, in the order of their ids.
    pub(crate) fn packed(&self) -> impl ExactSizeIterator<Item = (HandoffId, Box<[u8]>)> {
        self.slots.iter().map(|(id, slot)| (*id, slot.packed()))
    }
}

impl Slot {
    fn packed(&self) -> Box<[u8]> {
        match self {
            Self::AsIs(handoff) => pack_handoff(handoff),
            Self::Packed(bytes) => bytes.clone(),
        }
    }

    fn get(&self, id: HandoffId) -> Arc<Handoff> {
        match self {
            Self::AsIs(handoff) => Arc::clone(handoff),
            Self::Packed(bytes) => Arc::new(unpack_handoff(id, bytes)),
        }
    }
}
