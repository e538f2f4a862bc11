//! Why a command failed: for people, for programs, and as an exit code.
//!
//! Knows nothing of how the server's refusals arrive; `connect` turns them into failures.

use std::{collections::BTreeMap, io};

use serde::Serialize;

use crate::{
    exit::Exit,
    output::{Output, plain},
    style,
};

/// A failed command.
#[derive(Debug, Serialize)]
pub(crate) struct Failure {
    /// An `ErrorReason` of the contract, or `USAGE`, `UNREACHABLE`, `IO` and the like for what no server said.
    pub reason: String,
    /// What happened, with the values.
    pub message: String,
    /// The canonical name of the gRPC status, if a server answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Everything that was wrong, not just the first.
    pub violations: Vec<Violation>,
    /// The values, by the names that the contract gives them.
    pub metadata: BTreeMap<String, String>,
    /// More of the same kind, a line each, where one message does not do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// What the process ends with.
    #[serde(skip)]
    pub exit: Exit,
}

/// One thing that was wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Violation {
    /// The rule that was broken, or the field that is malformed.
    pub subject: String,
    /// What is wrong.
    pub message: String,
}

impl Failure {
    /// A failure without violations, values or hint.
    pub(crate) fn new(exit: Exit, reason: &str, message: impl Into<String>) -> Self {
        Self {
            reason: reason.to_owned(),
            message: message.into(),
            code: None,
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            more: Vec::new(),
            hint: None,
            exit,
        }
    }

    /// A malformed argument, file or value.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "USAGE", message)
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Tells about the failure on stderr: in words, and as one JSON object if the caller wants JSON.
    pub(crate) fn report(&self, output: &mut Output) {
        if !output.is_table() {
            let error = serde_json::json!({ "error": self });
            output.note(error);
            return;
        }
        let label = output.paint_note(style::BAD, "error:");
        output.note(format_args!("{label} {}", plain(&self.message)));
        for line in &self.more {
            output.note(format_args!("       {}", plain(line)));
        }
        for violation in &self.violations {
            let subject = output.paint_note(style::WARN, plain(&violation.subject));
            output.note(format_args!("  {subject}: {}", plain(&violation.message)));
        }
        if let Some(hint) = &self.hint {
            let label = output.paint_note(style::HINT, "hint:");
            output.note(format_args!("{label} {hint}"));
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // Whoever read the output has seen enough: `baton watch | head` is no failure.
        let exit = if error.kind() == io::ErrorKind::BrokenPipe { Exit::Ok } else { Exit::Failure };
        Self::new(exit, "IO", error.to_string())
    }
}
