//! The command line: what holds for every command, and which commands there are.
//!
//! Each noun's own arguments stand in its file. Knows nothing of how commands run.

use std::{str::FromStr, time::Duration};

use baton_client::{ConflictPolicy, UnknownName};
use clap::{
    ArgAction, Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
    value_parser,
};
use clap_complete::Shell;

use crate::{
    bench::BenchArgs, demo::DemoArgs, duration, exit, handoff::HandoffCommand, output::Format,
    rule::RuleCommand, serve::ServeArgs, state::StateCommand, summary::SummaryArgs, task::TaskCommand,
    verify::VerifyArgs, watch::WatchArgs,
};

/// Hands tasks from agent to agent, durably: the server, and the command line for it.
#[derive(Debug, Parser)]
#[command(name = "baton", version, after_help = exit::help(), max_term_width = 100, disable_help_flag = true)]
pub(crate) struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Arguments that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// How data is written to stdout
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub output: Format,
    /// The tenant to work in [default: default]
    #[arg(short, long, global = true, env = "BATON_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// Where the server is: http://host:port or host:port; several separated by commas
    #[arg(long, global = true, env = "BATON_ADDR", default_value = baton_client::DEFAULT_ADDRESS, value_name = "ADDR")]
    pub addr: String,
    /// How long a call may take, retries included [default: 10s]
    #[arg(long, global = true, value_parser = duration::parse, value_name = "DURATION")]
    pub deadline: Option<Duration>,
    /// When to use colour; NO_COLOR turns off auto
    #[arg(long, global = true, value_enum, default_value_t = ColorWhen::Auto, value_name = "WHEN")]
    pub color: ColorWhen,
    /// Print help
    #[arg(short, long, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What `baton` can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server
    Serve(ServeArgs),
    /// Create tasks and move them through their life
    #[command(subcommand)]
    Task(TaskCommand),
    /// Keep what agents know
    #[command(subcommand)]
    State(StateCommand),
    /// Hand tasks from one agent to another
    #[command(subcommand)]
    Handoff(HandoffCommand),
    /// Show the rules that hand-offs are judged by, and switch them
    #[command(subcommand)]
    Rule(RuleCommand),
    /// Show what happens as it happens
    Watch(WatchArgs),
    /// Figures about hand-offs
    Summary(SummaryArgs),
    /// Check a log's hash chain, of a running server or of a stopped one's folder
    Verify(VerifyArgs),
    /// Watch a support desk of agents hand tickets to one another
    Demo(DemoArgs),
    /// Measure hand-offs per second in a closed loop
    Bench(BenchArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// The id that makes a call safe to repeat.
#[derive(Debug, Args)]
pub(crate) struct RequestId {
    /// Makes the call safe to repeat: the same id gives the first answer again [default: random]
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}

/// Who acts on a task, and by which token.
#[derive(Debug, Args)]
pub(crate) struct Actor {
    /// Who acts; refused if it is not the owner
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// The owner epoch that the agent holds; refused if it is stale
    #[arg(long, value_name = "EPOCH", value_parser = value_parser!(u64).range(1..))]
    pub owner_epoch: Option<u64>,
}

/// What moves of the sender's state.
#[derive(Debug, Args)]
pub(crate) struct Transfer {
    /// Only these keys of the state move [default: all]
    #[arg(long, value_name = "KEYS", value_delimiter = ',', num_args = 1)]
    pub keys: Vec<String>,
    /// What happens to a key that the receiver has with another value
    #[arg(long, value_parser = named::<ConflictPolicy>(ConflictPolicy::NAMES), default_value = "overwrite", value_name = "POLICY")]
    pub on_conflict: ConflictPolicy,
}

/// Parses one of the names that an enum of the contract has; the help lists them.
pub(crate) fn named<T>(names: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = UnknownName> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse())
}
