//! `baton watch`: shows what happens as it happens, until it is interrupted.
//!
//! Knows the arguments and how to go on after an interruption. How an event looks stands in `watch/show.rs`.

pub(crate) mod show;

use baton_client::{Client, Event, EventType, Watch, WatchEvents};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
    value_parser,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    args::named,
    exit::Exit,
    failure::Failure,
    session::{Session, set},
};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The first revision wanted, such as 1 for all there is [default: from now]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..))]
    from_revision: Option<u64>,
    /// The log that the revision belongs to; another one is refused
    #[arg(long, value_name = "ID", requires = "from_revision")]
    log_id: Option<String>,
    /// First show the open hand-offs, then what happens
    #[arg(long, conflicts_with = "from_revision")]
    snapshot: bool,
    /// Only events of this task; may be repeated
    #[arg(long = "task", value_name = "TASK")]
    tasks: Vec<String>,
    /// Only events in which this agent takes part; may be repeated
    #[arg(long = "agent", value_name = "AGENT")]
    agents: Vec<String>,
    /// Only events of this type, such as handoff_rejected or task_created; may be repeated
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true, value_parser = named::<EventType>(EventType::NAMES))]
    types: Vec<EventType>,
    /// Events of tasks, states and rules too, not only of hand-offs
    #[arg(long)]
    all: bool,
    /// End after the first event of this type: a hand-off that is initiated, completed, failed, rejected or withdrawn, or any type
    #[arg(long, value_name = "TYPE", hide_possible_values = true, value_parser = event_type())]
    until: Option<EventType>,
}

/// What stands before the names of hand-offs' events, and may be left out.
const HANDOFF_PREFIX: &str = "handoff_";

/// Parses the type of an event; those of hand-offs also by what became of the hand-off.
fn event_type() -> impl TypedValueParser<Value = EventType> {
    let short = EventType::NAMES.iter().filter_map(|name| name.strip_prefix(HANDOFF_PREFIX));
    let names: Vec<&'static str> = short.chain(EventType::NAMES.iter().copied()).collect();
    PossibleValuesParser::new(names)
        .try_map(|name| name.parse().or_else(|_| format!("{HANDOFF_PREFIX}{name}").parse::<EventType>()))
}

/// Runs the command.
///
/// # Errors
/// The server's refusal; a revision that is no longer kept; stdout cannot be written.
pub(crate) async fn run(args: WatchArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    // Taken over first: from the first line on, whoever interrupts is told how to go on.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut watch = tokio::select! {
        begun = args.describe(&session.client()?).send() => begun?,
        _ = interrupt.recv() => return Ok(()),
    };
    for open in watch.open_handoffs() {
        session.output.one(open, |output, open| {
            let line = show::open_line(output, open);
            output.line(line)
        })?;
    }
    loop {
        let event = tokio::select! {
            event = watch.next() => event,
            _ = interrupt.recv() => {
                let resume = args.resume(&watch, session);
                session.output.note(format_args!("\nresume with: {resume}"));
                return Ok(());
            }
        };
        let Some(event) = event else {
            return Err(Failure::new(Exit::Unreachable, "UNREACHABLE", "the watch has ended"));
        };
        let event = event?;
        session.output.one(&event, show::event)?;
        if args.ends_with(&event) {
            return Ok(());
        }
    }
}

impl WatchArgs {
    fn describe(&self, client: &Client) -> WatchEvents {
        let watch = set(client.watch(), self.from_revision, WatchEvents::from_revision);
        let watch = set(watch, self.log_id.clone(), WatchEvents::log_id);
        let watch = if self.snapshot { watch.snapshot() } else { watch };
        let watch = self.tasks.iter().fold(watch, WatchEvents::task);
        let watch = self.agents.iter().fold(watch, WatchEvents::agent);
        let watch = watch.types(self.wanted_types());
        if self.all || self.types.iter().chain(&self.until).any(|kind| !is_of_handoff(*kind)) {
            return watch.all_events();
        }
        watch
    }

    /// The types to filter by; none for no filter. The one that ends the watch must come through any filter.
    fn wanted_types(&self) -> Vec<EventType> {
        let mut types = self.types.clone();
        if types.is_empty() && !self.all && self.until.is_some_and(|until| !is_of_handoff(until)) {
            types.extend(EventType::ALL.iter().filter(|kind| is_of_handoff(**kind)));
        }
        if !types.is_empty() {
            types.extend(self.until);
        }
        types
    }

    fn ends_with(&self, event: &Event) -> bool {
        self.until == Some(event.kind)
    }

    /// The command that goes on where this one stops.
    fn resume(&self, watch: &Watch, session: &Session<'_>) -> String {
        let mut words = vec!["baton".to_owned(), "watch".to_owned()];
        let mut option = |name: &str, value: &str| words.extend([name.to_owned(), shell_word(value)]);
        if watch.revision() > 0 || self.from_revision.is_some() {
            option("--from-revision", &(watch.revision() + 1).to_string());
            if !watch.log_id().is_empty() {
                option("--log-id", watch.log_id());
            }
        }
        self.tasks.iter().for_each(|task| option("--task", task));
        self.agents.iter().for_each(|agent| option("--agent", agent));
        self.types.iter().for_each(|kind| option("--type", kind.as_str()));
        self.until.iter().for_each(|kind| option("--until", kind.as_str()));
        if let Some(namespace) = &session.globals.namespace {
            option("-n", namespace);
        }
        if session.addr_is_given {
            option("--addr", &session.globals.addr);
        }
        if self.all {
            words.push("--all".to_owned());
        }
        words.join(" ")
    }
}

fn is_of_handoff(kind: EventType) -> bool {
    kind.as_str().starts_with(HANDOFF_PREFIX)
}

/// `text` as one word of a shell command.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn what_the_shell_would_take_apart_is_quoted() {
        let cases = [
            ("t-1", "t-1"),
            ("two words", "'two words'"),
            ("it's", r"'it'\''s'"),
            ("", "''"),
            ("$x", "'$x'"),
        ];
        for (text, word) in cases {
            assert_eq!(shell_word(text), word);
        }
    }
}
