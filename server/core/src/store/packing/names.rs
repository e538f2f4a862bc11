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
pub(super) struct NamesRead<'b>(ArrayVec<NameRead<'b>, NUMBERED_MAX>);

struct NameRead<'b> {
    text: &'b str,
    /// Made when it is first asked for: who passes over a name needs none.
    id: Option<AgentId>,
}

impl<'b> NamesRead<'b> {
    pub(super) fn read(&mut self, d: &mut Decoder<'b>) -> Reading<AgentId> {
        match self.advance(d)? {
            Place::Numbered(number) => {
                let NameRead { text, id } = &mut self.0[number];
                Ok(id.get_or_insert_with(|| AgentId::from(*text)).clone())
            }
            Place::Alone(text) => Ok(AgentId::from(text)),
        }
    }

    /// Reads a name to be compared or copied.
    pub(super) fn text(&mut self, d: &mut Decoder<'b>) -> Reading<&'b str> {
        Ok(match self.advance(d)? {
            Place::Numbered(number) => self.0[number].text,
            Place::Alone(text) => text,
        })
    }

    fn advance(&mut self, d: &mut Decoder<'b>) -> Reading<Place<'b>> {
        if d.datatype()? == Type::String {
            let text = d.str()?;
            let number = self.0.len();
            let is_numbered = self.0.try_push(NameRead { text, id: None }).is_ok();
            return Ok(if is_numbered { Place::Numbered(number) } else { Place::Alone(text) });
        }
        let number = usize::try_from(d.u64()?).ok().filter(|number| *number < self.0.len());
        number.map(Place::Numbered).ok_or_else(|| DecodeError::message("no name has that number"))
    }
}

/// Where a name stands that was read.
enum Place<'b> {
    Numbered(usize),
    Alone(&'b str),
}
