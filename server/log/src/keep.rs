//! Finds the first record that is to be kept, by age and by size.
//!
//! Times and positions never go back along a chain, so a search by halves finds it. Knows nothing of what keeps the log.

use crate::{Damage, DamageKind, ReadError};

/// What of a log is to be kept. What is not set asks for everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// The records of this time and later, in microseconds since the Unix epoch.
    pub since_us: Option<i64>,
    /// The newest bytes of bodies, of all namespaces together; a record that reaches into them is kept whole.
    pub bytes: Option<u64>,
}

/// A record, as far as it matters for how long it is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) first_revision: u64,
    pub(crate) last_revision: u64,
    pub(crate) time_us: i64,
    /// Bytes of bodies that were ever appended to the log, up to and with this record.
    pub(crate) position: u64,
}

impl Keep {
    /// Whether it asks for a record of a log that ends at the position `end`.
    fn wants(&self, place: &Place, end: u64) -> bool {
        let young = self.since_us.is_none_or(|since_us| place.time_us >= since_us);
        young && self.bytes.is_none_or(|bytes| place.position > end.saturating_sub(bytes))
    }

    /// The first revision of the first wanted record among the revisions from `oldest` to `newest`; `newest + 1` if none
    /// is wanted. `at` looks up the record that holds a revision, about log2 of the revisions times.
    pub(crate) fn first(
        &self,
        namespace: &str,
        (oldest, newest): (u64, u64),
        end: u64,
        mut at: impl FnMut(u64) -> Result<Option<Place>, ReadError>,
    ) -> Result<u64, ReadError> {
        // Records before `from` are not wanted, those from `until` on are.
        let (mut from, mut until) = (oldest, newest + 1);
        // Most often there is nothing to remove, so the oldest is looked at first.
        let mut probe = oldest;
        while from < until {
            let holds = |place: &Place| (place.first_revision..=place.last_revision).contains(&probe);
            let Some(place) = at(probe)?.filter(holds) else {
                return Err(Damage::new(namespace, probe, DamageKind::Missing).into());
            };
            if self.wants(&place, end) {
                until = place.first_revision.max(from);
            } else {
                from = place.last_revision + 1;
            }
            probe = from + until.saturating_sub(from) / 2;
        }
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use super::{Keep, Place};
    use crate::{Damage, DamageKind, ReadError};

    /// A log of `count` records of one event and one byte each, at the times 1, 2, 3, …
    fn look(count: u64, revision: u64) -> Option<Place> {
        let place = |at| Place { first_revision: at, last_revision: at, time_us: at as i64, position: at };
        (revision <= count).then(|| place(revision))
    }

    #[test]
    fn a_search_looks_at_few_records() {
        const COUNT: u64 = 1 << 40;
        let keeps = [
            (Keep::default(), 1, 1),
            (Keep { since_us: Some(COUNT as i64), bytes: None }, COUNT, 42),
            (Keep { since_us: Some(7), bytes: Some(1) }, COUNT, 42),
            (Keep { since_us: Some(12_345), bytes: None }, 12_345, 42),
            (Keep { since_us: None, bytes: Some(0) }, COUNT + 1, 42),
        ];
        for (keep, first, looks_max) in keeps {
            let mut looks = 0;
            let found = keep.first("a", (1, COUNT), COUNT, |revision| {
                looks += 1;
                Ok(look(COUNT, revision))
            });
            assert_eq!(found, Ok(first), "{keep:?}");
            assert!(looks <= looks_max, "{keep:?} took {looks} looks");
        }
    }

    #[test]
    fn a_missing_record_is_damage_and_ends_the_search() {
        let keep = Keep { since_us: Some(90), bytes: None };
        let missing = |revision| ReadError::from(Damage::new("a", revision, DamageKind::Missing));
        let nothing = keep.first("a", (1, 100), 100, |_| Ok(None));
        assert_eq!(nothing, Err(missing(1)));
        // As a table answers that lacks the records after 60: with the last one before.
        let hole = keep.first("a", (1, 100), 100, |revision| Ok(look(100, revision.min(60))));
        assert_eq!(hole, Err(missing(76)));
    }
}
