//! Declares the enums of the contract as Rust enums with names, from one table each.
//!
//! Knows nothing of what the enums mean.

use thiserror::Error;

/// A name that an enum of the contract does not have.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{given}` is not a {what}: use one of {}", known.join(", "))]
pub struct UnknownName {
    /// What was to be named, such as `task status`.
    pub what: &'static str,
    /// What was given instead.
    pub given: String,
    /// The names that there are.
    pub known: &'static [&'static str],
}

/// Declares an enum whose variants have a name each, with `Display`, `FromStr`, `Serialize` and both ways over the wire.
///
/// The variant `Unknown` stands for whatever a newer server may send; it cannot be parsed or meaningfully sent.
macro_rules! wire_enum {
    (
        $(#[$attribute:meta])*
        pub enum $name:ident ($what:literal) is $wire:ty {
            $($(#[$variant_attribute:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_attribute])* $variant,)+
            /// One that this version of the client does not know.
            Unknown,
        }

        impl $name {
            /// All that this version of the client knows.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
            /// Their names, in the same order.
            pub const NAMES: &[&str] = &[$($text),+];

            /// The name, as in JSON and on the command line.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown => "unknown",
                }
            }

            #[allow(dead_code, reason = "not every enum travels both ways")]
            pub(crate) fn from_wire(value: i32) -> Self {
                match <$wire>::try_from(value) {
                    $(Ok(<$wire>::$variant) => Self::$variant,)+
                    _ => Self::Unknown,
                }
            }

            #[allow(dead_code, reason = "not every enum travels both ways")]
            pub(crate) fn to_wire(self) -> i32 {
                match self {
                    $(Self::$variant => <$wire>::$variant.into(),)+
                    Self::Unknown => <$wire>::Unspecified.into(),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::UnknownName;

            fn from_str(given: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|known| known.as_str() == given);
                found.ok_or_else(|| $crate::UnknownName { what: $what, given: given.to_owned(), known: Self::NAMES })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use wire_enum;
