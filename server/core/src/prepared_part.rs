//! A part of a checkpoint, made ready for the state that it is read into.
//!
//! That needs no state, so it can be done by other threads for several parts at once. To put hand-offs and tasks into pages takes longest; the
//! rest is left as it was read.

use minicbor::{Decoder, decode::Error as DecodeError};

use crate::{
    CheckpointError,
    checkpoint_parts::{Section, read_items},
    store::{Run, handoff_key},
};

/// A part that is ready.
#[derive(Debug)]
pub struct PreparedPart {
    pub(crate) section: Section,
    pub(crate) items: Items,
}

/// What is in it.
#[derive(Debug)]
pub(crate) enum Items {
    Handoffs(Run),
    Tasks(Run),
    /// Anything else: the whole part.
    Others(Vec<u8>),
}

impl PreparedPart {
    /// Makes a part ready.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`] if it is damaged.
    pub fn new(bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        let d = &mut Decoder::new(&bytes);
        let section = d.decode()?;
        let mut run = Run::default();
        let items = match section {
            Section::Handoffs => {
                read_items(d, |d| in_order(run.push(&handoff_key(d.decode()?), d.bytes()?)))?;
                Items::Handoffs(run)
            }
            Section::Tasks => {
                read_items(d, |d| in_order(run.push(d.str()?.as_bytes(), d.bytes()?)))?;
                Items::Tasks(run)
            }
            _ => Items::Others(bytes),
        };
        Ok(Self { section, items })
    }
}

/// Whether an item, or a part of them, came behind those before it.
pub(crate) fn in_order(is_behind: bool) -> Result<(), DecodeError> {
    if is_behind { Ok(()) } else { Err(DecodeError::message("its hand-offs or tasks are not in order")) }
}
