//! A caller that hands on a task of its share at random, so that the whole of a population is in use.

use baton_proto::v1::{HandOffRequest, handoff_service_client::HandoffServiceClient};
use tonic::transport::Channel;

use crate::{drive::Caller, failure::Failure, population::Population};

/// The share of one caller: every `callers`-th task of a population, so that no two callers have the same.
pub(super) struct Roving {
    population: Population,
    client: HandoffServiceClient<Channel>,
    caller: u64,
    callers: u64,
    // How often each task of the share was handed on.
    handed: Vec<u32>,
    random: u64,
    next: Option<HandOffRequest>,
}

impl Roving {
    /// Callers for `tasks` tasks, each of which was handed on `handed` times; as many callers as there are tasks, at most `callers`.
    pub(super) fn crew(
        population: &Population,
        channels: &[Channel],
        callers: usize,
        tasks: u64,
        handed: u32,
    ) -> Vec<Self> {
        let callers = tasks.min(callers as u64).max(1);
        let of_one = |(caller, channel): (u64, &Channel)| Self {
            population: population.clone(),
            client: HandoffServiceClient::new(channel.clone()),
            caller,
            callers,
            handed: vec![handed; usize::try_from((tasks - caller).div_ceil(callers)).unwrap_or_default()],
            random: (caller + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            next: None,
        };
        (0..callers).zip(channels.iter().cycle()).map(of_one).collect()
    }

    /// A place in the share (xorshift64, Marsaglia 2003).
    fn pick(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % self.handed.len() as u64) as usize
    }
}

impl Caller for Roving {
    async fn stock(&mut self, _calls: usize) -> Result<(), Failure> {
        Ok(())
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        if self.next.is_none() {
            let place = self.pick();
            let index = self.caller + self.callers * place as u64;
            self.next = Some(self.population.handoff(index, self.handed[place].into()));
            self.handed[place] += 1;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<u64, Failure> {
        let request = self.next.take().ok_or_else(|| Failure::new("no hand-off was made ready"))?;
        self.client.hand_off(request).await?;
        Ok(1)
    }
}
