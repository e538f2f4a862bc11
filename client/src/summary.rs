//! Figures about hand-offs.
//!
//! Knows nothing of how they are counted.

mod from_wire;

use std::time::Duration;

use baton_proto::v1;
use serde::Serialize;

use self::from_wire::report_from_wire;
use crate::{
    call::Call,
    client::Client,
    error::Error,
    services,
    setters::{awaitable, deadline_setter},
    to_wire,
};

/// What [`Client::summary`] gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryReport {
    /// Figures about all hand-offs that match.
    pub total: Summary,
    /// Figures by what was asked for; the groups with most hand-offs first, at most 1,000 for each grouping.
    pub groups: Vec<SummaryGroup>,
    /// Some groups were left out.
    pub truncated: bool,
    /// The revision that the figures are true at.
    pub revision: u64,
}

/// Figures about some hand-offs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// 1 for each hand-off that has come to an end.
    pub hand_off_count: Figures,
    /// 1 for each that was completed, 0 for each that was not.
    pub success_rate: Figures,
    /// How many errors the rules found, for each.
    pub validation_errors: Figures,
    /// From the arrival of the request to the record of its end, in seconds, for each that was executed.
    pub duration_seconds: Figures,
    /// How many were completed.
    pub completed: u64,
    /// How many failed.
    pub failed: u64,
    /// How many the rules refused.
    pub rejected: u64,
    /// How many were withdrawn.
    pub withdrawn: u64,
    /// How many are open. They are not in the figures above.
    pub open: u64,
}

/// One figure over several hand-offs. All are 0 if there were none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub total: f64,
    /// Their mean.
    pub average: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// The median, by nearest rank.
    pub p50: f64,
    /// The 95th percentile, by nearest rank.
    pub p95: f64,
    /// The 99th percentile, by nearest rank.
    pub p99: f64,
}

/// Figures of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SummaryGroup {
    /// What the hand-offs of the group have in common.
    #[serde(flatten)]
    pub key: SummaryKey,
    /// The figures.
    pub summary: Summary,
}

/// What the hand-offs of a group have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "grouping", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SummaryKey {
    /// An agent sent or received them.
    Agent {
        /// The agent.
        agent_id: String,
    },
    /// They went from one agent to another.
    Pair {
        /// The sender.
        from_agent: String,
        /// The receiver.
        to_agent: String,
    },
    /// They were made for the same reason.
    Reason {
        /// The reason.
        reason: String,
    },
    /// A grouping that this version of the client does not know.
    Unknown,
}

/// Gets figures about hand-offs. See [`Client::summary`].
#[derive(Clone, Debug)]
#[must_use = "a call is made when it is awaited"]
pub struct GetSummary {
    call: Call,
    request: v1::GetSummaryRequest,
}

impl GetSummary {
    /// Only hand-offs that were created in the last `window` before now. More than 0, at most 10 years.
    pub fn window(mut self, window: Duration) -> Self {
        self.request.window = Some(to_wire::duration(window));
        self
    }

    /// Only hand-offs that this agent sent or received.
    pub fn agent(mut self, agent: impl Into<String>) -> Self {
        self.request.agent_id = agent.into();
        self
    }

    /// Also by agent: a hand-off counts for its sender and for its receiver.
    pub fn by_agent(self) -> Self {
        self.by(v1::SummaryGrouping::Agent)
    }

    /// Also by sender and receiver.
    pub fn by_pair(self) -> Self {
        self.by(v1::SummaryGrouping::Pair)
    }

    /// Also by reason.
    pub fn by_reason(self) -> Self {
        self.by(v1::SummaryGrouping::Reason)
    }

    fn by(mut self, grouping: v1::SummaryGrouping) -> Self {
        let grouping = grouping.into();
        if !self.request.group_by.contains(&grouping) {
            self.request.group_by.push(grouping);
        }
        self
    }

    deadline_setter!();

    /// Makes the call.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the window is out of its bounds.
    pub async fn send(self) -> Result<SummaryReport, Error> {
        let answer = self
            .call
            .read(self.request, |channel, request| async move {
                services::monitor(channel).get_summary(request).await
            })
            .await?;
        Ok(report_from_wire(answer))
    }
}

awaitable!(GetSummary => Result<SummaryReport, Error>);

impl Client {
    /// Figures about the hand-offs that have come to an end, from the log: they are the same after a restart.
    pub fn summary(&self) -> GetSummary {
        let request = v1::GetSummaryRequest { namespace: self.namespace().to_owned(), ..Default::default() };
        GetSummary { call: Call::new(self), request }
    }
}
