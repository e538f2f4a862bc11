//! One thing that is wrong with one field of a request.
//!
//! Knows nothing of where it was found: here before sending, or at the server.

use serde::Serialize;
use tonic::Status;

/// One thing that is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldViolation {
    /// The path of the field, such as `items[3].task_id`.
    pub field: String,
    /// What is wrong with it.
    pub description: String,
}

impl FieldViolation {
    pub(crate) fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

impl std::fmt::Display for FieldViolation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.field, self.description)
    }
}

/// All violations in a line, or what the server said if it listed none.
pub(super) fn join(violations: &[FieldViolation], status: &Status) -> String {
    if violations.is_empty() {
        return status.message().to_owned();
    }
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
