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
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name($inner);

        impl $name {
            /// Shares `text`.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into().into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                self.as_str()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
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
                Self(text.into())
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

/// A text that is often empty, and then takes no memory and no count that all threads would share.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct PerhapsEmpty(Option<Arc<str>>);

impl Deref for PerhapsEmpty {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl From<&str> for PerhapsEmpty {
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.into()))
    }
}

impl From<Arc<str>> for PerhapsEmpty {
    fn from(text: Arc<str>) -> Self {
        Self((!text.is_empty()).then_some(text))
    }
}

shared_text!(
    /// Any text: a description, a reason, a message.
    #[derive(Default)]
    Text(PerhapsEmpty)
);
shared_text!(
    /// The id of a task, unique in its namespace.
    TaskId(Arc<str>)
);
shared_text!(
    /// The id of an agent.
    AgentId(Arc<str>)
);
shared_text!(
    /// The id of a request, never empty.
    RequestId(Arc<str>)
);
shared_text!(
    /// The name of a rule.
    RuleName(Arc<str>)
);
