//! x
mod routing;
mod ticket;
use crate::{failure::Failure, session::Session};
use clap::Args;
/// x
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}
/// x
/// # Errors
/// x
pub(crate) async fn run(_: DemoArgs, _: &mut Session<'_>) -> Result<(), Failure> {
    Ok(())
}
