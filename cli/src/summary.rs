//! `baton summary`: figures about hand-offs.
//!
//! Knows nothing of how they are counted: the server does that from its log.

pub(crate) mod show;

use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::{
    duration,
    failure::Failure,
    session::{Session, set},
};

/// Arguments of `summary`.
#[derive(Debug, Args)]
pub(crate) struct SummaryArgs {
    /// Also figures by each of these, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "GROUPING")]
    by: Vec<Grouping>,
    /// Only hand-offs created in the last … before now, such as 1h
    #[arg(long, value_parser = duration::parse, value_name = "DURATION")]
    window: Option<Duration>,
    /// Only hand-offs that this agent sent or received
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
}

/// What to group figures by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Grouping {
    /// A hand-off counts for its sender and for its receiver
    Agent,
    /// By sender and receiver
    Pair,
    /// By reason
    Reason,
}

/// Runs the command.
///
/// # Errors
/// The server's refusal; stdout cannot be written.
pub(crate) async fn run(args: SummaryArgs, session: &mut Session<'_>) -> Result<(), Failure> {
    let call = set(session.client()?.summary(), args.window, |call, window| call.window(window));
    let call = set(call, args.agent, |call, agent| call.agent(agent));
    let call = args.by.iter().fold(call, |call, grouping| match grouping {
        Grouping::Agent => call.by_agent(),
        Grouping::Pair => call.by_pair(),
        Grouping::Reason => call.by_reason(),
    });
    let report = call.send().await?;
    session.output.one(&report, show::report)
}
