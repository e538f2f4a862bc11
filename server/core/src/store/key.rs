//! Keys of maps as bytes: most lie in the map itself, so that finding one follows no pointers.
//!
//! Knows nothing of what is kept under them.

use std::{cmp::Ordering, fmt, sync::Arc};

/// Longest key that lies in place, in bytes: enough for a UUID, and none takes more than 40 bytes.
const INLINE_BYTES_MAX: usize = 38;

/// Some bytes. Ordered as they are.
#[derive(Clone)]
pub(super) enum Key {
    /// What is behind the length is 0.
    Inline {
        length: u8,
        bytes: [u8; INLINE_BYTES_MAX],
    },
    Shared(Arc<[u8]>),
}

impl Key {
    pub(super) fn new(key: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES_MAX];
        match (bytes.get_mut(..key.len()), u8::try_from(key.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(key);
                Self::Inline { length, bytes }
            }
            _ => Self::Shared(key.into()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Inline { length, bytes } => &bytes[..usize::from(*length)],
            Self::Shared(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Inline { length: a, bytes }, Self::Inline { length: b, bytes: other }) => {
                cmp_bytes(bytes, other).then(a.cmp(b))
            }
            _ => self.bytes().cmp(other.bytes()),
        }
    }
}

/// Compares eight bytes at a time: a search compares with a few keys on each level, and that is most of what it costs. The last eight overlap
/// those before them, which are equal then.
fn cmp_bytes(bytes: &[u8; INLINE_BYTES_MAX], other: &[u8; INLINE_BYTES_MAX]) -> Ordering {
    let word = |bytes: &[u8; INLINE_BYTES_MAX], at: usize| {
        u64::from_be_bytes(*bytes[at..].first_chunk().expect("no word goes beyond the end"))
    };
    for at in [0, 8, 16, 24, INLINE_BYTES_MAX - 8] {
        let (word, other) = (word(bytes, at), word(other, at));
        if word != other {
            return word.cmp(&other);
        }
    }
    Ordering::Equal
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_any_length_come_back_and_are_ordered_as_their_bytes_are() {
        let mut all: Vec<Vec<u8>> = (0..80).map(|length| "é".repeat(length).into_bytes()).collect();
        all.extend((0..80).map(|length| ("a".repeat(length) + "b").into_bytes()));
        all.extend((1..80).map(|length| vec![0; length]));
        all.sort();
        let keys: Vec<Key> = all.iter().map(|bytes| Key::new(bytes)).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().map(Key::bytes).eq(all));
    }
}
