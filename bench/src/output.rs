//! What goes to stdout and stderr: figures as text or as one JSON object, and what is being done meanwhile.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::failure::Failure;

/// Prints the figures: `text` for people, or all of `report` as one JSON object.
///
/// # Errors
/// Stdout cannot be written.
pub(crate) fn show(
    json: bool,
    report: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut stdout, report).map_err(|error| Failure::new(error.to_string()))?;
        writeln!(stdout)?;
    } else {
        stdout.write_all(text().as_bytes())?;
    }
    Ok(())
}

/// Tells on stderr what is being done now: runs may take many minutes.
pub(crate) fn progress(what: &str) {
    // Whoever cannot read it misses nothing of the figures.
    let _unread = writeln!(io::stderr(), "… {what}");
}
