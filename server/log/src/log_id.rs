//! The identity of a log: tells a cursor of this log from one of an earlier life or of another.
//!
//! Knows nothing of what the log holds.

use std::fmt;
use std::str::FromStr;

/// Drawn at random when a log is created; kept for its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(pub u128);

impl LogId {
    /// Draws a new identity from the operating system's random source.
    ///
    /// # Errors
    /// If the operating system has no random source to give.
    pub fn random() -> Result<LogId, std::io::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(LogId(u128::from_be_bytes(bytes)))
    }
}

impl fmt::Display for LogId {
    /// Lower hex, 32 digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogId({self})")
    }
}

/// The text is not 32 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log id has 32 hex digits")]
pub struct ParseLogIdError;

impl FromStr for LogId {
    type Err = ParseLogIdError;

    fn from_str(text: &str) -> Result<LogId, ParseLogIdError> {
        // `from_str_radix` alone would take a sign.
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ParseLogIdError);
        }
        u128::from_str_radix(text, 16).map(LogId).map_err(|_| ParseLogIdError)
    }
}
