//! Tasks, histories and hand-offs in few bytes (CBOR, RFC 8949), and back.
//!
//! Canonical: what is equal gives equal bytes. What the place of the bytes tells is left out, and so is what most have not; times and revisions
//! are written as distances, which are small. Only ever read by the program that wrote them, or from a checkpoint whose checksum and version
//! were checked.

mod blocks;
mod handoff;
mod history;
mod line;
mod names;
mod task;
#[cfg(test)]
mod tests;

use std::{convert::Infallible, sync::Arc};

use minicbor::{Decode, Decoder, Encode, Encoder, decode::Error as DecodeError};

use crate::{Handoff, HandoffId, Task, TaskId, TaskStatus};

use self::{
    handoff::{read_handoff, write_handoff},
    history::{read_history, write_history},
    names::{NamesRead, NamesWritten},
    task::{read_task, skip_task, write_task},
};
use super::{history::StoredHistory, record::StoredRecord};

pub(super) use blocks::{BLOCK_LINES, Block, Blocks};

type Out<'a> = Encoder<&'a mut Vec<u8>>;
type Writing = Result<(), minicbor::encode::Error<Infallible>>;
type Reading<T> = Result<T, DecodeError>;

/// Why unpacking cannot fail.
const OWN_BYTES: &str = "the bytes are as they were packed";
const TO_MEMORY: &str = "writing to memory cannot fail";

/// Largest buffer that is kept for the next use, in bytes.
const BUFFER_BYTES_KEPT: usize = 4 * 1024;

/// Memory to pack into, so that nothing need be allocated each time. Empty between uses: a clone costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer(Vec<u8>);

impl Buffer {
    /// Has `take` take the packed task.
    pub(super) fn record<T>(&mut self, record: &StoredRecord, take: impl FnOnce(&[u8]) -> T) -> T {
        self.pack(|e| write_record(e, record), take)
    }

    /// Has `take` take the packed hand-off.
    pub(super) fn handoff<T>(&mut self, handoff: &Handoff, take: impl FnOnce(&[u8]) -> T) -> T {
        self.pack(|e| write_own(e, handoff), take)
    }

    fn pack<T>(&mut self, write: impl FnOnce(&mut Out<'_>) -> Writing, take: impl FnOnce(&[u8]) -> T) -> T {
        write(&mut Encoder::new(&mut self.0)).expect(TO_MEMORY);
        let taken = take(&self.0);
        self.0.clear();
        self.0.shrink_to(BUFFER_BYTES_KEPT);
        taken
    }
}

/// A task with its history. Hand-offs that are kept beside it are named, not repeated.
pub(super) fn pack_record(record: &StoredRecord) -> Vec<u8> {
    Buffer::default().record(record, <[u8]>::to_vec)
}

fn write_record(e: &mut Out<'_>, record: &StoredRecord) -> Writing {
    let mut names = NamesWritten::default();
    write_task(e, &record.task, &mut names)?;
    write_history(e, &record.history, record.task.place(), &mut names)
}

/// Whether the task is finished, without unpacking the rest.
pub(super) fn is_finished(bytes: &[u8]) -> bool {
    let status: Reading<TaskStatus> = Decoder::new(bytes).decode();
    status.expect(OWN_BYTES).is_finished()
}

/// The task alone.
pub(crate) fn unpack_task(id: &TaskId, bytes: &[u8]) -> Task {
    read_task(&mut Decoder::new(bytes), id, &mut NamesRead::default()).expect(OWN_BYTES)
}

/// The task with its history.
pub(super) fn unpack_record(id: &TaskId, bytes: &[u8]) -> StoredRecord {
    let read = || {
        let (mut d, mut names) = (Decoder::new(bytes), NamesRead::default());
        let task = read_task(&mut d, id, &mut names)?;
        let history = read_history(&mut d, id, task.place(), &mut names)?;
        Ok::<_, DecodeError>(StoredRecord { task: Arc::new(task), history })
    };
    read().expect(OWN_BYTES)
}

/// The history alone: for a task of which there is a newer version.
pub(super) fn unpack_history(id: &TaskId, bytes: &[u8]) -> StoredHistory {
    let read = || {
        let (mut d, mut names) = (Decoder::new(bytes), NamesRead::default());
        let place = skip_task(&mut d, &mut names)?;
        read_history(&mut d, id, place, &mut names)
    };
    read().expect(OWN_BYTES)
}

/// A hand-off.
pub(super) fn pack_handoff(handoff: &Handoff) -> Vec<u8> {
    Buffer::default().handoff(handoff, <[u8]>::to_vec)
}

/// A hand-off with the id of its task.
fn write_own(e: &mut Out<'_>, handoff: &Handoff) -> Writing {
    write_handoff(e.encode(&handoff.task_id)?, handoff, &mut NamesWritten::default())
}

/// The hand-off alone.
pub(crate) fn unpack_handoff(id: HandoffId, bytes: &[u8]) -> Handoff {
    let read = || {
        let mut d = Decoder::new(bytes);
        let task_id = d.decode()?;
        read_handoff(&mut d, id, &task_id, &mut NamesRead::default())
    };
    read().expect(OWN_BYTES)
}

/// Writes a value if it is noted as given.
fn give<T: Encode<()>>(e: &mut Out<'_>, is_given: bool, value: &T) -> Writing {
    if is_given { e.encode(value)?.ok() } else { Ok(()) }
}

/// Reads a value if it is noted as given.
fn given<'b, T: Decode<'b, ()> + Default>(d: &mut Decoder<'b>, is_given: bool) -> Reading<T> {
    if is_given { d.decode() } else { Ok(T::default()) }
}

/// That bit if something is given.
fn bit(is_given: bool, bit: u8) -> u8 {
    if is_given { bit } else { 0 }
}
