//! The context of a hand-off, from the command line: what the next agent must know.
//!
//! Knows nothing of calls.

use baton_client::Context;
use clap::Args;
use serde_json::Value;

use crate::{failure::Failure, input, session::set};

/// What the next agent must know, as one JSON object or item by item.
#[derive(Debug, Args)]
#[command(next_help_heading = "What the next agent must know")]
pub(super) struct ContextArgs {
    /// All of it: a JSON object with summary, completed, remaining, decisions, pitfalls, references; or @FILE, or -
    #[arg(long, value_name = "JSON")]
    context: Option<String>,
    /// The situation in a few sentences
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// Something that has been done; may be repeated
    #[arg(long = "completed", value_name = "TEXT")]
    completed: Vec<String>,
    /// Something that is left to do; may be repeated
    #[arg(long = "remaining", value_name = "TEXT")]
    remaining: Vec<String>,
    /// Something that was decided, and why; may be repeated
    #[arg(long = "decision", value_name = "TEXT")]
    decisions: Vec<String>,
    /// Something that did not work, or to watch out for; may be repeated
    #[arg(long = "pitfall", value_name = "TEXT")]
    pitfalls: Vec<String>,
    /// Where to look: a link, a file, an id; may be repeated
    #[arg(long = "reference", value_name = "TEXT")]
    references: Vec<String>,
}

/// The fields of a context in JSON.
const FIELDS: [&str; 6] = ["summary", "completed", "remaining", "decisions", "pitfalls", "references"];

impl ContextArgs {
    /// The context, if any of it was given. Items on the command line are added to those of the JSON object; its summary is replaced.
    ///
    /// # Errors
    /// A usage failure if the JSON object has a field that a context has not, or one of the wrong kind.
    pub(super) fn read(self) -> Result<Option<Context>, Failure> {
        let lists = [&self.completed, &self.remaining, &self.decisions, &self.pitfalls, &self.references];
        if self.context.is_none() && self.summary.is_none() && lists.iter().all(|list| list.is_empty()) {
            return Ok(None);
        }
        let context = self.context.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let context = set(context, self.summary, Context::summary);
        let context = context.completed(self.completed).remaining(self.remaining);
        Ok(Some(context.decisions(self.decisions).pitfalls(self.pitfalls).references(self.references)))
    }
}

fn from_json(argument: &str) -> Result<Context, Failure> {
    let object = input::json_object("context", argument)?;
    if let Some(unknown) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
        return Err(Failure::usage(format!("a context has no `{unknown}`, only {}", FIELDS.join(", "))));
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| {
        Failure::usage(format!("the context is not as it must be: {error}"))
            .hint("summary is a string, the others are lists of strings")
    })
}
