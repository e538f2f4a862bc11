//! Reads a log into states: the newest checkpoint that can be trusted, and what the log has after it.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use baton_core::{Draft, Misfit, RequestMemory, Revision, State, decode_body, replay};
use baton_log::{Checkpoint, Checkpoints, Hash, Head, LogReader, ReadError, ReadLimit, Record};
use tracing::warn;

use super::namespaces::ReadEvents;

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenEngineError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record cannot be understood.
    #[error("namespace {namespace}: {source}")]
    Events {
        /// Whose log.
        namespace: Arc<str>,
        /// Why.
        source: ReadEvents,
    },
    /// The events do not fit each other.
    #[error(
        "namespace {namespace}: {source}; the log was not written by this server: restore the data folder from a backup"
    )]
    Misfit {
        /// Whose log.
        namespace: Arc<str>,
        /// Where and why.
        source: Misfit,
    },
}

/// How one namespace came back.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// Which.
    pub namespace: Arc<str>,
    /// Its newest revision.
    pub revision: Revision,
    /// The revision of the checkpoint it started from; 0: it had none.
    pub checkpoint_revision: Revision,
    /// How long it took, in microseconds.
    pub took_us: u64,
}

/// All namespaces of a log.
pub(super) struct Opened {
    pub(super) namespaces: Vec<(Arc<str>, State)>,
    pub(super) heads: BTreeMap<Arc<str>, Hash>,
    pub(super) snapshot_revisions: BTreeMap<Arc<str>, u64>,
    pub(super) recovered: Vec<Recovered>,
}

/// Reads all namespaces of `log`.
pub(super) fn open(
    log: &(impl LogReader + ?Sized),
    checkpoints: &dyn Checkpoints,
    memory: RequestMemory,
) -> Result<Opened, OpenEngineError> {
    let mut opened = Opened {
        namespaces: Vec::new(),
        heads: BTreeMap::new(),
        snapshot_revisions: BTreeMap::new(),
        recovered: Vec::new(),
    };
    for head in log.heads()? {
        let started = Instant::now();
        let mut state = from_checkpoint(log, checkpoints, &head, memory)?;
        let checkpoint_revision = state.head();
        catch_up(log, &head.namespace, &mut state, Revision(head.revision))?;
        opened.recovered.push(Recovered {
            namespace: Arc::clone(&head.namespace),
            revision: state.head(),
            checkpoint_revision,
            took_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        opened.heads.insert(Arc::clone(&head.namespace), head.hash);
        opened.snapshot_revisions.insert(Arc::clone(&head.namespace), checkpoint_revision.0);
        opened.namespaces.push((head.namespace, state));
    }
    Ok(opened)
}

/// The state of the newest checkpoint that belongs to the log, or an empty one.
pub(super) fn from_checkpoint(
    log: &(impl LogReader + ?Sized),
    checkpoints: &dyn Checkpoints,
    head: &Head,
    memory: RequestMemory,
) -> Result<State, OpenEngineError> {
    let saved = checkpoints.load(&head.namespace).unwrap_or_else(|error| {
        warn!(namespace = %head.namespace, %error, "checkpoints cannot be read; replaying the log instead");
        Vec::new()
    });
    for checkpoint in saved {
        if !belongs_to(&checkpoint, log, head)? {
            let revision = checkpoint.revision;
            warn!(namespace = %head.namespace, revision, "a checkpoint is not of this log; left aside");
            continue;
        }
        match State::from_checkpoint(checkpoint.format, &checkpoint.body, memory) {
            Ok(state) => return Ok(state),
            Err(error) => {
                let revision = checkpoint.revision;
                warn!(namespace = %head.namespace, revision, %error, "a checkpoint cannot be used; left aside");
            }
        }
    }
    Ok(State::new(memory))
}

/// Whether the log has the record that the checkpoint was taken after.
fn belongs_to(
    checkpoint: &Checkpoint,
    log: &(impl LogReader + ?Sized),
    head: &Head,
) -> Result<bool, OpenEngineError> {
    if checkpoint.revision > head.revision {
        return Ok(false);
    }
    let one = ReadLimit { records: 1, bytes: usize::MAX };
    let records = match log.read(&head.namespace, checkpoint.revision, one) {
        // The record itself may be gone behind its checkpoint; what follows is then checked against it by its link.
        Err(ReadError::Compacted { oldest, .. }) if oldest == checkpoint.revision + 1 => return Ok(true),
        other => other?,
    };
    let record = records.first();
    Ok(record.is_some_and(|record| {
        record.last_revision() == checkpoint.revision && record.checksum == checkpoint.hash
    }))
}

/// Replays what the log has after `state`, up to and with `until`.
pub(super) fn catch_up(
    log: &(impl LogReader + ?Sized),
    namespace: &Arc<str>,
    state: &mut State,
    until: Revision,
) -> Result<Hash, OpenEngineError> {
    let mut hash = Hash::ZERO;
    while state.head() < until {
        let limit = ReadLimit { records: 256, bytes: 16 * 1024 * 1024 };
        let records = log.read(namespace, state.head().next().0, limit)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            replay_record(namespace, state, record)?;
            hash = record.checksum;
            if state.head() >= until {
                break;
            }
        }
    }
    Ok(hash)
}

fn replay_record(namespace: &Arc<str>, state: &mut State, record: &Record) -> Result<(), OpenEngineError> {
    let entries = decode_body(record.format, &record.body).map_err(|source| OpenEngineError::Events {
        namespace: Arc::clone(namespace),
        source: ReadEvents::Body { revision: record.first_revision, source },
    })?;
    let mut draft = Draft::new(state);
    // A checkpoint may end within a record.
    let known = draft.head().0.saturating_sub(record.first_revision - 1);
    for entry in entries.iter().skip(usize::try_from(known).unwrap_or(usize::MAX)) {
        replay(&mut draft, entry, record.time_us)
            .map_err(|source| OpenEngineError::Misfit { namespace: Arc::clone(namespace), source })?;
    }
    let changes = draft.into_changes();
    state.absorb(changes);
    Ok(())
}
