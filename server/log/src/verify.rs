//! Walks a namespace's chain from its oldest record to its head and proves it, or finds the first damage.
//!
//! Knows nothing of what keeps the log, nor of what bodies mean.

use std::sync::Arc;

use crate::{Chain, Damage, DamageKind, Hash, Head, LogReader, ReadError, ReadLimit, Record};

/// How much one step of the walk reads: bounds its memory.
const STEP: ReadLimit = ReadLimit { records: 1_000, bytes: 8 << 20 };

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Records proven so far.
    pub records: u64,
    /// Last revision that was proven.
    pub revision: u64,
    /// The revision where the walk ends: the newest when it began.
    pub newest: u64,
}

/// A chain that was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The namespace.
    pub namespace: Arc<str>,
    /// How many records were checked.
    pub records: u64,
    /// How many revisions they hold.
    pub revisions: u64,
    /// The first revision that is still kept.
    pub oldest_revision: u64,
    /// The newest revision when the walk began.
    pub revision: u64,
    /// Checksum of the newest record: it vouches for all before it.
    pub hash: Hash,
}

/// Checks every record's checksum and its link to the one before, that revisions are dense, that times do not go back,
/// and that the chain ends where its head says. Calls `progress` after each step.
///
/// Works beside a running server: it ends at the revision that was the newest when it began.
///
/// # Errors
/// [`ReadError::Damaged`] with the first damage, [`ReadError::Io`] if the log cannot be read.
pub fn verify(
    log: &dyn LogReader,
    namespace: &str,
    mut progress: impl FnMut(Progress),
) -> Result<Verified, ReadError> {
    let mut walk = Walk::begin(log, namespace)?;
    while let Some(come) = walk.step(log)? {
        progress(come);
    }
    Ok(walk.finish())
}

/// A walk that its caller takes step by step, and may break off. See [`verify`].
#[derive(Debug)]
pub struct Walk {
    head: Head,
    chain: Chain,
    /// The next revision to prove.
    from: u64,
    time_us: i64,
    records: u64,
    revisions: u64,
}

impl Walk {
    /// Begins at the oldest record of `namespace`.
    ///
    /// # Errors
    /// [`ReadError::Io`] and [`ReadError::Damaged`] if the head cannot be read.
    pub fn begin(log: &dyn LogReader, namespace: &str) -> Result<Walk, ReadError> {
        let head = log.head(namespace)?;
        // The link of the oldest record to what was removed before it is checked by the read itself.
        let chain = Chain::anywhere(&head.namespace);
        let from = head.oldest_revision;
        Ok(Walk { head, chain, from, time_us: i64::MIN, records: 0, revisions: 0 })
    }

    /// Proves some more records; `None`: all are proven.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] with the first damage, [`ReadError::Io`] if the log cannot be read.
    pub fn step(&mut self, log: &dyn LogReader) -> Result<Option<Progress>, ReadError> {
        if self.from > self.head.revision {
            return Ok(None);
        }
        match log.read(&self.head.namespace, self.from, STEP) {
            Ok(records) => self.prove(&records)?,
            Err(ReadError::Compacted { oldest, .. }) => self.restart(oldest),
            Err(error) => return Err(error),
        }
        let (records, revision) = (self.records, self.from - 1);
        Ok(Some(Progress { records, revision, newest: self.head.revision }))
    }

    /// What was proven, once there are no more steps.
    pub fn finish(self) -> Verified {
        let Head { namespace, revision, oldest_revision, hash } = self.head;
        Verified {
            namespace,
            records: self.records,
            revisions: self.revisions,
            oldest_revision,
            revision,
            hash,
        }
    }

    /// The records that come next were removed on purpose while the walk went on.
    fn restart(&mut self, oldest: u64) {
        self.head.oldest_revision = oldest;
        self.chain = Chain::anywhere(&self.head.namespace);
        self.from = oldest;
        self.records = 0;
        self.revisions = 0;
    }

    fn prove(&mut self, records: &[Record]) -> Result<(), Damage> {
        if records.is_empty() {
            return self.damaged(self.from, DamageKind::Missing);
        }
        for record in records.iter().take_while(|record| record.first_revision <= self.head.revision) {
            self.chain.follow(record)?;
            self.check_time(record)?;
            self.check_head(record)?;
            self.from = record.last_revision() + 1;
            self.time_us = record.time_us;
            self.records += 1;
            self.revisions += u64::from(record.event_count);
        }
        Ok(())
    }

    fn check_time(&self, record: &Record) -> Result<(), Damage> {
        if record.time_us >= self.time_us {
            return Ok(());
        }
        let (time_us, previous_us) = (record.time_us, self.time_us);
        self.damaged(record.first_revision, DamageKind::TimeWentBack { time_us, previous_us })
    }

    fn check_head(&self, record: &Record) -> Result<(), Damage> {
        if record.last_revision() != self.head.revision || record.checksum == self.head.hash {
            return Ok(());
        }
        let (expected, found) = (self.head.hash, record.checksum);
        self.damaged(record.first_revision, DamageKind::Unlinked { expected, found })
    }

    fn damaged(&self, revision: u64, what: DamageKind) -> Result<(), Damage> {
        Err(Damage::new(&self.head.namespace, revision, what))
    }
}
