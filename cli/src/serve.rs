//! x
use crate::{failure::Failure, session::Session};
use clap::Args;
/// x
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {}
/// x
/// # Errors
/// x
pub(crate) async fn run(_: ServeArgs, _: &mut Session<'_>) -> Result<(), Failure> {
    Ok(())
}
