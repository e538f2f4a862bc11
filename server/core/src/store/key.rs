//! The id of a task as the key of a map: most ids lie in the map itself, so that finding one follows no pointers.
//!
//! Knows nothing of what is kept under it.

use std::{cmp::Ordering, fmt};

use crate::TaskId;

/// Longest id that lies in the key itself, in bytes: enough for a UUID, and a key has no more than 40 bytes.
const INLINE_BYTES_MAX: usize = 38;

/// A task's id. Ordered as its bytes, which is the order of ids.
#[derive(Clone)]
pub(super) enum TaskKey {
    /// What is behind the length is 0.
    Inline {
        length: u8,
        bytes: [u8; INLINE_BYTES_MAX],
    },
    Shared(TaskId),
}

impl TaskKey {
    pub(super) fn new(id: &str) -> Self {
        let mut bytes = [0; INLINE_BYTES_MAX];
        match (bytes.get_mut(..id.len()), u8::try_from(id.len())) {
            (Some(start), Ok(length)) => {
                start.copy_from_slice(id.as_bytes());
                Self::Inline { length, bytes }
            }
            _ => Self::Shared(id.into()),
        }
    }

    /// The id. Costs an allocation for most.
    pub(super) fn id(&self) -> TaskId {
        match self {
            Self::Inline { .. } => TaskId::from(self.as_str()),
            Self::Shared(id) => id.clone(),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Inline { length, bytes } => {
                str::from_utf8(&bytes[..usize::from(*length)]).expect("it was made of a text")
            }
            Self::Shared(id) => id,
        }
    }
}

impl fmt::Debug for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Ord for TaskKey {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Inline { length: a, bytes }, Self::Inline { length: b, bytes: other }) => {
                cmp_bytes(bytes, other).then(a.cmp(b))
            }
            _ => self.as_str().cmp(other.as_str()),
        }
    }
}

/// Compares eight bytes at a time: a search compares with a few keys on each level, and that is most of what it costs.
fn cmp_bytes(bytes: &[u8; INLINE_BYTES_MAX], other: &[u8; INLINE_BYTES_MAX]) -> Ordering {
    let ((words, rest), (other_words, other_rest)) = (bytes.as_chunks(), other.as_chunks());
    for (word, other) in words.iter().zip(other_words) {
        let (word, other) = (u64::from_be_bytes(*word), u64::from_be_bytes(*other));
        if word != other {
            return word.cmp(&other);
        }
    }
    rest.cmp(other_rest)
}

impl PartialOrd for TaskKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for TaskKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for TaskKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_length_come_back_and_are_ordered_as_ids_are() {
        let mut ids: Vec<TaskId> = (0..80).map(|length| TaskId::from("é".repeat(length))).collect();
        ids.extend((0..80).map(|length| TaskId::from("a".repeat(length) + "b")));
        ids.extend((1..80).map(|length| TaskId::from("\0".repeat(length))));
        ids.sort();
        let keys: Vec<TaskKey> = ids.iter().map(|id| TaskKey::new(id)).collect();
        assert!(keys.is_sorted());
        assert!(keys.iter().map(TaskKey::id).eq(ids));
    }
}
