//! Positions in a namespace's log, and the ids made of them.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Encode};

/// The position of one event in its namespace's log: 1, 2, 3, … without gaps. 0 stands before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Revision(#[n(0)] pub u64);

impl Revision {
    /// The revision after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a hand-off: the revision at which it was first recorded, so it cannot collide. Written `h-17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct HandoffId(#[n(0)] pub Revision);

impl fmt::Display for HandoffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h-{}", self.0)
    }
}

/// The text is not the id of a hand-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hand-off id looks like h-17")]
pub struct NotAHandoffId;

impl FromStr for HandoffId {
    type Err = NotAHandoffId;

    fn from_str(text: &str) -> Result<Self, NotAHandoffId> {
        let digits = text.strip_prefix("h-").ok_or(NotAHandoffId)?;
        let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        match digits.parse() {
            Ok(revision) if canonical => Ok(Self(Revision(revision))),
            _ => Err(NotAHandoffId),
        }
    }
}
