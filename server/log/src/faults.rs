//! A log that fails as planned, for tests of what is built on a log.
//!
//! Knows nothing of the storage: what it needs done beneath the log, it asks of [`Faulty`].

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    Append, AppendError, Head, Keep, Log, LogId, LogReader, ReadError, ReadLimit, Record, Truncated,
};

/// What a log lets a test do beneath it.
pub trait Faulty: Log {
    /// Writes as [`Log::append`] does and dies before the answer: the answered mark does not move, and where the
    /// storage can tell the difference, what is written is neither durable nor visible until the log is opened again.
    ///
    /// # Errors
    /// As [`Log::append`].
    fn append_unanswered(&mut self, appends: &[Append]) -> Result<(), AppendError>;

    /// Alters byte `byte_index` of the record that contains `revision` (counted from its body, then its checksum).
    ///
    /// # Errors
    /// [`ReadError`] if there is no such record.
    fn corrupt(&mut self, namespace: &str, revision: u64, byte_index: usize) -> Result<(), ReadError>;

    /// Tears the newest record of the log in two and keeps the first half.
    ///
    /// # Errors
    /// [`ReadError`] if there is no record.
    fn tear_tail(&mut self) -> Result<(), ReadError>;
}

/// What goes wrong with one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendFault {
    /// The write reached the disk's cache, the fsync failed: [`AppendError::Broken`].
    FsyncFailsAfterWrite {
        /// Whether the written records are there when the log is opened again.
        persists: bool,
    },
    /// The fsync failed before anything was written: [`AppendError::Broken`].
    FsyncFailsBeforeWrite,
    /// Only a part of the last record was written: [`AppendError::Broken`], and a torn end to be cut.
    ShortWrite,
    /// The disk is full: [`AppendError::Full`], and the next append may succeed.
    NoSpace,
    /// The append succeeds. Then a record on the disk is altered: `back` revisions before the append's first record.
    AlteredByte {
        /// How far back, in revisions; 0 is the record just appended.
        back: u64,
        /// Which byte of the record's body, or of its checksum beyond that.
        byte_index: usize,
    },
    /// Nobody says whether the append was applied: [`AppendError::Unknown`].
    UnknownOutcome {
        /// Whether it was.
        applied: bool,
    },
}

/// What goes wrong with one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFault {
    /// The disk cannot be read: [`ReadError::Io`].
    Io,
}

/// What goes wrong with one step of a truncation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruncateFault {
    /// The disk is full: [`AppendError::Full`], nothing is removed, and the next step may succeed.
    NoSpace,
    /// The fsync failed: [`AppendError::Broken`].
    FsyncFails {
        /// Whether the step is done when the log is opened again.
        persists: bool,
    },
}

type Decide<F> = Box<dyn FnMut(u64) -> Option<F> + Send>;

/// Which appends, reads and steps of truncations fail, and how. Each kind is counted from 1 over the life of a [`FaultLog`]
/// and its readers.
pub struct Plan {
    appends: Decide<AppendFault>,
    reads: Decide<ReadFault>,
    truncations: Decide<TruncateFault>,
}

impl Plan {
    /// Nothing fails.
    pub fn none() -> Plan {
        Plan::appends(|_| None)
    }

    /// Asks `decide` before each append, with its number.
    pub fn appends(decide: impl FnMut(u64) -> Option<AppendFault> + Send + 'static) -> Plan {
        Plan { appends: Box::new(decide), reads: Box::new(|_| None), truncations: Box::new(|_| None) }
    }

    /// Lets the appends of these numbers fail.
    pub fn list(faults: Vec<(u64, AppendFault)>) -> Plan {
        Plan::appends(move |number| faults.iter().find(|(at, _)| *at == number).map(|(_, fault)| *fault))
    }

    /// Lets about one append in `one_in` fail, in any way but [`AppendFault::AlteredByte`], and as many steps of
    /// truncations; the same seed gives the same faults.
    pub fn seeded(seed: u64, one_in: u64) -> Plan {
        let appends = Plan::appends(move |number| draw(seed, number, one_in, &SEEDED));
        // Steps are counted for themselves, so they need draws of their own.
        appends.with_truncations(move |number| draw(!seed, number, one_in, &SEEDED_TRUNCATIONS))
    }

    /// Asks `decide` before each read as well, with its number.
    #[must_use]
    pub fn with_reads(mut self, decide: impl FnMut(u64) -> Option<ReadFault> + Send + 'static) -> Plan {
        self.reads = Box::new(decide);
        self
    }

    /// Asks `decide` before each step of a truncation as well, with its number.
    #[must_use]
    pub fn with_truncations(
        mut self,
        decide: impl FnMut(u64) -> Option<TruncateFault> + Send + 'static,
    ) -> Plan {
        self.truncations = Box::new(decide);
        self
    }
}

const SEEDED: [AppendFault; 7] = [
    AppendFault::FsyncFailsAfterWrite { persists: true },
    AppendFault::FsyncFailsAfterWrite { persists: false },
    AppendFault::FsyncFailsBeforeWrite,
    AppendFault::ShortWrite,
    AppendFault::NoSpace,
    AppendFault::UnknownOutcome { applied: true },
    AppendFault::UnknownOutcome { applied: false },
];

const SEEDED_TRUNCATIONS: [TruncateFault; 3] = [
    TruncateFault::NoSpace,
    TruncateFault::FsyncFails { persists: true },
    TruncateFault::FsyncFails { persists: false },
];

fn draw<F: Copy>(seed: u64, number: u64, one_in: u64, faults: &[F]) -> Option<F> {
    let drawn = scramble(seed ^ scramble(number));
    let choice = usize::try_from(drawn >> 32).expect("32 bits fit an index");
    drawn.is_multiple_of(one_in.max(1)).then(|| faults[choice % faults.len()])
}

/// The output function of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
pub(crate) fn scramble(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What a plan decides of one kind of operation. Each kind has a lock of its own: a plan may hold an append up, and reads go on.
struct Counted<F>(Mutex<(u64, Decide<F>)>);

impl<F> Counted<F> {
    fn new(decide: Decide<F>) -> Self {
        Self(Mutex::new((0, decide)))
    }

    /// The number of the next one, and what goes wrong with it.
    fn next(&self) -> (u64, Option<F>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, decide) = &mut *counted;
        *count += 1;
        (*count, decide(*count))
    }
}

/// A plan under way.
struct State {
    appends: Counted<AppendFault>,
    reads: Counted<ReadFault>,
    truncations: Counted<TruncateFault>,
}

impl State {
    fn new(Plan { appends, reads, truncations }: Plan) -> Self {
        let (appends, reads) = (Counted::new(appends), Counted::new(reads));
        Self { appends, reads, truncations: Counted::new(truncations) }
    }

    fn next_read(&self) -> Result<(), ReadError> {
        match self.reads.next() {
            (_, None) => Ok(()),
            (number, Some(ReadFault::Io)) => Err(ReadError::Io(format!("read {number} fails as planned"))),
        }
    }
}

/// A log that fails as its [`Plan`] says, and is otherwise the log it wraps.
pub struct FaultLog<L> {
    inner: L,
    state: Arc<State>,
    broken: Option<String>,
}

impl<L: Faulty> FaultLog<L> {
    /// Wraps a log.
    pub fn new(inner: L, plan: Plan) -> FaultLog<L> {
        FaultLog { inner, state: Arc::new(State::new(plan)), broken: None }
    }

    /// Gives the wrapped log back.
    pub fn into_inner(self) -> L {
        self.inner
    }

    fn fail(&mut self, fault: AppendFault, appends: &[Append]) -> Result<(), AppendError> {
        match fault {
            AppendFault::FsyncFailsAfterWrite { persists } => {
                if persists {
                    self.inner.append_unanswered(appends)?;
                }
                self.break_down("fsync fails after the write, as planned")
            }
            AppendFault::FsyncFailsBeforeWrite => self.break_down("fsync fails before the write, as planned"),
            AppendFault::ShortWrite => {
                self.inner.append_unanswered(appends)?;
                self.inner.tear_tail().map_err(|error| AppendError::Broken(error.to_string()))?;
                self.break_down("a short write, as planned")
            }
            AppendFault::NoSpace => Err(AppendError::Full("no space, as planned".into())),
            AppendFault::AlteredByte { back, byte_index } => self.alter(appends, back, byte_index),
            AppendFault::UnknownOutcome { applied } => {
                if applied {
                    self.inner.append(appends)?;
                }
                Err(AppendError::Unknown("the answer was lost, as planned".into()))
            }
        }
    }

    fn break_down<T>(&mut self, why: &str) -> Result<T, AppendError> {
        self.broken = Some(why.into());
        Err(AppendError::Broken(why.into()))
    }

    fn alter(&mut self, appends: &[Append], back: u64, byte_index: usize) -> Result<(), AppendError> {
        self.inner.append(appends)?;
        if let Some(Append { record, .. }) = appends.first() {
            let revision = record.first_revision.saturating_sub(back).max(1);
            // A record that is gone already cannot be altered: the append went well all the same.
            let _ = self.inner.corrupt(&record.namespace, revision, byte_index);
        }
        Ok(())
    }
}

impl<L: Faulty> LogReader for FaultLog<L> {
    fn id(&self) -> LogId {
        self.inner.id()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.inner.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.inner.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.state.next_read()?;
        self.inner.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.inner.first_kept(namespace, keep)
    }
}

impl<L: Faulty> Log for FaultLog<L> {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        if let Some(why) = &self.broken {
            return Err(AppendError::Broken(why.clone()));
        }
        match self.state.appends.next().1 {
            None => self.inner.append(appends),
            Some(fault) => self.fail(fault, appends),
        }
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        if let Some(why) = &self.broken {
            return Err(AppendError::Broken(why.clone()));
        }
        match self.state.truncations.next().1 {
            None => self.inner.truncate_before(namespace, revision),
            Some(TruncateFault::NoSpace) => Err(AppendError::Full("no space, as planned".into())),
            Some(TruncateFault::FsyncFails { persists }) => {
                if persists {
                    self.inner.truncate_before(namespace, revision)?;
                }
                self.break_down("fsync fails in a truncation, as planned")
            }
        }
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        Ok(Box::new(FaultReader { inner: self.inner.reader()?, state: self.state.clone() }))
    }
}

/// A reader whose reads fail by the same plan.
struct FaultReader {
    inner: Box<dyn LogReader>,
    state: Arc<State>,
}

impl LogReader for FaultReader {
    fn id(&self) -> LogId {
        self.inner.id()
    }

    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.inner.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.inner.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.state.next_read()?;
        self.inner.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.inner.first_kept(namespace, keep)
    }
}
