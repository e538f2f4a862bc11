//! x
use clap::Subcommand;
use crate::{failure::Failure, options::Options};
/// x
#[derive(Debug, Subcommand)]
pub(crate) enum WatchCommand { /// x
 Fanout { #[command(flatten)] options: Options } }
pub(crate) async fn run(_a: WatchCommand) -> Result<(), Failure> { Ok(()) }
