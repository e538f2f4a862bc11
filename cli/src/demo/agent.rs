//! One agent of the desk: takes the tickets that are handed to it, one after another, and acts on each by the desk's rules.
//!
//! Talks to nobody but the server. Knows nothing of the other agents but their names.

use std::{sync::Arc, time::Duration};

use baton_client::{
    Client, ConflictPolicy, Context, Error, EventType, Handoff, OwnedTask, OwnerError, Transfer, Watch,
};
use serde_json::json;

use super::routing::{self, Next, TRIAGE};
use crate::{exit::Exit, failure::Failure};

/// The state key that every agent has with a value of its own: what moves it without care conflicts.
pub(super) const SHIFT_KEY: &str = "shift";
/// Topics that have a state key of their own; all others share one, so that states stay small whatever the tickets say.
const KNOWN_TOPICS: [&str; 6] = ["invoice", "refund", "bug", "outage", "charge_by_bug", "disputed"];

/// Which tickets the careless triage stumbles over, so that a refusal and a failure are always part of the demo.
#[derive(Debug)]
pub(super) struct Mishaps {
    /// Handed to itself without a reason: the rules refuse it.
    pub(super) refused: String,
    /// Handed over with a key that is in conflict: it cannot be executed.
    pub(super) failed: String,
}

/// One agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    /// Its name.
    pub(super) name: &'static str,
    /// Its connection.
    pub(super) client: Client,
    /// How long it thinks about each ticket, so that a person can follow.
    pub(super) pace: Duration,
    /// What goes wrong at first.
    pub(super) mishaps: Arc<Mishaps>,
}

impl Agent {
    /// Begins to watch for tickets that are handed to this agent.
    pub(super) async fn watch(&self) -> Result<Watch, Error> {
        self.client.watch().to_agent(self.name).types([EventType::HandoffCompleted]).send().await
    }

    /// Takes ticket after ticket, until it is dropped or something fails.
    pub(super) async fn work(self, mut watch: Watch) -> Result<(), Failure> {
        while let Some(event) = watch.next().await {
            if let Some(handoff) = event?.handoff {
                self.take(&handoff).await?;
            }
        }
        Err(Failure::new(Exit::Failure, "INTERNAL", format!("the watch of {} has ended", self.name)))
    }

    async fn take(&self, handoff: &Handoff) -> Result<(), Failure> {
        let ticket = self.client.receive(handoff)?;
        ticket.start().send().await?;
        tokio::time::sleep(self.pace).await;
        let task = self.client.get_task(ticket.task_id()).send().await?;
        let topic = task.metadata["topic"].as_str().unwrap_or_default();
        self.learn(topic, ticket.task_id()).await?;
        match routing::next(topic, self.name, &handoff.from_agent) {
            Next::Close { outcome } => {
                ticket.complete(outcome).send().await.map_err(Error::from)?;
                Ok(())
            }
            Next::HandTo { agent, reason } => {
                let ticket = self.stumble(ticket, agent).await?;
                let context = self.pass_on(handoff.context.clone(), reason);
                self.hand_on(ticket, agent, reason, topic, context).await
            }
        }
    }

    /// Keeps what the ticket taught about its topic.
    async fn learn(&self, topic: &str, ticket: &str) -> Result<(), Error> {
        let lesson = json!({ state_key(topic): { "last_ticket": ticket, "seen_by": self.name } });
        self.client.update_state(self.name, lesson).send().await.map(drop)
    }

    /// Hands the ticket on with what this agent knows about the topic. When the rules refuse that, it asks the way out.
    async fn hand_on(
        &self,
        ticket: OwnedTask,
        to: &str,
        reason: &str,
        topic: &str,
        context: Context,
    ) -> Result<(), Failure> {
        let knowledge = || Transfer::keys([state_key(topic)]);
        let call = ticket.hand_off(to).reason(reason).context(context.clone()).transfer(knowledge());
        let (ticket, refused) = match call.send().await {
            Ok(_) => return Ok(()),
            Err(error) => given_back(error)?,
        };
        let to = routing::way_out(self.name);
        let context = context.decisions([format!("{} turned to {to}: {refused}", self.name)]);
        let reason = "we go in circles, please decide";
        ticket
            .hand_off(to)
            .reason(reason)
            .context(context)
            .transfer(knowledge())
            .send()
            .await
            .map_err(Error::from)?;
        Ok(())
    }

    /// What triage does wrong at first with two of the tickets; returns the ticket, which is then still in its hands.
    async fn stumble(&self, mut ticket: OwnedTask, to: &str) -> Result<OwnedTask, Failure> {
        if self.name != TRIAGE {
            return Ok(ticket);
        }
        if ticket.task_id() == self.mishaps.refused {
            let careless = ticket.hand_off(self.name).transfer(Transfer::none());
            ticket = must_fail(careless.send().await)?;
        }
        if ticket.task_id() == self.mishaps.failed {
            let careless = Transfer::keys([SHIFT_KEY]).on_conflict(ConflictPolicy::Fail);
            ticket = must_fail(
                ticket.hand_off(to).reason("with all that I know").transfer(careless).send().await,
            )?;
        }
        Ok(ticket)
    }

    /// What the next agent must know: what the last one passed on, and what was done here.
    fn pass_on(&self, context: Context, reason: &str) -> Context {
        let mut context = context.completed([format!("{} looked at it", self.name)]);
        context.remaining = vec![reason.to_owned()];
        context
    }
}

/// The refused ticket and why, if the rules refused it or it could not be executed; any other error as it is.
fn given_back(error: OwnerError) -> Result<(OwnedTask, String), Failure> {
    match error.error() {
        Error::Rejected { .. } | Error::HandoffFailed { .. } => {
            let why = error.to_string();
            Ok((error.into_task(), why))
        }
        _ => Err(Error::from(error).into()),
    }
}

fn must_fail(outcome: Result<Handoff, OwnerError>) -> Result<OwnedTask, Failure> {
    match outcome {
        Err(error) => given_back(error).map(|(ticket, _)| ticket),
        Ok(handoff) => {
            let message = format!("hand-off {} was to be refused and was completed", handoff.handoff_id);
            Err(Failure::new(Exit::Failure, "INTERNAL", message))
        }
    }
}

fn state_key(topic: &str) -> String {
    format!("about_{}", if KNOWN_TOPICS.contains(&topic) { topic } else { "other" })
}
