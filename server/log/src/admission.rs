//! Decides whether a batch of appends continues the chains it names, before anything is written.
//!
//! Knows nothing of the storage: the heads come in as a function.

use std::collections::HashSet;

use crate::{Append, AppendError, Head, NAMESPACE_BYTES_MAX, REVISION_MAX};

/// Refuses the whole batch if one of its appends does not fit.
pub(crate) fn admit(
    appends: &[Append],
    mut head: impl FnMut(&str) -> Result<Head, AppendError>,
) -> Result<(), AppendError> {
    let mut seen = HashSet::with_capacity(appends.len());
    for append in appends {
        let namespace = &*append.record.namespace;
        if !seen.insert(namespace) {
            return refused(append, "the batch has two records of this namespace");
        }
        continues(append, &head(namespace)?)?;
    }
    Ok(())
}

fn continues(append: &Append, head: &Head) -> Result<(), AppendError> {
    let Append { expected_revision, record } = append;
    if head.revision != *expected_revision {
        return Err(AppendError::Conflict {
            namespace: record.namespace.clone(),
            expected: *expected_revision,
            actual: head.revision,
        });
    }
    if record.first_revision != expected_revision + 1 {
        return refused(append, "the record does not begin right after the expected revision");
    }
    if record.previous != head.hash {
        return refused(append, "the record does not link to the head");
    }
    if record.event_count == 0 {
        return refused(append, "the record has no event");
    }
    if record.last_revision() > REVISION_MAX {
        return refused(append, "the record is beyond the greatest revision");
    }
    if record.namespace.is_empty() || record.namespace.len() > NAMESPACE_BYTES_MAX {
        return refused(append, "the namespace's name is empty or longer than 256 bytes");
    }
    debug_assert!(record.check().is_ok(), "the record was changed after it was sealed");
    Ok(())
}

fn refused(append: &Append, why: &str) -> Result<(), AppendError> {
    let Append { expected_revision, record } = append;
    Err(AppendError::Refused(format!(
        "{why} (namespace {}, expected revision {expected_revision}, first revision {})",
        record.namespace, record.first_revision
    )))
}
