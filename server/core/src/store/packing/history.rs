//! The history of a task in few bytes: the newest lines, the newest first, and the blocks of older ones as they are.

use minicbor::Decoder;

use crate::{TaskId, codec::length, store::history::StoredHistory};

use super::{
    Out, Reading, Writing,
    blocks::Blocks,
    line::{Place, read_lines, write_lines},
    names::{NamesRead, NamesWritten},
};

/// Writes it as the last of a record.
pub(super) fn write_history<'a>(
    e: &mut Out<'_>,
    history: &'a StoredHistory,
    place: Place,
    names: &mut NamesWritten<'a>,
) -> Writing {
    e.u64(history.dropped())?.array(history.newest().len() as u64)?;
    write_lines(e, history.newest(), place, names)?;
    let older = history.older();
    if older.count() > 0 {
        e.u64(older.count() as u64)?.writer_mut().extend_from_slice(older.bytes());
    }
    Ok(())
}

pub(super) fn read_history<'b>(
    d: &mut Decoder<'b>,
    id: &TaskId,
    place: Place,
    names: &mut NamesRead<'b>,
) -> Reading<StoredHistory> {
    let (dropped, count) = (d.u64()?, length(d.array()?)?);
    let newest = read_lines(d, usize::try_from(count).unwrap_or(usize::MAX), id, place, names)?;
    Ok(StoredHistory::restored(read_older(d)?, newest, dropped))
}

fn read_older(d: &mut Decoder<'_>) -> Reading<Blocks> {
    if d.position() == d.input().len() {
        return Ok(Blocks::default());
    }
    let count = usize::try_from(d.u64()?).unwrap_or(usize::MAX);
    Ok(Blocks::restored(count, &d.input()[d.position()..]))
}
