//! Faults beneath a log on real files, for tests. They are in the database: what is in the journal is moved there first.
//!
//! Knows nothing of plans: see [`FaultLog`](crate::FaultLog).

use rusqlite::Connection;

use super::SqliteLog;
use super::failure;
use super::read::signed;
use crate::{Append, AppendError, Damage, DamageKind, Faulty, ReadError};

const FIND: &str =
    "SELECT r.sequence, r.body, r.checksum FROM records r JOIN namespaces n ON n.id = r.namespace
    WHERE n.name = ?1 AND r.first_revision <= ?2 ORDER BY r.first_revision DESC LIMIT 1";

/// Halves the body; a body too short to lose anything gets another checksum instead.
const TEAR: &str = "UPDATE records SET body = substr(body, 1, length(body) / 2),
        checksum = CASE length(body) WHEN 0 THEN zeroblob(32) ELSE checksum END
    WHERE sequence = (SELECT max(sequence) FROM records)";

impl Faulty for SqliteLog {
    /// The records are durable and visible, but the answered mark does not move.
    fn append_unanswered(&mut self, appends: &[Append]) -> Result<(), AppendError> {
        self.append_records(appends)
    }

    fn corrupt(&mut self, namespace: &str, revision: u64, byte_index: usize) -> Result<(), ReadError> {
        self.leave_journal()?;
        let altered = alter(self.moving.store().connection(), namespace, revision, byte_index);
        altered.map_err(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => {
                Damage::new(namespace, revision, DamageKind::Missing).into()
            }
            error => failure::of_read(namespace, revision, &error),
        })
    }

    fn tear_tail(&mut self) -> Result<(), ReadError> {
        self.leave_journal()?;
        let torn = self.moving.store().connection().execute(TEAR, []);
        match torn {
            Ok(1) => Ok(()),
            Ok(_) => Err(ReadError::Io("the log has no record to tear".into())),
            Err(error) => Err(failure::of_read("", 0, &error)),
        }
    }
}

impl SqliteLog {
    /// Leaves nothing in the journal that could stand in for what is damaged.
    fn leave_journal(&mut self) -> Result<(), ReadError> {
        self.settle().map_err(|error| ReadError::Io(error.to_string()))?;
        self.journal.forget().map_err(|error| ReadError::Io(error.to_string()))
    }
}

fn alter(connection: &Connection, namespace: &str, revision: u64, byte_index: usize) -> rusqlite::Result<()> {
    let (sequence, mut body, mut checksum) =
        connection.query_row(FIND, (namespace, signed(revision)), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, [u8; 32]>(2)?))
        })?;
    match body.get_mut(byte_index) {
        Some(byte) => *byte ^= 1,
        None => checksum[byte_index % 32] ^= 1,
    }
    let update = "UPDATE records SET body = ?2, checksum = ?3 WHERE sequence = ?1";
    connection.execute(update, (sequence, body, checksum.as_slice())).map(|_| ())
}
