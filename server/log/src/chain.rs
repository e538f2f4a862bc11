//! Follows a chain record by record and says where it breaks.
//!
//! Knows nothing of where the records come from.

use std::sync::Arc;

use crate::{Damage, DamageKind, Hash, ReadError, ReadLimit, Record};

/// The place in a chain after which records are kept: nothing before it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    /// Last revision that was removed, 0 if none was.
    pub(crate) revision: u64,
    /// Checksum of the last record that was removed, [`Hash::ZERO`] if none was.
    pub(crate) hash: Hash,
    /// Sequence of the last record that was removed, 0 if none was.
    pub(crate) sequence: u64,
}

impl Anchor {
    /// Nothing was removed.
    pub(crate) const START: Anchor = Anchor { revision: 0, hash: Hash::ZERO, sequence: 0 };
}

/// A walk along one namespace's chain.
#[derive(Clone, Debug)]
pub struct Chain {
    namespace: Arc<str>,
    /// Unknown until the first record if the walk begins in the middle.
    at: Option<(u64, Hash)>,
}

impl Chain {
    /// Begins after the record that ends at `revision` and has this hash (0 and [`Hash::ZERO`]: at the beginning).
    pub fn after(namespace: &str, revision: u64, hash: Hash) -> Chain {
        Chain { namespace: namespace.into(), at: Some((revision, hash)) }
    }

    /// Begins in the middle: the first record's link is taken as it is.
    pub fn anywhere(namespace: &str) -> Chain {
        Chain { namespace: namespace.into(), at: None }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`Damage`] if the record is torn or altered, does not begin where the one before ended, or does not link to it.
    pub fn follow(&mut self, record: &Record) -> Result<(), Damage> {
        let damage = |revision, what| Err(Damage::new(&self.namespace, revision, what));
        if let Some((revision, _)) = self.at
            && record.first_revision != revision + 1
        {
            return damage(revision + 1, DamageKind::Missing);
        }
        record.check()?;
        if record.namespace != self.namespace {
            return damage(record.first_revision, DamageKind::Altered);
        }
        if let Some((_, expected)) = self.at
            && record.previous != expected
        {
            return damage(record.first_revision, DamageKind::Unlinked { expected, found: record.previous });
        }
        self.at = Some((record.last_revision(), record.checksum));
        Ok(())
    }
}

/// Collects what one read returns, within its limit, and checks each record on the way.
pub(crate) struct ReadBatch {
    chain: Option<Chain>,
    anchor: Anchor,
    from: u64,
    limit: ReadLimit,
    bytes: usize,
    records: Vec<Record>,
}

impl ReadBatch {
    pub(crate) fn new(anchor: Anchor, from: u64, limit: ReadLimit) -> ReadBatch {
        ReadBatch { chain: None, anchor, from, limit, bytes: 0, records: Vec::new() }
    }

    /// Takes the next record and says whether it wanted it: after the first `false` the batch is full.
    pub(crate) fn take(&mut self, record: Record) -> Result<bool, ReadError> {
        let bytes = self.bytes.saturating_add(record.body.len());
        let full = self.records.len() >= self.limit.records || bytes > self.limit.bytes;
        if full && !self.records.is_empty() {
            return Ok(false);
        }
        let (anchor, from) = (self.anchor, self.from);
        let chain = match &mut self.chain {
            Some(chain) => chain,
            None => self.chain.insert(Self::begin(anchor, from, &record)?),
        };
        chain.follow(&record)?;
        self.bytes = bytes;
        self.records.push(record);
        Ok(true)
    }

    /// What was collected; `newest` is the newest revision of the namespace.
    pub(crate) fn finish(self, namespace: &str, newest: u64) -> Result<Vec<Record>, ReadError> {
        if self.records.is_empty() && self.from <= newest {
            return Err(Damage::new(namespace, self.from, DamageKind::Missing).into());
        }
        Ok(self.records)
    }

    fn begin(anchor: Anchor, from: u64, first: &Record) -> Result<Chain, Damage> {
        if first.first_revision == anchor.revision + 1 {
            return Ok(Chain::after(&first.namespace, anchor.revision, anchor.hash));
        }
        if !first.contains(from) {
            // An altered record may only look as if it were elsewhere.
            first.check()?;
            return Err(Damage::new(&first.namespace, from, DamageKind::Missing));
        }
        Ok(Chain::anywhere(&first.namespace))
    }
}
