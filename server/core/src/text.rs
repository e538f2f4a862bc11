//! Shared immutable text, and the ids made of it.
//!
//! Knows no bounds: what may be an id is checked where it enters.

use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use minicbor::{Decode, Decoder, Encode, Encoder};

macro_rules! shared_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
        // `None` is empty. Most texts that may be empty are: they cost no memory, and no count that all threads share.
        pub struct $name(Option<Arc<str>>);

        impl $name {
            /// Shares `text`.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                let text = text.into();
                Self((!text.is_empty()).then_some(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                self.0.as_deref().unwrap_or_default()
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                if text.is_empty() { Self(None) } else { Self::new(text) }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str().map(Self::from)
            }
        }
    };
}

shared_text!(
    /// Any text: a description, a reason, a message.
    #[derive(Default)]
    Text
);
shared_text!(
    /// The id of a task, unique in its namespace.
    TaskId
);
shared_text!(
    /// The id of an agent.
    AgentId
);
shared_text!(
    /// The name of a rule.
    RuleName
);
