//! x
use clap::Args;
use crate::{failure::Failure, options::Options};
/// x
#[derive(Debug, Args)]
pub(crate) struct ScaleArgs { #[command(flatten)] options: Options }
pub(crate) async fn run(_a: ScaleArgs) -> Result<(), Failure> { Ok(()) }
