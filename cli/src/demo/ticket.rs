//! The tickets of the support desk: read from JSON lines and checked before anything starts.
//!
//! Knows nothing of agents or of the server.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value};

use crate::{failure::Failure, input};

/// The tickets that the demo ships.
const SHIPPED: &str = include_str!("tickets.jsonl");
/// Longest ticket id, in bytes: that of a task id, less the name of the state key that is made of it.
const ID_BYTES_MAX: usize = 200;
/// Longest description, in bytes: that of a task.
const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;
/// Most tickets in a file: each is a handful of calls, and its path a line of output.
const TICKETS_MAX: usize = 100_000;

/// One ticket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ticket {
    /// Becomes the task's id.
    pub id: String,
    /// Becomes the task's description.
    pub description: String,
    /// Decides which way the ticket takes.
    pub topic: String,
    /// Everything else that the line says; becomes the task's metadata.
    pub details: Map<String, Value>,
}

/// Reads the tickets in `file`, or those that the demo ships.
///
/// # Errors
/// A usage failure that names every line that is wrong, and what is wrong with it.
pub(super) fn read(file: Option<&Path>) -> Result<Vec<Ticket>, Failure> {
    let Some(path) = file else { return parse("the shipped tickets", SHIPPED) };
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| Failure::usage(format!("{name}: cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        Failure::usage(format!("{name}:{line}: not UTF-8"))
    })?;
    parse(&name, &text)
}

fn parse(name: &str, text: &str) -> Result<Vec<Ticket>, Failure> {
    let (mut tickets, mut problems, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match ticket(line) {
            Ok(ticket) if !ids.insert(ticket.id.clone()) => {
                problems.push(format!(
                    "{name}:{}: the id {} is taken by a line before",
                    index + 1,
                    ticket.id
                ));
            }
            Ok(ticket) => tickets.push(ticket),
            Err(problem) => problems.push(format!("{name}:{}: {problem}", index + 1)),
        }
    }
    if tickets.len() > TICKETS_MAX {
        problems.push(format!(
            "{name}: {} tickets are more than the {TICKETS_MAX} that the demo takes",
            tickets.len()
        ));
    }
    match problems.split_first() {
        None if tickets.is_empty() => {
            Err(Failure::usage(format!("{name}: there are no tickets in it")).hint(SHAPE))
        }
        None => Ok(tickets),
        Some((first, others)) => Err(several(first, others)),
    }
}

/// What a line looks like.
const SHAPE: &str =
    r#"one JSON object per line: {"id": "T-1", "topic": "refund", "description": "charged twice"}"#;
/// Problems that are told one by one; more are only counted.
const PROBLEMS_SHOWN_MAX: usize = 10;

fn several(first: &str, others: &[String]) -> Failure {
    let left_out = (others.len() + 1).saturating_sub(PROBLEMS_SHOWN_MAX);
    let shown = others.iter().take(PROBLEMS_SHOWN_MAX - 1).cloned();
    let more = shown.chain((left_out > 0).then(|| format!("and {left_out} more")));
    Failure::usage(first).more(more).hint(SHAPE)
}

fn ticket(line: &str) -> Result<Ticket, String> {
    let mut details = match serde_json::from_str(line) {
        Ok(Value::Object(object)) => object,
        Ok(other) => return Err(format!("must be a JSON object, not {}", input::kind(&other))),
        Err(error) => return Err(format!("not valid JSON: {error}")),
    };
    let id = text(&mut details, "id", ID_BYTES_MAX)?;
    if id.chars().any(char::is_control) {
        return Err("`id` has control characters in it".into());
    }
    let description = text(&mut details, "description", DESCRIPTION_BYTES_MAX)?;
    let topic = text(&mut details, "topic", ID_BYTES_MAX)?;
    Ok(Ticket { id, description, topic, details })
}

fn text(object: &mut Map<String, Value>, name: &str, bytes_max: usize) -> Result<String, String> {
    match object.remove(name) {
        None => Err(format!("`{name}` is missing")),
        Some(Value::String(text)) if text.trim().is_empty() => Err(format!("`{name}` is empty")),
        Some(Value::String(text)) if text.len() > bytes_max => {
            Err(format!("`{name}` has {} bytes, more than {bytes_max}", text.len()))
        }
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(format!("`{name}` must be a string, not {}", input::kind(&other))),
    }
}

#[cfg(test)]
mod tests {
    use super::{SHIPPED, parse};

    #[test]
    fn the_shipped_tickets_are_good() {
        assert_eq!(parse("shipped", SHIPPED).expect("they parse").len(), 12);
    }

    #[test]
    fn every_bad_line_is_named_with_what_is_wrong() {
        let cases = [
            ("{", "f:1: not valid JSON"),
            ("[1]", "f:1: must be a JSON object, not an array"),
            (r#"{"topic":"bug","description":"x"}"#, "f:1: `id` is missing"),
            (r#"{"id":7,"topic":"bug","description":"x"}"#, "f:1: `id` must be a string, not a number"),
            (r#"{"id":" ","topic":"bug","description":"x"}"#, "f:1: `id` is empty"),
            (
                "{\"id\":\"a\\u0007\",\"topic\":\"bug\",\"description\":\"x\"}",
                "f:1: `id` has control characters",
            ),
            ("\n\n", "f: there are no tickets"),
        ];
        for (text, problem) in cases {
            let failure = parse("f", text).expect_err(text);
            assert!(failure.messages()[0].starts_with(problem), "{text:?} gave {failure:?}");
        }
    }

    #[test]
    fn all_bad_lines_are_told_at_once() {
        let good = r#"{"id":"a","topic":"bug","description":"x"}"#;
        let failure = parse("f", &format!("{good}\n7\n{good}\n")).expect_err("two bad lines");
        let problems =
            ["f:2: must be a JSON object, not a number", "f:3: the id a is taken by a line before"];
        assert_eq!(failure.messages(), problems);
    }

    #[test]
    fn what_a_line_says_beyond_the_three_becomes_details() {
        let line = r#"{"id":"a","topic":"bug","description":"x","customer":"C","tier":2}"#;
        let tickets = parse("f", line).expect("a good line");
        assert_eq!(tickets[0].details.keys().collect::<Vec<_>>(), ["customer", "tier"]);
    }
}
