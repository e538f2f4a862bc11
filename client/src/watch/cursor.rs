//! Where a watcher stands.
//!
//! Knows nothing of events.

use serde::{Deserialize, Serialize};

/// How far a watcher has come, small enough to be stored after every event.
///
/// A revision means something only in the log it was given in, so both go together: a cursor of another log is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Every matching event up to and with this revision has been given; 0: none.
    pub revision: u64,
    /// The log that the revision belongs to; empty: not known.
    pub log_id: String,
}
