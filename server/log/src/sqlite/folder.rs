//! The data folder: its files, and the lock that keeps a second server out.
//!
//! Knows nothing of what the files hold.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::sync_folder::sync_folder;

/// The database.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join("baton.db")
}

/// The answered mark.
pub(super) fn answered(folder: &Path) -> PathBuf {
    folder.join("answered")
}

/// Held while the folder is in use; the operating system releases it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Creates the folder if it is missing (its parent must exist) and takes its lock.
pub(super) fn prepare(folder: &Path) -> Result<Lock, OpenError> {
    match fs::create_dir(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(folder)).map_err(|error| io_error(folder, &error))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => (),
        Err(error) => return Err(not_created(folder, error)),
    }
    if !folder.is_dir() {
        return Err(OpenError::NotAFolder { path: folder.to_owned() });
    }
    lock(folder)
}

/// Takes the lock of a folder that must hold a log already.
pub(super) fn lock_existing(folder: &Path) -> Result<Lock, OpenError> {
    if !folder.exists() {
        return Err(OpenError::NoLog { path: folder.to_owned() });
    }
    if !folder.is_dir() {
        return Err(OpenError::NotAFolder { path: folder.to_owned() });
    }
    if !database(folder).exists() {
        return Err(OpenError::NoLog { path: folder.to_owned() });
    }
    lock(folder)
}

fn lock(folder: &Path) -> Result<Lock, OpenError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("lock"));
    let file = opened.map_err(|error| of_write(folder, error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(error)) => Err(io_error(folder, &error)),
    }
}

/// What a failed creation of or write to a file in the folder means.
pub(super) fn of_write(folder: &Path, error: io::Error) -> OpenError {
    let path = folder.to_owned();
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            OpenError::NotWritable { path, source: error }
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            OpenError::Full { path, what: error.to_string() }
        }
        _ => io_error(folder, &error),
    }
}

fn not_created(folder: &Path, error: io::Error) -> OpenError {
    let path = folder.to_owned();
    match error.kind() {
        ErrorKind::NotFound => OpenError::ParentMissing { path },
        ErrorKind::NotADirectory => OpenError::NotAFolder { path },
        _ => of_write(folder, error),
    }
}

fn io_error(folder: &Path, error: &io::Error) -> OpenError {
    OpenError::Io { path: folder.to_owned(), what: error.to_string() }
}
