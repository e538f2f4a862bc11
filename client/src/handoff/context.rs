//! What the next agent must know, apart from the state.
//!
//! Knows nothing of hand-offs.

use serde::{Deserialize, Serialize};

/// What the next agent must know, apart from the state. At most 64 KiB in all, unless the rule `context_size` is off.
///
/// ```
/// use baton_client::Context;
///
/// let context = Context::new()
///     .summary("the customer wants a refund for order 1142")
///     .completed(["order found", "payment checked"])
///     .remaining(["refund 40 EUR"])
///     .pitfalls(["the card has expired: refund by transfer"]);
/// assert_eq!(context.completed.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The situation in a few sentences.
    pub summary: String,
    /// What has been done.
    pub completed: Vec<String>,
    /// What is left to do.
    pub remaining: Vec<String>,
    /// What was decided, and why.
    pub decisions: Vec<String>,
    /// What did not work, and what to watch out for.
    pub pitfalls: Vec<String>,
    /// Where to look: links, files, ids.
    pub references: Vec<String>,
}

/// Declares a method that adds items to a list.
macro_rules! adds {
    ($(#[$attribute:meta])* $list:ident) => {
        $(#[$attribute])*
        #[must_use]
        pub fn $list<T: Into<String>>(mut self, items: impl IntoIterator<Item = T>) -> Self {
            self.$list.extend(items.into_iter().map(Into::into));
            self
        }
    };
}

impl Context {
    /// An empty context.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the situation is, in a few sentences.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    adds!(
        /// Adds what has been done.
        completed
    );
    adds!(
        /// Adds what is left to do.
        remaining
    );
    adds!(
        /// Adds what was decided, and why.
        decisions
    );
    adds!(
        /// Adds what did not work, and what to watch out for.
        pitfalls
    );
    adds!(
        /// Adds where to look: links, files, ids.
        references
    );
}
