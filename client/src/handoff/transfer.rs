//! Which of the sender's state moves, and what happens where the receiver already has a key.
//!
//! Knows nothing of the states themselves.

use baton_proto::v1;
use serde::Serialize;

use crate::wire_enum::wire_enum;

/// Which of the sender's state moves with a hand-off. The sender keeps its own.
///
/// ```
/// use baton_client::{ConflictPolicy, Transfer};
///
/// let everything = Transfer::all();
/// let some = Transfer::keys(["order", "customer"]).on_conflict(ConflictPolicy::Keep);
/// let only_the_task = Transfer::none();
/// # let _ = (everything, some, only_the_task);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer {
    /// How much moves.
    pub scope: TransferScope,
    /// The top-level keys that move, with [`TransferScope::Some`].
    pub keys: Vec<String>,
    /// What happens to a key that both agents have with different values.
    pub on_conflict: ConflictPolicy,
}

impl Transfer {
    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        Self { scope: TransferScope::All, keys: Vec::new(), on_conflict: ConflictPolicy::Overwrite }
    }

    /// These top-level keys, 1 to 1,024 of them, each of which the sender must have.
    #[must_use]
    pub fn keys<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        let keys = keys.into_iter().map(Into::into).collect();
        Self { scope: TransferScope::Some, keys, ..Self::all() }
    }

    /// Nothing: only the task moves.
    #[must_use]
    pub fn none() -> Self {
        Self { scope: TransferScope::None, ..Self::all() }
    }

    /// What happens to a key that both agents have with different values; otherwise [`ConflictPolicy::Overwrite`].
    #[must_use]
    pub fn on_conflict(mut self, policy: ConflictPolicy) -> Self {
        self.on_conflict = policy;
        self
    }
}

impl Default for Transfer {
    fn default() -> Self {
        Self::all()
    }
}

wire_enum! {
    /// How much of a state moves.
    pub enum TransferScope ("scope of transfer") is v1::TransferScope {
        /// Every key.
        All = "all",
        /// The keys that are listed.
        Some = "some",
        /// None: only the task moves.
        None = "none",
    }
}

wire_enum! {
    /// What happens to a key that both agents have with different values.
    pub enum ConflictPolicy ("conflict policy") is v1::ConflictPolicy {
        /// The sender's value replaces the receiver's.
        Overwrite = "overwrite",
        /// The receiver's value stays.
        Keep = "keep",
        /// Nothing moves at all, and the call or the hand-off fails with the keys in question.
        Fail = "fail",
    }
}

/// What was moved from one agent's state to another's. Refers to the content and does not repeat it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateTransfer {
    /// What was asked for.
    pub spec: Transfer,
    /// The agent it came from.
    pub from_agent: String,
    /// The revision of the sender's state that moved; 0: the sender had none, or none was asked for.
    pub from_revision: u64,
}
