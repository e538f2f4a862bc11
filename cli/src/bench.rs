//! x
mod echo;
mod load;
mod report;
mod ring;
use crate::{failure::Failure, session::Session};
use clap::Args;
/// x
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {}
/// x
/// # Errors
/// x
pub(crate) async fn run(_: BenchArgs, _: &mut Session<'_>) -> Result<(), Failure> {
    Ok(())
}
