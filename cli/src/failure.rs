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
#[derive(Debug)]
pub(crate) struct Failure {
    // Boxed, because results are passed on far more often than failures are looked into.
    told: Box<Told>,
    exit: Exit,
}

/// What is told about a failure, as programs read it.
#[derive(Debug, Serialize)]
struct Told {
    reason: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    violations: Vec<Violation>,
    metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    more: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
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
    /// A failure without violations, values or hint. `reason` is an `ErrorReason` of the contract, or a name like it for what no server said.
    pub(crate) fn new(exit: Exit, reason: &str, message: impl Into<String>) -> Self {
        let told = Told {
            reason: reason.to_owned(),
            message: message.into(),
            code: None,
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            more: Vec::new(),
            hint: None,
        };
        Self { told: Box::new(told), exit }
    }

    /// A malformed argument, file or value.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "USAGE", message)
    }

    /// Adds the canonical name of the gRPC status that a server answered with.
    #[must_use]
    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.told.code = Some(code.into());
        self
    }

    /// Adds everything that was wrong, not just the first.
    #[must_use]
    pub(crate) fn violations(mut self, violations: impl IntoIterator<Item = Violation>) -> Self {
        self.told.violations.extend(violations);
        self
    }

    /// Adds values, by the names that the contract gives them.
    #[must_use]
    pub(crate) fn metadata(mut self, values: impl IntoIterator<Item = (String, String)>) -> Self {
        self.told.metadata.extend(values);
        self
    }

    /// Adds more messages of the same kind, a line each.
    #[must_use]
    pub(crate) fn more(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.told.more.extend(lines);
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.told.hint = Some(hint.into());
        self
    }

    /// What the process ends with.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The messages, the first one first.
    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<&str> {
        std::iter::once(&self.told.message).chain(&self.told.more).map(String::as_str).collect()
    }

    /// What to do about it, if that is known.
    #[cfg(test)]
    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.told.hint.as_deref()
    }

    /// Tells about the failure on stderr: in words, or as one JSON object if the caller wants JSON.
    pub(crate) fn report(&self, output: &mut Output) {
        let Told { message, violations, more, hint, .. } = &*self.told;
        if !output.is_table() {
            output.note(serde_json::json!({ "error": self.told }));
            return;
        }
        let label = output.paint_note(style::BAD, "error:");
        let mut lines = message.lines().chain(more.iter().flat_map(|text| text.lines()));
        output.note(format_args!("{label} {}", plain(lines.next().unwrap_or_default())));
        for line in lines {
            output.note(format_args!("       {}", plain(line)));
        }
        for violation in violations {
            let subject = output.paint_note(style::WARN, plain(&violation.subject));
            output.note(format_args!("  {subject}: {}", plain(&violation.message)));
        }
        if let Some(hint) = hint {
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
