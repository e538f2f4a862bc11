//! The history of a task in few bytes: the newest line first, each told from the one after it.

use std::{collections::VecDeque, sync::Arc};

use minicbor::{Decoder, decode::Error as DecodeError};

use crate::{
    HandoffId, History, Revision, Task, TaskId,
    codec::length,
    store::record::{StoredChange, StoredEntry},
};

use super::{
    Out, Reading, Writing,
    handoff::{read_handoff, write_handoff},
    names::{NamesRead, NamesWritten},
};

/// Where a line is told from.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) revision: u64,
    pub(super) time_us: i64,
    pub(super) owner_epoch: u64,
}

pub(super) fn write_history<'a>(
    e: &mut Out<'_>,
    history: &'a History<StoredEntry>,
    task: &'a Task,
    names: &mut NamesWritten<'a>,
) -> Writing {
    e.u64(history.dropped())?.array(history.entries().len() as u64)?;
    let mut place = task.place();
    for entry in history.entries().iter().rev() {
        write_entry(e, entry, place, names)?;
        place = entry.place();
    }
    Ok(())
}

pub(super) fn read_history<'b>(
    d: &mut Decoder<'b>,
    id: &TaskId,
    mut place: Place,
    names: &mut NamesRead<'b>,
) -> Reading<History<StoredEntry>> {
    let (dropped, count) = (d.u64()?, length(d.array()?)?);
    // Mostly it is unpacked to get one more.
    let room = usize::try_from(count).unwrap_or_default().saturating_add(1);
    let mut entries = VecDeque::with_capacity(room);
    for _ in 0..count {
        let entry = read_entry(d, id, place, names)?;
        place = entry.place();
        entries.push_front(entry);
    }
    Ok(History::restored(entries, dropped))
}

impl StoredEntry {
    fn place(&self) -> Place {
        Place { revision: self.revision.0, time_us: self.time_us, owner_epoch: self.owner_epoch }
    }
}

/// Kinds of lines.
mod kind {
    use crate::store::record::StoredChange;

    pub(super) const CREATED: u8 = 0;
    pub(super) const STARTED: u8 = 1;
    pub(super) const UPDATED: u8 = 2;
    pub(super) const ENDED: u8 = 3;
    pub(super) const HANDOFF_KEPT: u8 = 4;
    pub(super) const HANDOFF_PAST: u8 = 5;

    pub(super) fn of(what: &StoredChange) -> u8 {
        match what {
            StoredChange::Created => CREATED,
            StoredChange::Started => STARTED,
            StoredChange::Updated => UPDATED,
            StoredChange::Ended(_) => ENDED,
            StoredChange::Kept(_) => HANDOFF_KEPT,
            StoredChange::Past(_) => HANDOFF_PAST,
        }
    }
}

fn write_entry<'a>(
    e: &mut Out<'_>,
    entry: &'a StoredEntry,
    newer: Place,
    names: &mut NamesWritten<'a>,
) -> Writing {
    let StoredEntry { revision, time_us, what, status, owner, owner_epoch } = entry;
    e.u8(kind::of(what))?.encode(status)?;
    // The newest line may be newer than the task: a refused hand-off is told of, and leaves the task as it was.
    e.i64(newer.revision.wrapping_sub(revision.0).cast_signed())?
        .i64(newer.time_us.wrapping_sub(*time_us))?;
    e.i64(newer.owner_epoch.wrapping_sub(*owner_epoch).cast_signed())?;
    names.write(e, owner)?;
    match what {
        StoredChange::Created | StoredChange::Started | StoredChange::Updated => Ok(()),
        StoredChange::Ended(outcome) => e.encode(outcome)?.ok(),
        StoredChange::Kept(id) => e.u64(revision.0 - id.0.0)?.ok(),
        StoredChange::Past(handoff) => write_handoff(e.u64(revision.0 - handoff.id.0.0)?, handoff, names),
    }
}

fn read_entry<'b>(
    d: &mut Decoder<'b>,
    task: &TaskId,
    newer: Place,
    names: &mut NamesRead<'b>,
) -> Reading<StoredEntry> {
    let (kind, status) = (d.u8()?, d.decode()?);
    let revision = newer.revision.wrapping_sub(d.i64()?.cast_unsigned());
    let time_us = newer.time_us.wrapping_sub(d.i64()?);
    let owner_epoch = newer.owner_epoch.wrapping_sub(d.i64()?.cast_unsigned());
    let owner = names.read(d)?;
    let handoff = |d: &mut Decoder<'_>| Ok::<_, DecodeError>(HandoffId(Revision(revision - d.u64()?)));
    let what = match kind {
        kind::HANDOFF_KEPT => StoredChange::Kept(handoff(d)?),
        kind::CREATED => StoredChange::Created,
        kind::STARTED => StoredChange::Started,
        kind::UPDATED => StoredChange::Updated,
        kind::ENDED => StoredChange::Ended(d.decode()?),
        _ => {
            let id = handoff(d)?;
            StoredChange::Past(Arc::new(read_handoff(d, id, task, names)?))
        }
    };
    Ok(StoredEntry { revision: Revision(revision), time_us, what, status, owner, owner_epoch })
}
