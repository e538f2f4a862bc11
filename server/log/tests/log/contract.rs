//! Puts every log through the contract suite.

use baton_log::testing::{Bench, run_contract};
use baton_log::{FaultLog, MemoryLog, MemoryStore, Plan, SqliteLog, SqliteOptions};
use tempfile::TempDir;

struct InMemory(MemoryStore);

impl Bench for InMemory {
    type Log = MemoryLog;

    fn open(&mut self) -> MemoryLog {
        MemoryLog::open(self.0.clone()).expect("a healthy store opens")
    }
}

struct InFolder(TempDir);

impl Bench for InFolder {
    type Log = SqliteLog;

    fn open(&mut self) -> SqliteLog {
        SqliteLog::open(self.0.path(), &SqliteOptions::default()).expect("a healthy folder opens")
    }
}

struct Faultless(MemoryStore);

impl Bench for Faultless {
    type Log = FaultLog<MemoryLog>;

    fn open(&mut self) -> FaultLog<MemoryLog> {
        FaultLog::new(MemoryLog::open(self.0.clone()).expect("a healthy store opens"), Plan::none())
    }
}

#[test]
fn memory_keeps_the_contract() {
    run_contract(|| InMemory(MemoryStore::new()));
}

#[test]
fn sqlite_keeps_the_contract() {
    run_contract(|| InFolder(TempDir::new().expect("a folder for the test")));
}

#[test]
fn a_fault_log_without_faults_keeps_the_contract() {
    run_contract(|| Faultless(MemoryStore::new()));
}
