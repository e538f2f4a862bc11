//! A log that keeps a chronicle: what was made durable is remembered beside it, also when the log itself forgets.
//!
//! Watches are held against the chronicle, which knows nothing of them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use baton_log::{
    Append, AppendError, Checkpoints, Head, Keep, Log, LogId, LogReader, ReadError, ReadLimit, Record,
    Truncated,
};

/// One append in so many is followed by forgetting, where a log forgets.
const FORGETS_ONE_IN: u32 = 4;

/// All records that were made durable, by namespace. Clones are the same chronicle.
#[derive(Clone, Default)]
pub(super) struct Chronicle(Arc<Mutex<BTreeMap<Arc<str>, Vec<Record>>>>);

/// A log whose appends go into a chronicle.
pub(super) struct Chronicled {
    log: Box<dyn Log>,
    chronicle: Chronicle,
    forgetting: Option<Forgetting>,
}

/// How a log forgets what is behind its checkpoints, at random moments and to random places.
pub(super) struct Forgetting {
    pub(super) checkpoints: Box<dyn Checkpoints>,
    pub(super) random: fastrand::Rng,
}

impl Chronicle {
    /// The records of a namespace.
    pub(super) fn of(&self, namespace: &str) -> Vec<Record> {
        self.0.lock().unwrap().get(namespace).cloned().unwrap_or_default()
    }

    /// The newest durable revision of a namespace.
    pub(super) fn head(&self, namespace: &str) -> u64 {
        let chronicle = self.0.lock().unwrap();
        chronicle.get(namespace).and_then(|records| records.last()).map_or(0, Record::last_revision)
    }

    /// Puts `log` behind this chronicle.
    pub(super) fn keep(&self, log: Box<dyn Log>, forgetting: Option<Forgetting>) -> Box<dyn Log> {
        Box::new(Chronicled { log, chronicle: self.clone(), forgetting })
    }

    fn enter(&self, appends: &[Append]) {
        let mut chronicle = self.0.lock().unwrap();
        for Append { record, .. } in appends {
            chronicle.entry(Arc::clone(&record.namespace)).or_default().push(record.clone());
        }
    }
}

impl Forgetting {
    /// Up to where `log` forgets a namespace now, if it does: never more than its older checkpoint has.
    fn place(&mut self, namespace: &str) -> Option<u64> {
        if self.random.u32(0..FORGETS_ONE_IN) > 0 {
            return None;
        }
        let older = self.checkpoints.heads(namespace).expect("checkpoints can be read").pop()?;
        Some(self.random.u64(1..=older.revision + 1))
    }
}

impl LogReader for Chronicled {
    fn id(&self) -> LogId {
        self.log.id()
    }

    fn kind(&self) -> &'static str {
        self.log.kind()
    }

    fn heads(&self) -> Result<Vec<Head>, ReadError> {
        self.log.heads()
    }

    fn head(&self, namespace: &str) -> Result<Head, ReadError> {
        self.log.head(namespace)
    }

    fn read(&self, namespace: &str, from: u64, limit: ReadLimit) -> Result<Vec<Record>, ReadError> {
        self.log.read(namespace, from, limit)
    }

    fn first_kept(&self, namespace: &str, keep: Keep) -> Result<u64, ReadError> {
        self.log.first_kept(namespace, keep)
    }
}

impl Log for Chronicled {
    fn append(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.log.append(appends)?;
        self.chronicle.enter(appends);
        for Append { record, .. } in appends {
            let place = self.forgetting.as_mut().and_then(|forgetting| forgetting.place(&record.namespace));
            if let Some(revision) = place {
                while !self.log.truncate_before(&record.namespace, revision)?.is_done {}
            }
        }
        Ok(())
    }

    fn truncate_before(&mut self, namespace: &str, revision: u64) -> Result<Truncated, AppendError> {
        self.log.truncate_before(namespace, revision)
    }

    fn reader(&self) -> Result<Box<dyn LogReader>, ReadError> {
        self.log.reader()
    }
}
