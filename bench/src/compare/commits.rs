//! How Baton committed what it was sent: hand-offs for each fsync, and bytes of its log for each hand-off.

use baton_proto::v1::{GetServerInfoRequest, monitor_service_client::MonitorServiceClient};
use tonic::transport::Channel;

use crate::{
    baton::BatonProgram,
    drive::Caller as _,
    failure::{Failure, While as _},
    peers::NAMESPACE,
    tour::Batches,
};

/// Batches that are written to learn the size of a hand-off in the log.
const SAMPLE_BATCHES: usize = 80;

/// What a server has committed since it started.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Commits {
    commits: u64,
    handoffs: u64,
}

impl Commits {
    /// As of now.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub(super) async fn now(channel: &Channel) -> Result<Self, Failure> {
        let mut client = MonitorServiceClient::new(channel.clone());
        let info = client.get_server_info(GetServerInfoRequest {}).await?.into_inner();
        Ok(Self { commits: info.commits, handoffs: info.handoffs_completed })
    }

    /// Hand-offs for each fsync between two moments; at least 1.
    pub(super) fn batch_since(self, before: Self) -> f64 {
        let commits = self.commits.saturating_sub(before.commits).max(1);
        (self.handoffs.saturating_sub(before.handoffs) as f64 / commits as f64).max(1.0)
    }
}

/// Bytes that one hand-off of a batch of `size` takes in the log, rounded up; measured on a server of its own.
///
/// # Errors
/// The server cannot be started, or refuses.
pub(super) async fn handoff_bytes(program: &BatonProgram, size: usize) -> Result<usize, Failure> {
    let measure = async {
        let server = program.start("").await?;
        prepare(server.connect(1).await?.remove(0), size).await?;
        let folder = server.stop().await?;
        let before = folder.log_bytes()?;
        let server = program.start_on(folder).await?;
        hand_off(server.connect(1).await?.remove(0), size).await?;
        let after = server.stop().await?.log_bytes()?;
        Ok::<_, Failure>(after.saturating_sub(before).div_ceil((SAMPLE_BATCHES * size) as u64))
    };
    let bytes = measure.await.during("measuring the size of a hand-off in the log")?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX).max(1))
}

fn batches(channel: Channel, size: usize) -> Batches {
    Batches::new("sample".into(), NAMESPACE, size, channel)
}

async fn prepare(channel: Channel, size: usize) -> Result<(), Failure> {
    batches(channel, size).stock(SAMPLE_BATCHES).await
}

/// Hands on what [`prepare`] has created: its request ids make that creation a repetition, which adds nothing to the log.
async fn hand_off(channel: Channel, size: usize) -> Result<(), Failure> {
    let mut batches = batches(channel, size);
    batches.stock(SAMPLE_BATCHES).await?;
    for _ in 0..SAMPLE_BATCHES {
        batches.ready().await?;
        batches.send().await?;
    }
    Ok(())
}
