//! JSON arguments: as text, from a file as `@file`, from stdin as `-`.
//!
//! Checks that they are JSON objects. Knows nothing of what they mean.

use std::{fs, io};

use serde_json::{Map, Value};

use crate::failure::Failure;

/// Reads the JSON object that `argument` is or names; `what` names it in errors.
///
/// # Errors
/// A usage failure if the source cannot be read, is not JSON, or is not an object.
pub(crate) fn json_object(what: &str, argument: &str) -> Result<Map<String, Value>, Failure> {
    let (source, text) = match argument.strip_prefix('@') {
        _ if argument == "-" => (" from stdin".to_owned(), io::read_to_string(io::stdin())),
        Some(path) => (format!(" in {path}"), fs::read_to_string(path)),
        None => (String::new(), Ok(argument.to_owned())),
    };
    let text = text.map_err(|error| Failure::usage(format!("the {what}{source} cannot be read: {error}")))?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => {
            Err(Failure::usage(format!("the {what}{source} must be a JSON object, not {}", kind(&other))))
        }
        Err(error) => Err(Failure::usage(format!("the {what}{source} is not valid JSON: {error}"))
            .hint(r#"quote it for the shell, such as '{"key": "value"}', or name a file: @state.json"#)),
    }
}

/// What a JSON value is, for errors.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
