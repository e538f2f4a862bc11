//! Reads what the journal holds when a log is opened.
//!
//! Changes nothing. Knows nothing of the database, but for the sequence of its newest record.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use bytes::Bytes;

use super::frame::{self, Found};
use crate::recovery::Placed;
use crate::{Damage, LogId};

/// What the journal adds to the database.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    /// The records that follow the newest one of the database, in order.
    pub(crate) placed: Vec<Placed>,
    /// What ends them, if it is a frame that was begun or altered: the sequence of its first record, and the damage.
    pub(crate) torn: Option<(u64, Damage)>,
}

/// Reads the frames that follow `sequence`, up to the first one that does not follow or is not whole.
pub(crate) fn load(folder: &Path, log: LogId, sequence: u64) -> io::Result<Loaded> {
    let mut files = Vec::new();
    for path in super::paths(folder) {
        match fs::read(path) {
            Ok(bytes) => files.push(Bytes::from(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            Err(error) => return Err(error),
        }
    }
    // The older file comes first.
    files.sort_by_key(|bytes| first_sequence(log, bytes));
    let mut loaded = Loaded::default();
    let mut newest = sequence;
    for bytes in files {
        loaded.take_file(log, &mut newest, bytes);
    }
    Ok(loaded)
}

fn first_sequence(log: LogId, bytes: &Bytes) -> u64 {
    match frame::decode(log, bytes) {
        Found::Whole { placed, .. } => placed.first().map_or(0, |first| first.sequence),
        Found::Damaged { after, .. } => after.sequence + 1,
        Found::Nothing => 0,
    }
}

impl Loaded {
    /// `newest` is the sequence of the newest record so far.
    fn take_file(&mut self, log: LogId, newest: &mut u64, mut bytes: Bytes) {
        // What its first frame says of the use; behind its frames lie those of earlier uses.
        let mut used = None;
        while self.torn.is_none() {
            match frame::decode(log, &bytes) {
                Found::Whole { placed, bytes: size, used: found } if *used.get_or_insert(found) == found => {
                    if !self.take_frame(newest, placed) {
                        return;
                    }
                    bytes = bytes.split_off(size.min(bytes.len()));
                }
                Found::Damaged { used: found, after, damage }
                    if *used.get_or_insert(found) == found && after.sequence == *newest =>
                {
                    self.torn = Some((after.sequence + 1, damage));
                }
                _ => return,
            }
        }
    }

    /// Whether it goes on from what there is.
    fn take_frame(&mut self, newest: &mut u64, placed: Vec<Placed>) -> bool {
        let (Some(first), Some(last)) = (placed.first(), placed.last()) else { return false };
        if first.sequence > *newest + 1 {
            return false;
        }
        if last.sequence > *newest {
            *newest = last.sequence;
            self.placed.extend(placed);
        }
        true
    }
}
