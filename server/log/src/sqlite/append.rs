//! Appends to the journal, and remembers the heads.
//!
//! Knows nothing of the answered mark, nor of tables.

use super::SqliteLog;
use super::failure;
use super::journal::After;
use crate::admission::admit;
use crate::recovery::Placed;
use crate::{Append, AppendError};

impl SqliteLog {
    /// Appends all or nothing; durable on return.
    pub(super) fn append_records(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.refuse_if_broken()?;
        admit(appends, |namespace| Ok(self.heads.of(namespace)))?;
        if appends.is_empty() {
            return Ok(());
        }
        let outcome = self.write(appends);
        outcome.map_err(|error| self.note(error))?;
        self.advance(appends);
        Ok(())
    }

    fn write(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.keep_within_size(appends)?;
        if !self.journal.has_room(appends) {
            // The other file can be written over when the database has what it holds.
            self.mover.finish()?;
            self.journal.switch().map_err(|error| AppendError::Refused(error.to_string()))?;
            self.moving.pending().seal();
            self.mover.begin();
        }
        self.journal.append(self.newest, appends)
    }

    fn keep_within_size(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        let Some(room) = &mut self.room else { return Ok(()) };
        if !room.takes(appends) {
            self.mover.settle()?;
            room.count(self.moving.store().connection()).map_err(|error| failure::before_commit(&error))?;
            if !room.takes(appends) {
                return Err(AppendError::Full(room.refusal()));
            }
        }
        room.appended(appends);
        Ok(())
    }

    fn advance(&mut self, appends: &[Append]) {
        let append_first = self.newest.sequence + 1;
        let mut placed = Vec::with_capacity(appends.len());
        for Append { record, .. } in appends {
            self.newest.sequence += 1;
            self.newest.position += record.body.len() as u64;
            self.heads.advance(record);
            let After { sequence, position } = self.newest;
            placed.push(Placed { sequence, append_first, position, record: record.clone() });
        }
        self.moving.pending().push(placed);
    }

    /// Moves everything into the database.
    pub(super) fn settle(&mut self) -> Result<(), AppendError> {
        self.refuse_if_broken()?;
        let outcome = self.mover.settle();
        outcome.map_err(|error| self.note(error))
    }

    pub(super) fn refuse_if_broken(&self) -> Result<(), AppendError> {
        match &self.broken {
            None => Ok(()),
            Some(why) => Err(AppendError::Broken(why.clone())),
        }
    }

    /// Remembers an error after which nothing can be trusted.
    pub(super) fn note(&mut self, error: AppendError) -> AppendError {
        let why = match error {
            AppendError::Broken(why) => why,
            // The appends that are to be moved fitted the log as it was: somebody has written to the database past the lock.
            AppendError::Conflict { .. } => format!("the database has changed beside the log: {error}"),
            definite => return definite,
        };
        tracing::error!(%why, "the log cannot be made durable any more");
        self.broken = Some(why.clone());
        AppendError::Broken(why)
    }
}
