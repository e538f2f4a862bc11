//! Reads what all messages of the contract have in common: times, optional texts, promised parts.
//!
//! Knows nothing of any one message; each noun has its own `from_wire.rs`.

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

use crate::error::Error;

/// A part that the contract promises to be there.
pub(crate) fn promised<T>(part: Option<T>, name: &str) -> Result<T, Error> {
    part.ok_or_else(|| Error::malformed_answer(name))
}

/// A time that may be absent. One that no calendar has is treated as absent.
pub(crate) fn time(timestamp: Option<Timestamp>) -> Option<DateTime<Utc>> {
    let timestamp = timestamp?;
    DateTime::from_timestamp(timestamp.seconds, u32::try_from(timestamp.nanos).ok()?)
}

/// A time that the contract promises; 1970 if the server did not keep the promise.
pub(crate) fn promised_time(timestamp: Option<Timestamp>) -> DateTime<Utc> {
    time(timestamp).unwrap_or_default()
}

/// The contract writes a text that is not there as the empty one.
pub(crate) fn some_text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
