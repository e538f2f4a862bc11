//! A hand-off in few bytes: all of it but its id and that of its task.

use minicbor::Decoder;

use crate::{Handoff, HandoffId, Revision, TaskId, Transfer, TransferSpec, Verdict};

use super::{
    Out, Reading, Writing, bit, give, given,
    names::{NamesRead, NamesWritten},
};

/// What many hand-offs have not; first what those have that were simply carried out.
mod has {
    pub(super) const COMPLETION: u8 = 1;
    pub(super) const GIVEN_EPOCH: u8 = 2;
    pub(super) const CONTEXT: u8 = 4;
    pub(super) const MOVED: u8 = 8;
    pub(super) const SPEC: u8 = 16;
    pub(super) const VERDICT: u8 = 32;
    pub(super) const FAILED_STEP: u8 = 64;
    pub(super) const ERROR: u8 = 128;
}

pub(super) fn write_handoff<'a>(
    e: &mut Out<'_>,
    handoff: &'a Handoff,
    names: &mut NamesWritten<'a>,
) -> Writing {
    let Handoff {
        id,
        task_id: _,
        from,
        to,
        reason,
        status,
        verdict,
        transfer: Transfer { spec, from_revision },
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
    let has = bit(completed_us.is_some(), has::COMPLETION)
        | bit(given_epoch.is_some(), has::GIVEN_EPOCH)
        | bit(context.is_some(), has::CONTEXT)
        | bit(from_revision.0 != 0, has::MOVED)
        | bit(*spec != TransferSpec::default(), has::SPEC)
        | bit(*verdict != Verdict::default(), has::VERDICT)
        | bit(failed_step.is_some(), has::FAILED_STEP)
        | bit(!error.is_empty(), has::ERROR);
    e.u8(has)?.encode(status)?;
    names.write(e, from)?;
    names.write(e, to)?;
    e.encode(reason)?.u64(revision.0 - id.0.0)?.u64(*owner_epoch)?;
    e.i64(*created_us)?.i64(judged_us.wrapping_sub(*created_us))?;
    give(e, has & has::COMPLETION != 0, &completed_us.map(|time_us| time_us.wrapping_sub(*judged_us)))?;
    give(e, has & has::GIVEN_EPOCH != 0, given_epoch)?;
    give(e, has & has::CONTEXT != 0, context)?;
    give(e, has & has::MOVED != 0, &revision.0.wrapping_sub(from_revision.0))?;
    give(e, has & has::SPEC != 0, spec)?;
    give(e, has & has::VERDICT != 0, verdict)?;
    give(e, has & has::FAILED_STEP != 0, failed_step)?;
    give(e, has & has::ERROR != 0, error)
}

pub(super) fn read_handoff<'b>(
    d: &mut Decoder<'b>,
    id: HandoffId,
    task_id: &TaskId,
    names: &mut NamesRead<'b>,
) -> Reading<Handoff> {
    let (has, status) = (d.u8()?, d.decode()?);
    let (from, to, reason) = (names.read(d)?, names.read(d)?, d.decode()?);
    let (revision, owner_epoch) = (id.0.0 + d.u64()?, d.u64()?);
    let created_us = d.i64()?;
    let judged_us = created_us.wrapping_add(d.i64()?);
    let took_us: Option<i64> = given(d, has & has::COMPLETION != 0)?;
    let given_epoch = given(d, has & has::GIVEN_EPOCH != 0)?;
    let context = given(d, has & has::CONTEXT != 0)?;
    let moved = if has & has::MOVED != 0 { revision.wrapping_sub(d.u64()?) } else { 0 };
    let spec = given(d, has & has::SPEC != 0)?;
    Ok(Handoff {
        id,
        task_id: task_id.clone(),
        from,
        to,
        reason,
        status,
        verdict: given(d, has & has::VERDICT != 0)?,
        transfer: Transfer { spec, from_revision: Revision(moved) },
        context,
        created_us,
        judged_us,
        completed_us: took_us.map(|took_us| judged_us.wrapping_add(took_us)),
        failed_step: given(d, has & has::FAILED_STEP != 0)?,
        owner_epoch,
        revision: Revision(revision),
        error: given(d, has & has::ERROR != 0)?,
        given_epoch,
    })
}
