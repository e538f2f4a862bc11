//! Reads a log into states: the newest checkpoint that can be trusted, and what the log has after it.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use baton_core::{
    BodyError, CheckpointError, CheckpointReader, Misfit, PreparedPart, RequestMemory, Revision, State,
};
use baton_log::{
    ArchiveError, ArchiveReader, CheckpointHead, CheckpointUnreadable, Checkpoints, Hash, Head, LogReader,
    ReadError,
};
use tracing::warn;

use super::{shelf::Shelf, trust::judge};

/// So many threads make the parts of a checkpoint ready. With two, reading and checking takes longest where there are cores enough.
const PREPARING_THREADS: usize = 2;

/// So many parts, 256 KiB each, wait for each of these, and as many that it made ready for their turn.
const READ_AHEAD_PARTS: usize = 4;

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenEngineError {
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A record cannot be understood.
    #[error("namespace {namespace}: revision {revision}: {source}")]
    Body {
        /// Whose log.
        namespace: Arc<str>,
        /// The first revision of the record.
        revision: u64,
        /// Why.
        source: BodyError,
    },
    /// The log does not begin at revision 1, and what was before is in no checkpoint that can be used.
    #[error(
        "namespace {namespace}: the log has revisions {oldest} to {newest}; what came before is in its checkpoints alone, \
         and {}: restore the folder `checkpoints`, or the whole data folder, from a backup (`archive.db` goes with the checkpoints)",
        told(unusable)
    )]
    PastMissing {
        /// Whose log.
        namespace: Arc<str>,
        /// The oldest revision that the log has.
        oldest: u64,
        /// The newest revision that the log has.
        newest: u64,
        /// What is wrong with each checkpoint that is whole; empty if none is.
        unusable: Vec<String>,
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

fn told(unusable: &[String]) -> String {
    match unusable {
        [] => "none is there that is whole".to_owned(),
        all => format!("none can be used ({})", all.join("; ")),
    }
}

/// How one namespace came back.
#[derive(Debug, Clone)]
pub struct Recovered {
    /// Which.
    pub namespace: Arc<str>,
    /// Its newest revision.
    pub revision: Revision,
    /// The oldest revision that the log has.
    pub oldest_revision: Revision,
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

/// Reads all namespaces of the log that `shelf` stands on.
pub(super) fn open(shelf: &mut Shelf) -> Result<Opened, OpenEngineError> {
    let mut opened = Opened {
        namespaces: Vec::new(),
        heads: BTreeMap::new(),
        snapshot_revisions: BTreeMap::new(),
        recovered: Vec::new(),
    };
    for head in shelf.log().heads()? {
        let started = Instant::now();
        let mut state = shelf.begin(&head)?;
        let checkpoint_revision = state.head();
        let saved = shelf.advance(&head.namespace, &mut state, Revision(head.revision))?.saved;
        opened.recovered.push(Recovered {
            namespace: Arc::clone(&head.namespace),
            revision: state.head(),
            oldest_revision: Revision(head.oldest_revision),
            checkpoint_revision,
            took_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        });
        opened.heads.insert(Arc::clone(&head.namespace), head.hash);
        state.rest_until(state.head());
        let newest_saved = saved.unwrap_or(checkpoint_revision);
        opened.snapshot_revisions.insert(Arc::clone(&head.namespace), newest_saved.0);
        opened.namespaces.push((head.namespace, state));
    }
    Ok(opened)
}

/// The state of the newest checkpoint up to `until` that can be started from, or an empty one if the log still has everything.
pub(super) fn from_checkpoint(
    log: &(impl LogReader + ?Sized),
    checkpoints: &dyn Checkpoints,
    archive: &dyn ArchiveReader,
    head: &Head,
    until: Revision,
    memory: RequestMemory,
) -> Result<State, OpenEngineError> {
    let namespace = &head.namespace;
    let mut unusable = Vec::new();
    let saved = checkpoints.heads(namespace).unwrap_or_else(|error| {
        warn!(%namespace, %error, "checkpoints cannot be read; the whole log is needed instead");
        unusable.push(error.to_string());
        Vec::new()
    });
    for checkpoint in saved {
        let revision = checkpoint.revision;
        if until < Revision(head.revision) && revision > until.0 {
            continue;
        }
        let why = match judge(&checkpoint, log, archive, head)? {
            Ok(()) => match read_checkpoint(checkpoints, &checkpoint, memory) {
                Ok(state) => return Ok(state),
                // It is as if it were not there.
                Err(UnreadCheckpoint::Damaged(why)) => {
                    warn!(%namespace, revision, %why, "left out a damaged checkpoint");
                    continue;
                }
                Err(UnreadCheckpoint::NotUnderstood(error)) => error.to_string(),
            },
            Err(distrust) => distrust.to_string(),
        };
        warn!(%namespace, revision, %why, "a checkpoint cannot be used; left aside");
        unusable.push(format!("that of revision {revision}: {why}"));
    }
    if head.oldest_revision > 1 {
        return Err(OpenEngineError::PastMissing {
            namespace: Arc::clone(namespace),
            oldest: head.oldest_revision,
            newest: head.revision,
            unusable,
        });
    }
    Ok(State::new(memory))
}

/// Why there is no state, although there is a checkpoint.
#[derive(Debug, thiserror::Error)]
enum UnreadCheckpoint {
    #[error(transparent)]
    Damaged(#[from] CheckpointUnreadable),
    #[error(transparent)]
    NotUnderstood(#[from] CheckpointError),
}

/// Reads a checkpoint: one thread reads its parts and checks them, some make them ready, and this one puts them in place.
fn read_checkpoint(
    checkpoints: &dyn Checkpoints,
    head: &CheckpointHead,
    memory: RequestMemory,
) -> Result<State, UnreadCheckpoint> {
    let mut reader = CheckpointReader::new(head.format, memory)?.leaving_requests();
    let mut parts = checkpoints.open(head)?;
    thread::scope(|scope| {
        // Each gets every so many'th part, so that they come back in their order.
        let (read, ready): (Vec<_>, Vec<_>) = (0..PREPARING_THREADS)
            .map(|_| {
                let (read, to_prepare) = mpsc::sync_channel::<Vec<u8>>(READ_AHEAD_PARTS);
                let (prepared, ready) = mpsc::sync_channel(READ_AHEAD_PARTS);
                scope.spawn(move || {
                    // Nobody takes it if one before it was not understood.
                    to_prepare.into_iter().try_for_each(|part| prepared.send(PreparedPart::new(part)))
                });
                (read, ready)
            })
            .unzip();
        let source = scope.spawn(move || {
            for read in read.iter().cycle() {
                let Some(part) = parts.next_part()? else { break };
                if read.send(part).is_err() {
                    break;
                }
            }
            Ok::<_, CheckpointUnreadable>(())
        });
        for part in ready.iter().cycle().map_while(|ready| ready.recv().ok()) {
            reader.put(part?)?;
        }
        drop(ready);
        source.join().expect("reading a file does not panic")?;
        Ok(reader.finish()?)
    })
}
