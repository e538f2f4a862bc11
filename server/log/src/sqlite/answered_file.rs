//! Keeps the answered mark in a file beside the database.
//!
//! Written after each append without fsync: a mark in the operating system's cache outlives the process, which is
//! what it is for. Knows nothing of the database.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::folder;
use crate::answered::{self, Answered};
use crate::sync_folder::sync_folder;
use crate::{LogId, OpenError, Record};

/// The open file.
#[derive(Debug)]
pub(super) struct AnsweredFile {
    log: LogId,
    file: File,
    path: PathBuf,
}

impl AnsweredFile {
    /// Reads the mark of a folder, and the log it belongs to; `None` if there is no such file.
    pub(super) fn load(data: &Path) -> Result<Option<(LogId, Answered)>, OpenError> {
        let path = folder::answered(data);
        let mut bytes = Vec::new();
        match File::open(&path)
            .and_then(|file| file.take(answered::MARK_BYTES as u64 + 1).read_to_end(&mut bytes))
        {
            Ok(_) => match answered::decode(&bytes) {
                Some(mark) => Ok(Some(mark)),
                None => Err(OpenError::AnsweredUnusable { path, what: "is torn or altered" }),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(OpenError::Io { path, what: error.to_string() }),
        }
    }

    /// Sets the mark durably and keeps the file open.
    pub(super) fn begin(data: &Path, log: LogId, mark: &Answered) -> Result<AnsweredFile, OpenError> {
        let path = folder::answered(data);
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| folder::of_write(data, error))?;
        let mut answered = AnsweredFile { log, file, path };
        answered
            .write(mark)
            .and_then(|()| answered.file.sync_all())
            .and_then(|()| sync_folder(data))
            .map_err(|error| folder::of_write(data, error))?;
        Ok(answered)
    }

    /// Moves the mark to a record that is durable and about to be answered.
    pub(super) fn mark(&mut self, sequence: u64, record: &Record) {
        if let Err(error) = self.write(&Answered::new(sequence, record)) {
            // The record is durable: only the power to notice its loss after a crash suffers.
            tracing::warn!(path = %self.path.display(), %error, "cannot move the answered mark");
        }
    }

    fn write(&mut self, mark: &Answered) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&answered::encode(self.log, mark))
    }
}
