//! What the rules said of one hand-off.

use minicbor::{Decode, Encode};

use crate::{RuleName, Text};

/// All errors and warnings.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Verdict {
    /// Why the hand-off is refused; empty: it is not.
    #[n(0)]
    pub errors: Vec<Violation>,
    /// What does not forbid it.
    #[n(1)]
    pub warnings: Vec<Violation>,
}

/// One thing that one rule found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Violation {
    /// The rule.
    #[n(0)]
    pub rule: RuleName,
    /// What is wrong and what to do.
    #[n(1)]
    pub message: Text,
}

impl Verdict {
    /// Whether no rule had an error.
    pub fn is_valid(&self) -> bool {
        self.errors.is_empty()
    }

    /// Each error as one line, its rule first.
    pub fn error_lines(&self) -> Vec<String> {
        self.errors.iter().map(|error| format!("{}: {}", error.rule, error.message)).collect()
    }
}
