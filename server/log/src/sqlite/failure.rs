//! Reads SQLite's error codes: what is certain after a failure, and what the operator should hear.
//!
//! Knows nothing of what was being done, beyond its kind.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::{AppendError, Damage, DamageKind, OpenError, ReadError};

/// What a failed read means. Rows that cannot be decoded are damage: nothing but a log wrote them.
pub(super) fn of_read(namespace: &str, revision: u64, error: &rusqlite::Error) -> ReadError {
    let code = error.sqlite_error_code();
    let damaged = matches!(code, None | Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    if damaged {
        return Damage::new(namespace, revision, DamageKind::Storage(error.to_string())).into();
    }
    ReadError::Io(describe(error))
}

/// What a failure before the commit means. Nothing of the transaction is durable before its commit, so once it is
/// rolled back every such failure is definite.
pub(super) fn before_commit(error: &rusqlite::Error) -> AppendError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => AppendError::Full(describe(error)),
        _ => AppendError::Refused(describe(error)),
    }
}

/// What a failure of the commit itself means.
///
/// A full disk is definite: the frame that would have committed is not whole, and a WAL without it does not hold the
/// transaction. So is a lock that was not granted. Everything else, a failed fsync before all, may have left a whole
/// commit in the WAL that no connection has seen and that the next start would find: nobody can say until then.
pub(super) fn of_commit(error: &rusqlite::Error) -> AppendError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => AppendError::Full(describe(error)),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => AppendError::Refused(describe(error)),
        _ => AppendError::Broken(describe(error)),
    }
}

/// What a failure while opening means.
pub(super) fn of_open(path: &Path, what: &str, error: rusqlite::Error) -> OpenError {
    let folder = path.parent().unwrap_or(path).to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::NotADatabase { path: path.to_owned() },
        Some(ErrorCode::DiskFull) => OpenError::Full { path: folder, what: describe(&error) },
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            let source = std::io::Error::other(describe(&error));
            OpenError::NotWritable { path: folder, source }
        }
        _ => OpenError::Io { path: path.to_owned(), what: format!("{what}: {}", describe(&error)) },
    }
}

/// SQLite's words and its extended code, which says which system call failed.
pub(crate) fn describe(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(ffi::Error { extended_code, .. }, _) => {
            let name = match *extended_code {
                ffi::SQLITE_IOERR_FSYNC => ", fsync failed",
                ffi::SQLITE_IOERR_DIR_FSYNC => ", fsync of the folder failed",
                ffi::SQLITE_IOERR_WRITE => ", write failed",
                ffi::SQLITE_IOERR_SHORT_READ => ", short read",
                _ => "",
            };
            format!("{error} (sqlite code {extended_code}{name})")
        }
        other => other.to_string(),
    }
}
