//! Lines of a history in few bytes: the newest first, each told from the one after it.

use std::sync::Arc;

use minicbor::{Decoder, decode::Error as DecodeError};

use crate::{
    HandoffId, Revision, TaskId, TaskStatus,
    store::record::{StoredChange, StoredEntry},
};

use super::{
    Out, Reading, Writing,
    handoff::{read_handoff, write_handoff},
    names::{NamesRead, NamesWritten},
};

/// Where a line is told from.
#[derive(Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) revision: u64,
    pub(super) time_us: i64,
    pub(super) owner_epoch: u64,
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

/// Writes the lines, which are given oldest first; the newest is told from `newer`.
pub(super) fn write_lines<'a>(
    e: &mut Out<'_>,
    lines: &'a [StoredEntry],
    mut newer: Place,
    names: &mut NamesWritten<'a>,
) -> Writing {
    for line in lines.iter().rev() {
        write_line(e, line, newer, names)?;
        newer = line.place();
    }
    Ok(())
}

/// Reads so many lines, and gives them oldest first, with room for one more: mostly they are unpacked to get that.
pub(super) fn read_lines<'b>(
    d: &mut Decoder<'b>,
    count: usize,
    task: &TaskId,
    mut newer: Place,
    names: &mut NamesRead<'b>,
) -> Reading<Vec<StoredEntry>> {
    let mut lines = Vec::with_capacity(count.saturating_add(1));
    for _ in 0..count {
        let line = read_line(d, task, newer, names)?;
        newer = line.place();
        lines.push(line);
    }
    lines.reverse();
    Ok(lines)
}

fn write_line<'a>(
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

fn read_line<'b>(
    d: &mut Decoder<'b>,
    task: &TaskId,
    newer: Place,
    names: &mut NamesRead<'b>,
) -> Reading<StoredEntry> {
    let (kind, status, revision) = read_head(d, newer)?;
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

/// What a line begins with: its kind, the status and the revision.
fn read_head(d: &mut Decoder<'_>, newer: Place) -> Reading<(u8, TaskStatus, u64)> {
    Ok((d.u8()?, d.decode()?, newer.revision.wrapping_sub(d.i64()?.cast_unsigned())))
}

/// The revision of a line alone.
pub(super) fn read_revision(d: &mut Decoder<'_>, newer: Place) -> Reading<Revision> {
    read_head(d, newer).map(|(_, _, revision)| Revision(revision))
}
