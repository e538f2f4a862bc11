//! `baton watch`: shows what happens as it happens, until it is interrupted.
//!
//! Knows the arguments and the order of things. How an event looks stands in `watch/show.rs`, how its command runs in `watch/exec.rs`.

mod exec;
mod resume;
pub(crate) mod show;
mod stop;

use baton_client::{Client, Event, EventType, Watch, WatchEvents};
use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
    value_parser,
};

use self::{exec::Setting, resume::Place, stop::Stop};
use crate::{
    args::named,
    exit::Exit,
    failure::Failure,
    session::{Session, set},
    style,
};

/// What is not obvious from the options.
const HELP: &str = "\
Ctrl-C or SIGTERM ends the watch and prints the command that resumes it: no event is lost in between, and none comes twice.

--exec: each event is one line of JSON on CMD's stdin, as with -o jsonl, and in its environment BATON_REVISION, BATON_TYPE, \
BATON_LOG_ID, BATON_NAMESPACE and BATON_ADDR; and where they apply BATON_TASK_ID, BATON_OWNER_EPOCH, BATON_HANDOFF_ID, \
BATON_FROM_AGENT, BATON_TO_AGENT, BATON_AGENT_ID and BATON_RULE. One command runs at a time, in the order of revisions; \
meanwhile the server keeps what comes next. What CMD writes goes where baton writes. Open hand-offs of --snapshot are not events.
When CMD fails, the watch ends with exit code 1 and the command that resumes with that same event: each event is dealt with at \
least once. Ctrl-C does not reach CMD: it may finish; a second Ctrl-C ends it (SIGTERM), a third one kills it. To go on after \
a crash of the watch itself, let CMD store BATON_REVISION and BATON_LOG_ID when it is done, and resume one revision later.";

/// The namespace that an empty name stands for, as the contract has it.
const DEFAULT_NAMESPACE: &str = "default";

/// Arguments of `watch`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
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
    /// Run this by `sh -c` for every event, one after the other; see below
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    /// Report a command that failed on stderr, and go on with the next event
    #[arg(long, requires = "exec")]
    keep_going: bool,
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
/// The server's refusal; revisions that are gone; a command that failed; stdout cannot be written.
pub(crate) async fn run(args: WatchArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    // Taken over first: whoever interrupts is told how to go on.
    let mut stop = Stop::install()?;
    let begun = tokio::select! {
        begun = args.describe(&session.client()?).send() => begun,
        () = stop.asked() => {
            tell_resume(&args, session, Place::AsGiven);
            return Ok(());
        }
    };
    let mut watch = begun.map_err(|error| resume::failure(error, &args, session, Place::AsGiven))?;
    watch.open_handoffs().iter().try_for_each(|open| {
        session.output.one(open, |output, open| {
            let line = show::open_line(output, open);
            output.line(line)
        })
    })?;
    loop {
        let event = tokio::select! {
            event = watch.next() => event,
            () = stop.asked() => break,
        };
        let Some(event) = event else {
            return Err(Failure::new(Exit::Unreachable, "UNREACHABLE", "the watch has ended"));
        };
        let event = event.map_err(|error| resume::failure(error, &args, session, after(&watch)))?;
        let stop_asked = args.deal_with(&event, watch.log_id(), session, &mut stop).await?;
        if args.ends_with(&event) {
            return Ok(());
        }
        if stop_asked {
            break;
        }
    }
    tell_resume(&args, session, after(&watch));
    Ok(())
}

/// Where to go on after what the watch has given.
fn after(watch: &Watch) -> Place<'_> {
    Place::Revision { first: watch.revision() + 1, log_id: watch.log_id() }
}

fn tell_resume(args: &WatchArgs, session: &mut Session<'_>, place: Place<'_>) {
    let command = resume::command(args, session, place);
    session.output.note(format_args!("\nresume with: {command}"));
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

    /// Shows the event and runs the command for it, if there is one. Says whether the watch was told to end meanwhile.
    ///
    /// # Errors
    /// Stdout cannot be written; the command failed.
    async fn deal_with(
        &self,
        event: &Event,
        log_id: &str,
        session: &mut Session<'_>,
        stop: &mut Stop,
    ) -> Result<bool, Failure> {
        let shown = session.output.one(event, show::event);
        let Some(command) = &self.exec else { return shown.map(|()| false) };
        if shown.is_err() {
            // Whoever reads along may leave quietly; what the command has not dealt with is left to somebody all the same.
            tell_resume(self, session, Place::Revision { first: event.revision, log_id });
            return shown.map(|()| false);
        }
        self.execute(command, event, log_id, session, stop).await
    }

    /// Runs the command for the event to its end. Says whether the watch was told to end meanwhile.
    ///
    /// # Errors
    /// The command failed, and it may not be passed over: because nobody said so, or because the signal that ended the watch may have been why.
    async fn execute(
        &self,
        command: &str,
        event: &Event,
        log_id: &str,
        session: &mut Session<'_>,
        stop: &mut Stop,
    ) -> Result<bool, Failure> {
        let namespace = session.globals.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE);
        let setting = Setting { namespace, addr: &session.globals.addr, log_id };
        let ran = exec::run(command, event, &setting, stop, session.output).await;
        let Some(trouble) = ran.trouble else { return Ok(ran.stop_asked) };
        let message = format!("the command for revision {} {trouble}", event.revision);
        if self.keep_going && !ran.stop_asked {
            let label = session.output.paint_note(style::WARN, "warning:");
            session.output.note(format_args!("{label} {message}"));
            return Ok(false);
        }
        let again = resume::command(self, session, Place::Revision { first: event.revision, log_id });
        Err(Failure::new(Exit::Failure, "EXEC_FAILED", message)
            .metadata([("revision".to_owned(), event.revision.to_string())])
            .hint(format!("resume with that event: {again}")))
    }
}

fn is_of_handoff(kind: EventType) -> bool {
    kind.as_str().starts_with(HANDOFF_PREFIX)
}
