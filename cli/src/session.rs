//! From the command line to the server: the client that a command uses, and lists that arrive in pages.
//!
//! Knows nothing of what is asked.

use baton_client::{Client, ClientBuilder, Error, Items};
use serde::Serialize;

use crate::{
    args::Globals,
    failure::Failure,
    output::{Format, Output},
};

/// What every command gets.
pub(crate) struct Session<'a> {
    /// Arguments that every command takes.
    pub globals: Globals,
    /// Whether `--addr` stands on the command line, rather than in the environment or nowhere.
    pub addr_is_given: bool,
    /// Where data and messages go.
    pub output: &'a mut Output,
}

impl Session<'_> {
    /// A client of the server and in the namespace that the command line names. Connects when it is first used.
    ///
    /// # Errors
    /// A usage failure if the address is none.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let namespace = self.globals.namespace.as_deref().unwrap_or_default();
        let builder = Client::builder().endpoints(&self.globals.addr).namespace(namespace);
        let builder = set(builder, self.globals.deadline, ClientBuilder::deadline);
        builder.build().map_err(|error| match error {
            Error::Invalid { violations, .. } => {
                let problems: Vec<String> =
                    violations.into_iter().map(|violation| violation.description).collect();
                Failure::usage(format!("--addr or BATON_ADDR: {}", problems.join("; ")))
            }
            other => other.into(),
        })
    }

    /// Writes all items of a listing; as JSON lines each page as it arrives, otherwise all at the end. What a history no longer keeps is told on stderr.
    ///
    /// # Errors
    /// That of the call that fetches a page; stdout cannot be written.
    pub(crate) async fn list<T: Serialize + Unpin>(
        &mut self,
        mut items: Items<T>,
        human: impl FnOnce(&mut Output, &[T]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut collected = Vec::new();
        while let Some(item) = items.next().await {
            match self.output.format() {
                Format::Jsonl => self.output.json_line(&item?)?,
                Format::Table | Format::Json => collected.push(item?),
            }
        }
        if self.output.format() != Format::Jsonl {
            self.output.many(&collected, human)?;
        }
        self.tell_of_dropped(items.dropped_count());
        Ok(())
    }

    /// Says that a history does not begin at its beginning, so that nobody takes its first entry for the first thing that happened.
    fn tell_of_dropped(&mut self, count: u64) {
        if count > 0 {
            let (entries, are) = if count == 1 { ("entry", "is") } else { ("entries", "are") };
            self.output.note(format_args!(
                "{count} older {entries} {are} not shown: only the log has them (baton watch --from-revision 1 --all)"
            ));
        }
    }
}

/// Calls a builder's setter if there is something to set.
pub(crate) fn set<B, V>(builder: B, value: Option<V>, setter: impl FnOnce(B, V) -> B) -> B {
    match value {
        Some(value) => setter(builder, value),
        None => builder,
    }
}
