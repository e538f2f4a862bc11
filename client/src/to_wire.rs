//! Writes what several messages of the contract have in common.
//!
//! Knows nothing of any one message.

use std::time::Duration;

/// A length of time. One that does not fit the wire is far over every limit of the contract, and is refused by the server as such.
pub(crate) fn duration(duration: Duration) -> prost_types::Duration {
    duration.try_into().unwrap_or(prost_types::Duration { seconds: i64::MAX, nanos: 0 })
}
