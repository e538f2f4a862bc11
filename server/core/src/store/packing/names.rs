//! The names of agents within one packed record: each as a text the first time, and as a number after that.

use arrayvec::ArrayVec;
use minicbor::{Decoder, data::Type, decode::Error as DecodeError};

use crate::AgentId;

use super::{Out, Reading, Writing};

/// Only so many different names have numbers, so that looking for one takes no longer however many there are.
const NUMBERED_MAX: usize = 32;

/// The names that were written, in the order of their numbers.
#[derive(Default)]
pub(super) struct NamesWritten<'a>(ArrayVec<&'a str, NUMBERED_MAX>);

impl<'a> NamesWritten<'a> {
    pub(super) fn write(&mut self, e: &mut Out<'_>, name: &'a str) -> Writing {
        if let Some(number) = self.0.iter().position(|written| *written == name) {
            return e.u64(number as u64)?.ok();
        }
        // Where there is no room it stays without a number.
        let _ = self.0.try_push(name);
        e.str(name)?.ok()
    }
}

/// The names that were read, in the order of their numbers.
#[derive(Default)]
pub(super) struct NamesRead(ArrayVec<AgentId, NUMBERED_MAX>);

impl NamesRead {
    pub(super) fn read(&mut self, d: &mut Decoder<'_>) -> Reading<AgentId> {
        if d.datatype()? == Type::String {
            let name: AgentId = d.decode()?;
            let _ = self.0.try_push(name.clone());
            return Ok(name);
        }
        let number = usize::try_from(d.u64()?).ok();
        let found = number.and_then(|number| self.0.get(number)).cloned();
        found.ok_or_else(|| DecodeError::message("no name has that number"))
    }
}
