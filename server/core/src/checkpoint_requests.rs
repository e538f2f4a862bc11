//! The remembered requests of a checkpoint, oldest first.
//!
//! An answer that shares what it says with the state names it instead of repeating it.

use std::sync::Arc;

use minicbor::{Decode, Decoder, Encode, data::Type, decode::Error as DecodeError};

use crate::{
    Answer, BuiltInRule, Handoff, HandoffId, State, StateWritten, Task, Text,
    checkpoint_parts::{Parts, Section},
    requests::{KeptAnswer, Remembered},
};

impl State {
    /// Writes all requests, and gives their number.
    pub(crate) fn write_requests<E>(&self, parts: &mut Parts<'_, E>) -> Result<u64, E> {
        let mut count = 0;
        for (key, remembered) in self.requests.iter() {
            parts.item(Section::Requests, |e| {
                e.encode(key)?.encode(remembered.fingerprint)?.i64(remembered.time_us)?;
                match &remembered.answer {
                    KeptAnswer::Packed(bytes) => e.bytes(bytes)?.ok(),
                    KeptAnswer::Shared(answer) => e.encode(self.packed_answer(answer))?.ok(),
                }
            })?;
            count += 1;
        }
        Ok(count)
    }

    /// Reads one request. All tasks and hand-offs were read before.
    pub(crate) fn read_request(&mut self, d: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (key, fingerprint, time_us) = (d.decode()?, d.decode()?, d.i64()?);
        let answer = match d.datatype()? {
            Type::Bytes => KeptAnswer::Packed(d.bytes()?.into()),
            _ => KeptAnswer::Shared(self.unpacked_answer(d.decode()?)?),
        };
        self.requests.insert(key, Remembered { fingerprint, time_us, answer }, self.memory);
        Ok(())
    }

    fn packed_handoff(&self, handoff: &Handoff) -> PackedHandoff {
        if self.handoffs.holds(handoff) {
            PackedHandoff::Present(handoff.id)
        } else {
            PackedHandoff::Past(Box::new(handoff.clone()))
        }
    }

    fn unpacked_handoff(&self, packed: PackedHandoff) -> Result<Arc<Handoff>, DecodeError> {
        match packed {
            PackedHandoff::Past(handoff) => Ok(Arc::from(handoff)),
            PackedHandoff::Present(id) => self
                .handoffs
                .get(id)
                .ok_or_else(|| DecodeError::message("a hand-off of the request memory is missing")),
        }
    }

    fn packed_task(&self, task: &Task) -> PackedTask {
        match self.tasks.task(&task.id) {
            Some(present) if present.revision == task.revision => {
                PackedTask::Present(task.id.as_str().into())
            }
            _ => PackedTask::Past(Box::new(task.clone())),
        }
    }

    fn unpacked_task(&self, packed: PackedTask) -> Result<Arc<Task>, DecodeError> {
        match packed {
            PackedTask::Past(task) => Ok(Arc::from(task)),
            PackedTask::Present(id) => self
                .tasks
                .task(id.as_str())
                .ok_or_else(|| DecodeError::message("a task of the request memory is missing")),
        }
    }

    fn packed_answer(&self, answer: &Answer) -> PackedAnswer {
        match answer {
            Answer::Task(task) => PackedAnswer::Task(self.packed_task(task)),
            Answer::Handoff(handoff, task) => {
                PackedAnswer::Handoff(self.packed_handoff(handoff), self.packed_task(task))
            }
            Answer::State(written) => PackedAnswer::State((**written).clone()),
            Answer::Rule { rule, on } => PackedAnswer::Rule(*rule, *on),
        }
    }

    fn unpacked_answer(&self, packed: PackedAnswer) -> Result<Answer, DecodeError> {
        Ok(match packed {
            PackedAnswer::Task(task) => Answer::Task(self.unpacked_task(task)?),
            PackedAnswer::Handoff(handoff, task) => {
                Answer::Handoff(self.unpacked_handoff(handoff)?, self.unpacked_task(task)?)
            }
            PackedAnswer::State(written) => Answer::State(Arc::new(written)),
            PackedAnswer::Rule(rule, on) => Answer::Rule { rule, on },
        })
    }
}

/// A hand-off as it is now, by its id, or as it was once.
#[derive(Encode, Decode)]
enum PackedHandoff {
    #[n(0)]
    Present(#[n(0)] HandoffId),
    #[n(1)]
    Past(#[n(0)] Box<Handoff>),
}

/// A task as it is now, by its id, or as it was once.
#[derive(Encode, Decode)]
enum PackedTask {
    #[n(0)]
    Present(#[n(0)] Text),
    #[n(1)]
    Past(#[n(0)] Box<Task>),
}

#[derive(Encode, Decode)]
enum PackedAnswer {
    #[n(0)]
    Task(#[n(0)] PackedTask),
    #[n(1)]
    Handoff(#[n(0)] PackedHandoff, #[n(1)] PackedTask),
    #[n(2)]
    State(#[n(0)] StateWritten),
    #[n(3)]
    Rule(#[n(0)] BuiltInRule, #[n(1)] bool),
}
