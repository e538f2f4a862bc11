//! A refusal as its caller reads it.
//!
//! Knows `google.rpc` details; knows nothing of when they are given.

use std::collections::BTreeMap;

use baton_proto::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// A status with its details read.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) details: ErrorDetails,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        Self { code: status.code(), message: status.message().to_owned(), details }
    }
}

impl Refused {
    /// What `answer` was refused with.
    pub(crate) fn of<T: std::fmt::Debug>(answer: Result<T, Status>) -> Self {
        answer.expect_err("this must be refused").into()
    }

    /// The reason, which every refusal has, in the contract's domain.
    pub(crate) fn reason(&self) -> ErrorReason {
        let info = self.details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {self:?}"));
        assert_eq!(info.domain, "baton.v1", "{self:?}");
        let name = format!("ERROR_REASON_{}", info.reason);
        ErrorReason::from_str_name(&name).unwrap_or_else(|| panic!("{name} is not in the contract"))
    }

    /// A value of ErrorInfo's metadata; panics if it is not there.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.values().get(key).unwrap_or_else(|| panic!("{key} is missing: {self:?}"))
    }

    /// All of ErrorInfo's metadata.
    pub(crate) fn values(&self) -> BTreeMap<&str, &str> {
        let info = self.details.error_info().unwrap_or_else(|| panic!("no ErrorInfo: {self:?}"));
        info.metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// The fields that BadRequest names, in order.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let request = self.details.bad_request();
        request.map_or_else(Vec::new, |request| {
            request.field_violations.iter().map(|violation| violation.field.as_str()).collect()
        })
    }

    /// The rules or conditions that PreconditionFailure names, in order.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let failure = self.details.precondition_failure();
        failure.map_or_else(Vec::new, |failure| {
            failure.violations.iter().map(|violation| violation.r#type.as_str()).collect()
        })
    }
}
