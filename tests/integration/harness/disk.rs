//! What a server's data lies on; it outlives the server.
//!
//! Knows how logs are opened, with and without faults. Knows nothing of networks.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

use baton_core::CHECKPOINT_FORMAT;
use baton_log::{
    Archive, Checkpoints, FaultLog, FileCheckpoints, Log, LogId, LogReader, MemoryArchive, MemoryCheckpoints,
    MemoryLog, MemoryStore, Plan, SqliteArchive, SqliteLog, SqliteOptions,
};
use baton_server::{
    Server, ServerError,
    clock::{Clock, SystemClock},
    config::Config,
    engine::EngineParts,
    metrics::Metrics,
};
use tempfile::TempDir;

use super::process::STARTING;

/// A folder that is removed at the end, or memory. Clones are the same disk.
#[derive(Clone)]
pub(crate) enum Disk {
    Folder(Arc<TempDir>),
    Memory(MemoryStore, MemoryCheckpoints, MemoryArchive),
}

impl Disk {
    pub(crate) fn folder() -> Self {
        Self::Folder(Arc::new(tempfile::tempdir().expect("a temporary folder can be made")))
    }

    pub(crate) fn memory() -> Self {
        Self::Memory(MemoryStore::new(), MemoryCheckpoints::default(), MemoryArchive::default())
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.path(),
            Self::Memory(..) => panic!("memory has no path"),
        }
    }

    /// The log in the folder, while no server has it.
    pub(crate) fn log(&self) -> SqliteLog {
        let _opening = STARTING.read().unwrap_or_else(PoisonError::into_inner);
        SqliteLog::open(self.path(), &SqliteOptions::default()).expect("a stopped server's log can be opened")
    }

    /// What was written and not synced is gone, as far as the disk can tell.
    pub(crate) fn power_cut(&self) {
        if let Self::Memory(store, ..) = self {
            store.power_cut();
        }
    }

    /// The log that a dead server left behind, as it lies there.
    pub(crate) fn dead_log(&self) -> Box<dyn LogReader> {
        match self {
            Self::Folder(folder) => {
                let _opening = STARTING.read().unwrap_or_else(PoisonError::into_inner);
                Box::new(
                    SqliteLog::open_read_only(folder.path()).expect("a dead server's log can be looked at"),
                )
            }
            Self::Memory(store, ..) => {
                let log = MemoryLog::open(store.clone()).expect("memory can be opened");
                log.reader().expect("memory can be read")
            }
        }
    }

    /// Opens a server on it, as `baton serve` does where there is a folder.
    pub(crate) fn open(&self, config: Config) -> Result<Server, ServerError> {
        match self {
            Self::Folder(folder) => {
                let _opening = STARTING.read().unwrap_or_else(PoisonError::into_inner);
                let config = Config { data: folder.path().to_owned(), ..config };
                Server::open(config, Arc::new(Metrics::new()))
            }
            Self::Memory(..) => self.open_with(config, Plan::none(), Arc::new(SystemClock)),
        }
    }

    /// Opens a server on it whose log is what `wrap` makes of the disk's.
    pub(crate) fn open_wrapped(
        &self,
        config: Config,
        wrap: impl FnOnce(Box<dyn Log>) -> Box<dyn Log>,
    ) -> Result<Server, ServerError> {
        let log: Box<dyn Log> = match self {
            Self::Folder(folder) => {
                let _opening = STARTING.read().unwrap_or_else(PoisonError::into_inner);
                let options = SqliteOptions { size_bytes_max: config.log_size_bytes_max };
                Box::new(SqliteLog::open(folder.path(), &options)?)
            }
            Self::Memory(store, ..) => Box::new(MemoryLog::open(store.clone())?),
        };
        let (clock, metrics) = (Arc::new(SystemClock), Arc::new(Metrics::new()));
        let (checkpoints, archive) = (self.checkpoints(), self.archive(log.id()));
        Server::on(EngineParts { log: wrap(log), checkpoints, archive, clock, metrics }, config)
    }

    /// The archive on it, of the log of that id.
    pub(crate) fn archive(&self, log: LogId) -> Box<dyn Archive> {
        match self {
            Self::Folder(folder) => {
                let archive = SqliteArchive::open(folder.path(), log, CHECKPOINT_FORMAT);
                Box::new(archive.expect("the archive can be opened"))
            }
            Self::Memory(_, _, archive) => Box::new(archive.clone()),
        }
    }

    /// The checkpoints on it.
    pub(crate) fn checkpoints(&self) -> Box<dyn Checkpoints> {
        match self {
            Self::Folder(folder) => {
                Box::new(FileCheckpoints::open(folder.path()).expect("checkpoints can be opened"))
            }
            Self::Memory(_, checkpoints, _) => Box::new(checkpoints.clone()),
        }
    }

    /// Opens a server on it whose log fails by `plan` and whose time is that of `clock`.
    pub(crate) fn open_with(
        &self,
        config: Config,
        plan: Plan,
        clock: Arc<dyn Clock>,
    ) -> Result<Server, ServerError> {
        let metrics = Arc::new(Metrics::new());
        let log: Box<dyn Log> = match self {
            Self::Folder(folder) => {
                let _opening = STARTING.read().unwrap_or_else(PoisonError::into_inner);
                let options = SqliteOptions { size_bytes_max: config.log_size_bytes_max };
                Box::new(FaultLog::new(SqliteLog::open(folder.path(), &options)?, plan))
            }
            Self::Memory(store, ..) => Box::new(FaultLog::new(MemoryLog::open(store.clone())?, plan)),
        };
        let (checkpoints, archive) = (self.checkpoints(), self.archive(log.id()));
        Server::on(EngineParts { log, checkpoints, archive, clock, metrics }, config)
    }
}
