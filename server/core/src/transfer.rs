//! Which of a sender's state moves, and how conflicts with the receiver's are settled.

use minicbor::{Decode, Encode};

use crate::{Revision, Text};

/// What is to move with a hand-off, or outside of one.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TransferSpec {
    /// Whether anything moves.
    #[n(0)]
    pub enabled: bool,
    /// The keys that move; `None`: all.
    #[n(1)]
    pub keys: Option<Vec<Text>>,
    /// What happens to keys that the receiver has with other values.
    #[n(2)]
    pub on_conflict: ConflictPolicy,
}

impl Default for TransferSpec {
    fn default() -> Self {
        Self { enabled: true, keys: None, on_conflict: ConflictPolicy::Overwrite }
    }
}

/// What happens to a key that both agents have with different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum ConflictPolicy {
    /// The sender's value replaces the receiver's.
    #[n(0)]
    #[default]
    Overwrite,
    /// The receiver's value stays.
    #[n(1)]
    Keep,
    /// Nothing moves.
    #[n(2)]
    Fail,
}

/// How an update changes a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum UpdateMode {
    /// The given keys replace those of the same name.
    #[n(0)]
    Merge,
    /// The given state replaces all.
    #[n(1)]
    Replace,
    /// The given state is a JSON merge patch.
    #[n(2)]
    Patch,
}

/// What moved, by reference: never the content.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Transfer {
    /// What was asked for.
    #[n(0)]
    pub spec: TransferSpec,
    /// The revision of the sender's state that moved; 0: nothing was there, or nothing was asked for.
    #[n(1)]
    pub from_revision: Revision,
}
