//! Why a log could not be opened, each with the path and what the operator can do.
//!
//! Knows nothing of how the server presents it.

use std::path::PathBuf;

use crate::{Damage, ReadError};

/// Why a log could not be opened. Nothing was changed, except that a missing folder may have been created.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder above the data folder does not exist.
    #[error("cannot create the data folder {}: its parent folder does not exist; create it first or correct the path", path.display())]
    ParentMissing {
        /// The data folder.
        path: PathBuf,
    },
    /// There is no log in the folder.
    #[error("there is no log in {}; correct the path", path.display())]
    NoLog {
        /// The data folder.
        path: PathBuf,
    },
    /// The path names something that is not a folder.
    #[error("{} is not a folder; give another path for the data", path.display())]
    NotAFolder {
        /// The path given for the data folder.
        path: PathBuf,
    },
    /// The server may not write there.
    #[error("the data folder {} is not writable ({source}); correct its owner and permissions", path.display())]
    NotWritable {
        /// The data folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another process has the log open.
    #[error("the data folder {} is in use by another server; stop that server, talk to it instead, or give another folder", path.display())]
    InUse {
        /// The data folder.
        path: PathBuf,
    },
    /// The file is not a SQLite database.
    #[error("{} is not a database; restore it from a backup, or move it away to begin a new log", path.display())]
    NotADatabase {
        /// The database file.
        path: PathBuf,
    },
    /// The file is a SQLite database, but not of a log.
    #[error("{} is a database but not a log of baton; give another folder", path.display())]
    NotALog {
        /// The database file.
        path: PathBuf,
    },
    /// The log was written by another version of the program.
    #[error("{} has {what} version {found}, this program knows version {known}; run the version of baton that wrote it", path.display())]
    Version {
        /// The database file.
        path: PathBuf,
        /// `schema` or `record`.
        what: &'static str,
        /// The version found.
        found: i64,
        /// The version this program knows.
        known: i64,
    },
    /// The log ends before the newest record that was answered.
    #[error(
        "answered records are missing in {}: namespace {namespace} was answered up to revision {answered}, the log \
         ends at {newest} or holds another record there; restore a newer backup, or remove the file `answered` in \
         this folder to accept the loss", path.display()
    )]
    AnsweredMissing {
        /// The data folder.
        path: PathBuf,
        /// The namespace of the newest answered record.
        namespace: String,
        /// The last revision that was answered.
        answered: u64,
        /// The newest revision found.
        newest: u64,
    },
    /// The file `answered` is torn, altered or of another log.
    #[error(
        "{} {what}, so nobody can say whether answered records are missing; restore the whole folder from a backup, \
         or remove this file to go on with the log as it is", path.display()
    )]
    AnsweredUnusable {
        /// The file `answered`.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A record is missing, torn or altered, and it may have been answered.
    #[error("{}: {damage}", path.display())]
    Damaged {
        /// The data folder.
        path: PathBuf,
        /// Which record, and what is wrong.
        damage: Damage,
    },
    /// The disk is full.
    #[error("no space is left for {} ({what}); free some and start again", path.display())]
    Full {
        /// The data folder.
        path: PathBuf,
        /// What the storage said.
        what: String,
    },
    /// The storage failed in another way.
    #[error("cannot open the log in {}: {what}", path.display())]
    Io {
        /// The data folder or file.
        path: PathBuf,
        /// What was tried and what the storage said.
        what: String,
    },
}

impl OpenError {
    /// What a failed read means to the one who opens.
    pub(crate) fn from_read(path: &std::path::Path, error: ReadError) -> OpenError {
        let path = path.to_owned();
        match error {
            ReadError::Damaged(damage) => OpenError::Damaged { path, damage },
            other => OpenError::Io { path, what: other.to_string() },
        }
    }
}
