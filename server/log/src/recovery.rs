//! Judges the end of a log when it is opened: whole, a torn end that may be cut, or damage that must stop the server.
//!
//! Pure: the newest records come in as arguments. What lies further back is checked when it is read.

use std::path::Path;

use crate::answered::Answered;
use crate::chain::Anchor;
use crate::{Chain, Damage, OpenError, Record};

/// How many of a namespace's newest records are checked when a log is opened.
pub(crate) const TAIL_RECORDS: usize = 8;

/// A record, and its place in the order of all appends to a log.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Position among all records of the log, from 1.
    pub(crate) sequence: u64,
    /// Sequence of the first record that was appended together with this one.
    pub(crate) append_first: u64,
    /// Bytes of bodies that were ever appended to the log, up to and with this record.
    pub(crate) position: u64,
    pub(crate) record: Record,
}

/// The newest records of one namespace, oldest first.
pub(crate) struct Tail {
    pub(crate) anchor: Anchor,
    pub(crate) records: Vec<Placed>,
}

/// What is to be done with the end of a log.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing.
    Whole,
    /// The newest append is torn and was never answered: remove all records from this sequence on.
    Cut { append_first: u64, damage: Damage },
}

/// Judges the tails of all namespaces; `answered` is the sequence of the newest record that somebody relies on.
///
/// Only the newest append may be cut: a single writer has at most one append under way when it dies, so damage before
/// that one was not caused by dying.
///
/// # Errors
/// The first [`Damage`] that may not be cut.
pub(crate) fn judge(tails: &[Tail], answered: u64) -> Result<Verdict, Damage> {
    let newest = tails.iter().flat_map(|tail| tail.records.last()).max_by_key(|placed| placed.sequence);
    let Some(newest) = newest else { return Ok(Verdict::Whole) };
    let append_first = newest.append_first;
    let cuttable = append_first > answered && is_one_append(tails, append_first);

    let mut torn = None;
    for tail in tails {
        let Some((placed, damage)) = first_damage(tail) else { continue };
        if !cuttable || placed.sequence < append_first {
            return Err(damage);
        }
        torn.get_or_insert(damage);
    }
    Ok(torn.map_or(Verdict::Whole, |damage| Verdict::Cut { append_first, damage }))
}

/// Tells the operator what was cut.
pub(crate) fn warn_of_cut(path: &Path, damage: &Damage) {
    tracing::warn!(
        path = %path.display(),
        namespace = %damage.namespace,
        revision = damage.revision,
        damage = %damage.what,
        "cut the torn end of the log: its newest append was never answered"
    );
}

/// The mark for a log that ends so: once it is open, all that it holds can be read, so all of it counts as answered.
pub(crate) fn answered_at_end(tails: &[Tail]) -> Answered {
    let newest = tails.iter().flat_map(|tail| tail.records.last()).max_by_key(|placed| placed.sequence);
    let removed = tails.iter().map(|tail| tail.anchor.sequence).max().unwrap_or(0);
    match newest {
        Some(newest) if newest.sequence > removed => Answered::new(newest.sequence, &newest.record),
        _ => Answered { sequence: removed, ..Answered::NOTHING },
    }
}

/// Turns a damage found while opening into the error for the operator.
pub(crate) fn damaged(path: &Path, damage: Damage) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), damage }
}

/// An append has one record per namespace at most; if more lie beyond its beginning, the beginning is damaged itself.
fn is_one_append(tails: &[Tail], append_first: u64) -> bool {
    tails.iter().all(|tail| tail.records.iter().filter(|placed| placed.sequence >= append_first).count() <= 1)
}

fn first_damage(tail: &Tail) -> Option<(&Placed, Damage)> {
    let first = tail.records.first()?;
    let mut chain = if first.record.first_revision == tail.anchor.revision + 1 {
        Chain::after(&first.record.namespace, tail.anchor.revision, tail.anchor.hash)
    } else {
        Chain::anywhere(&first.record.namespace)
    };
    tail.records.iter().find_map(|placed| Some((placed, chain.follow(&placed.record).err()?)))
}
