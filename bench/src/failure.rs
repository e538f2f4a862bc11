//! Why a benchmark could not be run to its end: one text for people, with what was being done.

use std::fmt;

/// A run that gave no figures, and why.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// A failure with this message: lower case, no full stop, with the values.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<tonic::Status> for Failure {
    fn from(status: tonic::Status) -> Self {
        Self(format!("a call failed: {} ({:?})", status.message(), status.code()))
    }
}

impl From<tonic::transport::Error> for Failure {
    fn from(error: tonic::transport::Error) -> Self {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        Self(format!("a connection failed: {error}{cause}"))
    }
}

impl From<tokio::task::JoinError> for Failure {
    fn from(error: tokio::task::JoinError) -> Self {
        Self(format!("a caller stopped: {error}"))
    }
}

/// Says what was being done when something failed.
pub(crate) trait While<T> {
    /// Puts `what` before the message.
    fn during(self, what: impl fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> While<T> for Result<T, E> {
    fn during(self, what: impl fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{what}: {}", error.into())))
    }
}
