//! Checks the log in a stopped server's folder.
//!
//! Reads only: a folder that is damaged stays as it is.

use std::path::{Path, PathBuf};

use baton_log::{LogReader as _, OpenError, ReadError, SqliteLog, SqliteStopped};
use indicatif::ProgressBar;

use super::{Holds, show};
use crate::{exit::Exit, failure::Failure};

/// Checks one namespace of the log in `folder`, or all of them.
///
/// # Errors
/// The first damage; the folder is in use, or holds no log.
pub(super) async fn verify(
    folder: PathBuf,
    namespace: Option<String>,
    bar: ProgressBar,
) -> Result<Vec<Holds>, Failure> {
    // The walk reads and hashes for as long as it takes: not on a thread that serves others.
    tokio::task::spawn_blocking(move || walk(&folder, namespace, &bar)).await.map_err(|error| {
        Failure::new(Exit::Failure, "INTERNAL", format!("the verification stopped: {error}"))
    })?
}

fn walk(folder: &Path, namespace: Option<String>, bar: &ProgressBar) -> Result<Vec<Holds>, Failure> {
    let log = SqliteLog::open_read_only(folder).map_err(cannot_open)?;
    let namespaces = match namespace {
        Some(namespace) => vec![namespace],
        None => log.heads().map_err(cannot_read)?.iter().map(|head| head.namespace.to_string()).collect(),
    };
    namespaces.iter().map(|namespace| walk_one(&log, namespace, bar)).collect()
}

fn walk_one(log: &SqliteStopped, namespace: &str, bar: &ProgressBar) -> Result<Holds, Failure> {
    let verified = baton_log::verify(log, namespace, |progress| {
        show(bar, namespace, progress.revision, progress.newest);
    })
    .map_err(cannot_read)?;
    Ok(Holds {
        namespace: namespace.to_owned(),
        records: verified.records,
        revision: verified.revision,
        hash: verified.hash.to_string(),
    })
}

fn cannot_read(error: ReadError) -> Failure {
    match &error {
        ReadError::Damaged(damage) => {
            let values =
                [("namespace", damage.namespace.to_string()), ("revision", damage.revision.to_string())];
            let values = values.map(|(name, value)| (name.to_owned(), value));
            Failure::new(Exit::Damaged, "LOG_DAMAGED", error.to_string()).metadata(values)
        }
        _ => Failure::new(Exit::Failure, "LOG_UNREADABLE", error.to_string()),
    }
}

fn cannot_open(error: OpenError) -> Failure {
    let message = error.to_string();
    match error {
        OpenError::Damaged { .. }
        | OpenError::AnsweredMissing { .. }
        | OpenError::AnsweredUnusable { .. }
        | OpenError::NotADatabase { .. } => Failure::new(Exit::Damaged, "LOG_DAMAGED", message),
        OpenError::NoLog { .. } | OpenError::NotALog { .. } | OpenError::NotAFolder { .. } => {
            Failure::usage(message)
        }
        OpenError::InUse { .. } => {
            Failure::new(Exit::Failure, "LOG_IN_USE", message).hint("ask the server itself: baton verify")
        }
        _ => Failure::new(Exit::Failure, "LOG_UNREADABLE", message),
    }
}
