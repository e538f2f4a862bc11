//! A task in few bytes: all of it but its id.

use minicbor::Decoder;

use crate::{Object, RecentPairs, Revision, Task, TaskId, TaskStatus};

use super::{
    Out, Reading, Writing, bit, give, given,
    line::Place,
    names::{NamesRead, NamesWritten},
};

/// What many tasks have not.
mod has {
    pub(super) const METADATA: u8 = 1;
    pub(super) const PROGRESS: u8 = 2;
    pub(super) const OUTCOME: u8 = 4;
    pub(super) const OPEN_HANDOFF: u8 = 8;
}

impl Task {
    /// Where its history is told from.
    pub(super) fn place(&self) -> Place {
        Place { revision: self.revision.0, time_us: self.updated_us, owner_epoch: self.owner_epoch }
    }
}

pub(super) fn write_task<'a>(e: &mut Out<'_>, task: &'a Task, names: &mut NamesWritten<'a>) -> Writing {
    let Task {
        id: _,
        description,
        status,
        owner,
        owner_epoch,
        created_us,
        updated_us,
        metadata,
        revision,
        handoff_count,
        open_handoff,
        progress,
        outcome,
        recent_pairs,
        // Follows from the metadata.
        metadata_bytes: _,
    } = task;
    let has = bit(!metadata.is_empty(), has::METADATA)
        | bit(progress.is_some(), has::PROGRESS)
        | bit(!outcome.is_empty(), has::OUTCOME)
        | bit(open_handoff.is_some(), has::OPEN_HANDOFF);
    e.encode(status)?.u8(has)?.encode(description)?;
    give(e, has & has::METADATA != 0, metadata)?;
    give(e, has & has::PROGRESS != 0, progress)?;
    give(e, has & has::OUTCOME != 0, outcome)?;
    give(e, has & has::OPEN_HANDOFF != 0, open_handoff)?;
    e.u32(*handoff_count)?.i64(updated_us.wrapping_sub(*created_us))?;
    e.i64(*updated_us)?.encode(revision)?.u64(*owner_epoch)?;
    names.write(e, owner)?;
    e.u64(recent_pairs.len() as u64)?;
    for (from, to) in recent_pairs.iter() {
        names.write(e, from)?;
        names.write(e, to)?;
    }
    Ok(())
}

pub(super) fn read_task<'b>(d: &mut Decoder<'b>, id: &TaskId, names: &mut NamesRead<'b>) -> Reading<Task> {
    let (status, has, description) = (d.decode()?, d.u8()?, d.decode()?);
    let metadata: Object = given(d, has & has::METADATA != 0)?;
    let (progress, outcome) = (given(d, has & has::PROGRESS != 0)?, given(d, has & has::OUTCOME != 0)?);
    let open_handoff = given(d, has & has::OPEN_HANDOFF != 0)?;
    let (handoff_count, age_us) = (d.u32()?, d.i64()?);
    let Place { revision, time_us, owner_epoch } = read_place(d)?;
    Ok(Task {
        id: id.clone(),
        description,
        status,
        owner: names.read(d)?,
        owner_epoch,
        created_us: time_us.wrapping_sub(age_us),
        updated_us: time_us,
        metadata_bytes: metadata.size() as u64,
        metadata,
        revision: Revision(revision),
        handoff_count,
        open_handoff,
        progress,
        outcome,
        recent_pairs: read_pairs(d, names)?,
    })
}

/// Passes over a task, but for what its history is told from.
pub(super) fn skip_task<'b>(d: &mut Decoder<'b>, names: &mut NamesRead<'b>) -> Reading<Place> {
    let (_status, has): (TaskStatus, u8) = (d.decode()?, d.u8()?);
    // The description and what it has, its count of hand-offs and its age.
    for _ in 0..3 + has.count_ones() {
        d.skip()?;
    }
    let place = read_place(d)?;
    names.text(d)?;
    for _ in 0..2 * d.u64()? {
        names.text(d)?;
    }
    Ok(place)
}

fn read_place(d: &mut Decoder<'_>) -> Reading<Place> {
    Ok(Place { time_us: d.i64()?, revision: d.u64()?, owner_epoch: d.u64()? })
}

fn read_pairs<'b>(d: &mut Decoder<'b>, names: &mut NamesRead<'b>) -> Reading<RecentPairs> {
    let count = d.u64()?;
    let mut pairs = RecentPairs::with_capacity(usize::try_from(count).unwrap_or_default());
    for _ in 0..count {
        pairs.push(names.text(d)?, names.text(d)?);
    }
    Ok(pairs)
}
