//! A log in memory, for tests: the same promises as the durable ones, over storage that a test can cut and damage.
//!
//! Knows nothing of files. What would lie on the disk lies in a [`MemoryStore`], which outlives the log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::admission::admit;
use crate::answered::Answered;
use crate::chain::{Anchor, ReadBatch};
use crate::keep::Place;
use crate::recovery::{self, Placed, TAIL_RECORDS, Tail, Verdict};
use crate::removal::{Front, Removal};
use crate::{
    Append, AppendError, Damage, DamageKind, Faulty, Hash, Head, Keep, Log, LogId, LogReader, OpenError,
    ReadError, ReadLimit, Record, Truncated,
};

/// What stands for a path in the errors of this log.
const PLACE: &str = "memory";

/// The "disk" below a [`MemoryLog`]: clones share it, and it survives the log, as a folder survives a process.
///
/// It tells apart what is durable from what is only written. Readers see what is durable.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    id: LogId,
    disk: Arc<Mutex<Disk>>,
}

#[derive(Debug)]
struct Disk {
    lanes: BTreeMap<Arc<str>, Lane>,
    /// Sequence of the newest record that is written.
    written: u64,
    /// Sequence of the newest record that is durable: at most `written`.
    durable: u64,
    /// Position of the newest record that was ever removed.
    removed_position: u64,
    answered: Answered,
}

#[derive(Debug)]
struct Lane {
    anchor: Anchor,
    records: Vec<Placed>,
}

impl Default for MemoryStore {
    fn default() -> MemoryStore {
        MemoryStore::new()
    }
}

impl MemoryStore {
    /// An empty store of a new log.
    pub fn new() -> MemoryStore {
        let disk = Disk {
            lanes: BTreeMap::new(),
            written: 0,
            durable: 0,
            removed_position: 0,
            answered: Answered::NOTHING,
        };
        // Only tests use this store, and they cannot run where there is no random source.
        let id = LogId::random().expect("the operating system gives random bytes");
        MemoryStore { id, disk: Arc::new(Mutex::new(disk)) }
    }

    /// Simulates a power cut: what was written but not durable is gone. Open the log again afterwards.
    pub fn power_cut(&self) {
        let mut disk = self.lock();
        let durable = disk.durable;
        disk.cut_after(durable);
    }

    /// Forgets which appends were answered, as an operator does who accepts a loss.
    pub fn forget_answered(&self) {
        self.lock().answered = Answered::NOTHING;
    }

    /// Flips a bit of the record that contains `revision`: in byte `byte_index` of its body, or of its checksum if the
    /// body is shorter. Says whether there is such a record.
    pub fn corrupt(&self, namespace: &str, revision: u64, byte_index: usize) -> bool {
        let mut disk = self.lock();
        let Some(lane) = disk.lanes.get_mut(namespace) else { return false };
        match lane.records.iter_mut().find(|placed| placed.record.contains(revision)) {
            Some(placed) => flip_bit(&mut placed.record, byte_index),
            None => return false,
        }
        true
    }

    /// Tears the newest record: the second half of its body is gone. Says whether there is a record.
    pub fn tear_tail(&self) -> bool {
        let mut disk = self.lock();
        let written = disk.written;
        let mut records = disk.lanes.values_mut().flat_map(|lane| &mut lane.records);
        match records.find(|placed| placed.sequence == written) {
            Some(placed) => tear(&mut placed.record),
            None => return false,
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A test that panicked while holding it leaves a disk as a crash would.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn flip_bit(record: &mut Record, byte_index: usize) {
    let mut body = record.body.to_vec();
    match body.get_mut(byte_index) {
        Some(byte) => *byte ^= 1,
        None => record.checksum.0[byte_index % 32] ^= 1,
    }
    record.body = body.into();
}

fn tear(record: &mut Record) {
    record.body.truncate(record.body.len() / 2);
    // An empty body cannot lose anything more; the checksum can.
    if record.check().is_ok() {
        record.checksum = Hash::ZERO;
    }
}

impl Disk {
    fn tails(&self) -> Vec<Tail> {
        let tail = |lane: &Lane| {
            let skip = lane.records.len().saturating_sub(TAIL_RECORDS);
            Tail { anchor: lane.anchor, records: lane.records[skip..].to_vec() }
        };
        self.lanes.values().map(tail).collect()
    }

    fn cut_after(&mut self, sequence: u64) {
        for lane in self.lanes.values_mut() {
            lane.records.retain(|placed| placed.sequence <= sequence);
        }
        self.lanes.retain(|_, lane| !lane.records.is_empty() || lane.anchor.revision > 0);
        self.written = self.written.min(sequence);
        self.durable = self.durable.min(sequence);
    }

    fn head(&self, namespace: &str) -> Option<Head> {
        let (name, lane) = self.lanes.get_key_value(namespace)?;
        let newest = lane.records.iter().rfind(|placed| placed.sequence <= self.durable);
        let (revision, hash) = newest.map_or((lane.anchor.revision, lane.anchor.hash), |placed| {
            (placed.record.last_revision(), placed.record.checksum)
        });
        let head =
            Head { namespace: name.clone(), revision, oldest_revision: lane.anchor.revision + 1, hash };
        (revision > 0).then_some(head)
    }

    fn write(&mut self, appends: &[Append]) {
        let append_first = self.written + 1;
        let mut position = self.position(self.written);
        for (sequence, Append { record, .. }) in (append_first..).zip(appends) {
            let lane = Lane { anchor: Anchor::START, records: Vec::new() };
            let lane = self.lanes.entry(record.namespace.clone()).or_insert(lane);
            position += record.body.len() as u64;
            lane.records.push(Placed { sequence, append_first, position, record: record.clone() });
            self.written = sequence;
        }
    }

    /// Bytes of bodies that were ever appended, up to and with the record of this sequence.
    fn position(&self, sequence: u64) -> u64 {
        let newest = |lane: &Lane| {
            lane.records.iter().rfind(|placed| placed.sequence <= sequence).map(|placed| placed.position)
        };
        self.lanes.values().filter_map(newest).fold(self.removed_position, u64::max)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        let (Some(lane), Some(head)) = (self.lanes.get(namespace), self.head(namespace)) else {
            return Ok(1);
        };
        keep.first(
            namespace,
            (head.oldest_revision, head.revision),
            self.position(self.durable),
            |revision| {
                let index = lane.records.partition_point(|placed| placed.record.last_revision() < revision);
                Ok(lane.records.get(index).map(|placed| Place {
                    first_revision: placed.record.first_revision,
                    last_revision: placed.record.last_revision(),
                    time_us: placed.record.time_us,
                    position: placed.position,
                }))
            },
        )
    }

    fn truncate(&mut self, namespace: &str, before: u64) -> Truncated {
        let mut removal = Removal::before(before);
        let Some(lane) = self.lanes.get_mut(namespace) else {
            return Truncated { oldest_revision: 1, is_done: true };
        };
        let _ = lane.records.iter().all(|placed| removal.take(&Front::from(placed)));
        lane.records.drain(..removal.records());
        if let Some((anchor, position)) = removal.last() {
            lane.anchor = anchor;
            self.removed_position = self.removed_position.max(position);
        }
        Truncated { oldest_revision: lane.anchor.revision + 1, is_done: removal.is_done() }
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        let (Some(lane), Some(head)) = (self.lanes.get(namespace), self.head(namespace)) else {
            return Ok(Vec::new());
        };
        let from = from.max(1);
        if from < head.oldest_revision {
            return Err(ReadError::Compacted { oldest: head.oldest_revision, newest: head.revision });
        }
        let mut batch = ReadBatch::new(lane.anchor, from, limit);
        let start = lane.records.partition_point(|placed| placed.record.last_revision() < from);
        for placed in lane.records[start..].iter().take_while(|placed| placed.sequence <= self.durable) {
            if !batch.take(placed.record.clone())? {
                break;
            }
        }
        batch.finish(namespace, head.revision)
    }
}

/// A [`Log`] over a [`MemoryStore`].
#[derive(Debug)]
pub struct MemoryLog {
    reader: MemoryReader,
}

/// Reads a [`MemoryLog`] from another thread.
#[derive(Clone, Debug)]
pub struct MemoryReader {
    store: MemoryStore,
}

impl MemoryLog {
    /// Opens the log in `store`, as a server does when it starts: cuts a torn end that was never answered, refuses any
    /// other damage, and makes durable what is left.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] and [`OpenError::AnsweredMissing`]; the store is then as it was.
    pub fn open(store: MemoryStore) -> Result<MemoryLog, OpenError> {
        let place = Path::new(PLACE);
        let reader = MemoryReader { store };
        let (answered, verdict) = {
            let mut disk = reader.store.lock();
            // What a process left in the cache of a running machine, its successor finds and syncs.
            disk.durable = disk.written;
            let verdict = recovery::judge(&disk.tails(), disk.answered.sequence);
            (disk.answered.clone(), verdict.map_err(|damage| recovery::damaged(place, damage))?)
        };
        answered.check(place, &reader)?;
        let mut disk = reader.store.lock();
        if let Verdict::Cut { append_first, damage } = verdict {
            recovery::warn_of_cut(place, &damage);
            disk.cut_after(append_first - 1);
        }
        disk.answered = recovery::answered_at_end(&disk.tails());
        disk.written = disk.written.max(disk.answered.sequence);
        disk.durable = disk.written;
        drop(disk);
        Ok(MemoryLog { reader })
    }

    fn writable(&self) -> Result<MutexGuard<'_, Disk>, AppendError> {
        let disk = self.reader.store.lock();
        if disk.durable < disk.written {
            return Err(AppendError::Broken("an earlier append did not become durable".into()));
        }
        Ok(disk)
    }

    fn append_at(&self, appends: &[Append], answered: bool) -> Result<(), AppendError> {
        let mut disk = self.writable()?;
        admit(appends, |namespace| Ok(disk.head(namespace).unwrap_or_else(|| Head::empty(namespace))))?;
        disk.write(appends);
        if let (true, Some(append)) = (answered, appends.last()) {
            disk.durable = disk.written;
            disk.answered = Answered::new(disk.written, &append.record);
        }
        Ok(())
    }
}

impl LogReader for MemoryReader {
    fn id(&self) -> LogId {
        self.store.id
    }

    fn kind(&self) -> &'static str {
        "memory"
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        let disk = self.store.lock();
        Ok(disk.lanes.keys().filter_map(|namespace| disk.head(namespace)).collect())
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        Ok(self.store.lock().head(namespace).unwrap_or_else(|| Head::empty(namespace)))
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.store.lock().read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.store.lock().first_kept(namespace, keep)
    }
}

impl LogReader for MemoryLog {
    fn id(&self) -> LogId {
        self.reader.id()
    }

    fn kind(&self) -> &'static str {
        self.reader.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.reader.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.reader.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.reader.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.reader.first_kept(namespace, keep)
    }
}

impl Log for MemoryLog {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.append_at(appends, true)
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        Ok(self.writable()?.truncate(namespace, revision))
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        Ok(Box::new(self.reader.clone()))
    }
}

impl Faulty for MemoryLog {
    fn append_unanswered(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.append_at(appends, false)
    }

    fn corrupt(&mut self, namespace: &str, revision: u64, byte_index: usize) -> Result<(), ReadError> {
        match self.reader.store.corrupt(namespace, revision, byte_index) {
            true => Ok(()),
            false => Err(Damage::new(namespace, revision, DamageKind::Missing).into()),
        }
    }

    fn tear_tail(&mut self) -> Result<(), ReadError> {
        match self.reader.store.tear_tail() {
            true => Ok(()),
            false => Err(ReadError::Io("the log has no record to tear".into())),
        }
    }
}
