//! Tasks, histories and hand-offs in few bytes (CBOR, RFC 8949), and back.
//!
//! Canonical: what is equal gives equal bytes. Ids that the place of the bytes tells are left out, and times and revisions are written as
//! distances, which are small. Only ever read by the program that wrote them, or from a checkpoint whose checksum and version were checked.

use std::{collections::VecDeque, convert::Infallible, sync::Arc};

use minicbor::{Decoder, Encoder, decode::Error as DecodeError};

use crate::{
    AgentId, Handoff, HandoffId, History, Revision, Task, TaskId, TaskStatus,
    codec::{length, optional_shared},
};

use super::record::{StoredChange, StoredEntry, StoredRecord};

type Out<'a> = Encoder<&'a mut Vec<u8>>;
type Writing = Result<(), minicbor::encode::Error<Infallible>>;
type Reading<T> = Result<T, DecodeError>;

/// Why unpacking cannot fail.
const OWN_BYTES: &str = "the bytes are as they were packed";

/// A task with its history. Hand-offs that are kept beside it are named, not repeated.
pub(super) fn pack_record(record: &StoredRecord) -> Vec<u8> {
    pack(|e| {
        write_task(e, &record.task)?;
        write_history(e, &record.history, &record.task)
    })
}

/// Whether the task is finished, without unpacking the rest.
pub(super) fn is_finished(bytes: &[u8]) -> bool {
    let mut d = Decoder::new(bytes);
    let status: Reading<TaskStatus> = d.str().and_then(|_description| d.decode());
    status.expect(OWN_BYTES).is_finished()
}

/// The task alone.
pub(crate) fn unpack_task(id: &TaskId, bytes: &[u8]) -> Task {
    read_task(&mut Decoder::new(bytes), id).expect(OWN_BYTES)
}

/// The task with its history.
pub(super) fn unpack_record(id: &TaskId, bytes: &[u8]) -> StoredRecord {
    let read = || {
        let mut d = Decoder::new(bytes);
        let task = read_task(&mut d, id)?;
        let history = read_history(&mut d, task.created_us, task.owner.clone())?;
        Ok::<_, DecodeError>(StoredRecord { task: Arc::new(task), history })
    };
    read().expect(OWN_BYTES)
}

/// The history alone: for a task of which there is a newer version.
pub(super) fn unpack_history(bytes: &[u8]) -> History<StoredEntry> {
    let read = || {
        let mut d = Decoder::new(bytes);
        let (created_us, owner) = skip_task(&mut d)?;
        read_history(&mut d, created_us, owner)
    };
    read().expect(OWN_BYTES)
}

pub(super) fn pack_handoff(handoff: &Handoff) -> Vec<u8> {
    pack(|e| write_handoff(e, handoff))
}

/// The hand-off alone.
pub(crate) fn unpack_handoff(id: HandoffId, bytes: &[u8]) -> Handoff {
    read_handoff(&mut Decoder::new(bytes), id).expect(OWN_BYTES)
}

fn pack(write: impl FnOnce(&mut Out<'_>) -> Writing) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    write(&mut Encoder::new(&mut bytes)).expect("writing to memory cannot fail");
    bytes
}

/// All of a task but its id.
fn write_task(e: &mut Out<'_>, task: &Task) -> Writing {
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
        metadata_bytes,
    } = task;
    e.encode(description)?.encode(status)?.encode(owner)?.u64(*owner_epoch)?;
    e.i64(*created_us)?.i64(updated_us.wrapping_sub(*created_us))?;
    e.encode(metadata)?.encode(revision)?.u32(*handoff_count)?.encode(open_handoff)?;
    e.encode(progress)?.encode(outcome)?.encode(recent_pairs)?.u64(*metadata_bytes)?.ok()
}

fn read_task(d: &mut Decoder<'_>, id: &TaskId) -> Reading<Task> {
    let (description, status, owner, owner_epoch) = (d.decode()?, d.decode()?, d.decode()?, d.u64()?);
    let created_us = d.i64()?;
    Ok(Task {
        id: id.clone(),
        description,
        status,
        owner,
        owner_epoch,
        created_us,
        updated_us: created_us.wrapping_add(d.i64()?),
        metadata: d.decode()?,
        revision: d.decode()?,
        handoff_count: d.u32()?,
        open_handoff: d.decode()?,
        progress: d.decode()?,
        outcome: d.decode()?,
        recent_pairs: d.decode()?,
        metadata_bytes: d.u64()?,
    })
}

/// Passes over a task, but for what its history is told from: when it was created and who owns it.
fn skip_task(d: &mut Decoder<'_>) -> Reading<(i64, AgentId)> {
    let (_description, _status): (&str, TaskStatus) = (d.str()?, d.decode()?);
    let (owner, _owner_epoch, created_us) = (d.decode()?, d.u64()?, d.i64()?);
    for _from_updated_us_to_metadata_bytes in 0..9 {
        d.skip()?;
    }
    Ok((created_us, owner))
}

fn write_history(e: &mut Out<'_>, history: &History<StoredEntry>, task: &Task) -> Writing {
    e.u64(history.dropped())?.array(history.entries().len() as u64)?;
    let (mut revision, mut time_us, mut owner) = (0, task.created_us, &task.owner);
    for entry in history.entries() {
        e.u64(entry.revision.0 - revision)?.i64(entry.time_us.wrapping_sub(time_us))?;
        e.encode(entry.status)?.encode((entry.owner != *owner).then_some(&entry.owner))?;
        e.u64(entry.owner_epoch)?;
        write_change(e, &entry.what)?;
        (revision, time_us, owner) = (entry.revision.0, entry.time_us, &entry.owner);
    }
    Ok(())
}

fn read_history(d: &mut Decoder<'_>, created_us: i64, mut owner: AgentId) -> Reading<History<StoredEntry>> {
    let dropped = d.u64()?;
    let count = length(d.array()?)?;
    let mut entries = VecDeque::with_capacity(usize::try_from(count).unwrap_or_default());
    let (mut revision, mut time_us) = (0, created_us);
    for _ in 0..count {
        revision += d.u64()?;
        time_us = time_us.wrapping_add(d.i64()?);
        let status = d.decode()?;
        owner = d.decode::<Option<_>>()?.unwrap_or(owner);
        let owner_epoch = d.u64()?;
        let what = read_change(d)?;
        let (revision, owner) = (Revision(revision), owner.clone());
        entries.push_back(StoredEntry { revision, time_us, what, status, owner, owner_epoch });
    }
    Ok(History::restored(entries, dropped))
}

/// Kinds of entries.
mod kind {
    pub(super) const CREATED: u8 = 0;
    pub(super) const STARTED: u8 = 1;
    pub(super) const UPDATED: u8 = 2;
    pub(super) const ENDED: u8 = 3;
    pub(super) const HANDOFF_KEPT: u8 = 4;
    pub(super) const HANDOFF_PAST: u8 = 5;
}

fn write_change(e: &mut Out<'_>, what: &StoredChange) -> Writing {
    match what {
        StoredChange::Created => e.u8(kind::CREATED)?.ok(),
        StoredChange::Started => e.u8(kind::STARTED)?.ok(),
        StoredChange::Updated => e.u8(kind::UPDATED)?.ok(),
        StoredChange::Ended(outcome) => e.u8(kind::ENDED)?.encode(outcome)?.ok(),
        StoredChange::Kept(id) => e.u8(kind::HANDOFF_KEPT)?.encode(id)?.ok(),
        StoredChange::Past(handoff) => write_handoff(e.u8(kind::HANDOFF_PAST)?.encode(handoff.id)?, handoff),
    }
}

fn read_change(d: &mut Decoder<'_>) -> Reading<StoredChange> {
    Ok(match d.u8()? {
        kind::CREATED => StoredChange::Created,
        kind::STARTED => StoredChange::Started,
        kind::UPDATED => StoredChange::Updated,
        kind::ENDED => StoredChange::Ended(d.decode()?),
        kind::HANDOFF_KEPT => StoredChange::Kept(d.decode()?),
        _ => {
            let id = d.decode()?;
            StoredChange::Past(Arc::new(read_handoff(d, id)?))
        }
    })
}

/// All of a hand-off but its id.
fn write_handoff(e: &mut Out<'_>, handoff: &Handoff) -> Writing {
    let Handoff {
        id,
        task_id,
        from,
        to,
        reason,
        status,
        verdict,
        transfer,
        context,
        created_us,
        judged_us,
        completed_us,
        failed_step,
        owner_epoch,
        revision,
        error,
        given_epoch,
    } = handoff;
    e.encode(task_id)?.encode(from)?.encode(to)?.encode(reason)?.encode(status)?;
    e.encode(verdict)?.encode(transfer)?;
    optional_shared::encode(context, e, &mut ())?;
    e.i64(*created_us)?.i64(judged_us.wrapping_sub(*created_us))?;
    e.encode(completed_us.map(|completed_us| completed_us.wrapping_sub(*judged_us)))?;
    e.encode(failed_step)?.u64(*owner_epoch)?.u64(revision.0 - id.0.0)?;
    e.encode(error)?.encode(given_epoch)?.ok()
}

fn read_handoff(d: &mut Decoder<'_>, id: HandoffId) -> Reading<Handoff> {
    let (task_id, from, to, reason, status) =
        (d.decode()?, d.decode()?, d.decode()?, d.decode()?, d.decode()?);
    let (verdict, transfer, context) = (d.decode()?, d.decode()?, optional_shared::decode(d, &mut ())?);
    let created_us = d.i64()?;
    let judged_us = created_us.wrapping_add(d.i64()?);
    let completed_us: Option<i64> = d.decode()?;
    Ok(Handoff {
        id,
        task_id,
        from,
        to,
        reason,
        status,
        verdict,
        transfer,
        context,
        created_us,
        judged_us,
        completed_us: completed_us.map(|since| judged_us.wrapping_add(since)),
        failed_step: d.decode()?,
        owner_epoch: d.u64()?,
        revision: Revision(id.0.0 + d.u64()?),
        error: d.decode()?,
        given_epoch: d.decode()?,
    })
}
