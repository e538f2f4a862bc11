//! What proves that a row is as it was written: a hash of its content and of its place.
//!
//! Knows nothing of where rows are kept.

/// The first half of a BLAKE3: against damage, not against forgery.
pub(super) type Checksum = [u8; 16];

/// Of a task's row; `handoffs` are the ids of its hand-offs, as they are kept.
pub(super) fn of_task(
    namespace: &str,
    task_id: &str,
    as_of: u64,
    newest_revision: u64,
    handoffs: &[u8],
    body: &[u8],
) -> Checksum {
    let numbers = [as_of, newest_revision];
    of(b"task", &[namespace.as_bytes(), task_id.as_bytes(), handoffs, body], &numbers)
}

/// Of a hand-off's row.
pub(super) fn of_handoff(
    namespace: &str,
    handoff_id: u64,
    as_of: u64,
    task_id: &str,
    body: &[u8],
) -> Checksum {
    of(b"hand", &[namespace.as_bytes(), task_id.as_bytes(), body], &[handoff_id, as_of])
}

fn of(kind: &[u8; 4], parts: &[&[u8]], numbers: &[u64]) -> Checksum {
    let mut hasher = blake3::Hasher::new();
    hasher.update(kind);
    for number in numbers {
        hasher.update(&number.to_le_bytes());
    }
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut checksum = Checksum::default();
    checksum.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    checksum
}
