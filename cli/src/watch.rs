//! `baton watch`: shows what happens as it happens, until it is interrupted.
//!
//! Knows the arguments and how to go on after an interruption. How an event looks stands in `watch/show.rs`.

pub mod show;

use baton_client::EventType;
use clap::Args;

use crate::{
    session::{Session, set},
    failure::Failure,
};

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// The first revision wanted, such as 1 for all there is [default: from now]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    from_revision: Option<u64>,
    /// First show the open hand-offs, then what happens
    #[arg(long, conflicts_with = "from_revision")]
    snapshot: bool,
    /// Only events of this task; may be repeated
    #[arg(long = "task", value_name = "TASK")]
    tasks: Vec<String>,
    /// Only events in which this agent takes part; may be repeated
    #[arg(long = "agent", value_name = "AGENT")]
    agents: Vec<String>,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE", hide_possible_values = true, value_parser = named::<EventType>(EventType::NAMES))]
    types: Vec<EventType>,
    /// Events of tasks, states and rules too, not only of hand-offs
    #[arg(long)]
    all: bool,
    /// End with the first event of this kind: completed, failed, rejected, withdrawn, task_completed, …
    #[arg(long, value_name = "EVENT")]
    until: Option<String>,
}
