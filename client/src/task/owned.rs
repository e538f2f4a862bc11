//! What the owner of a task acts with: every write carries the owner epoch.
//!
//! Knows nothing of what the task is about; it holds no copy that could grow old.

use tonic::Status;

use super::{
    Task, UpdateTask,
    last_act::{Ending, ExecuteOwned, FinishOwned, HandOffOwned},
};
use crate::{
    client::Client,
    error::Error,
    handoff::{Handoff, HandoffStatus, InitiateHandoff, WithdrawHandoff},
};

/// A task in the hands of its owner.
///
/// Everything that is done through it names the agent and the owner epoch, so that it is refused with [`Error::StaleOwner`] if the task
/// has meanwhile been given to another agent. What ends the ownership takes the `OwnedTask` away; if it is refused, the error gives it back.
///
/// ```no_run
/// # async fn example(client: baton_client::Client) -> Result<(), baton_client::Error> {
/// let task = client.create_task("refund-17").agent("triage").owned().await?;
/// task.start().await?;
/// task.progress(40, "order found").await?;
/// match task.hand_off("billing").reason("needs a refund").await {
///     Ok(handoff) => println!("billing owns it now, at epoch {}", handoff.owner_epoch),
///     Err(refused) => {
///         println!("{refused}");
///         refused.into_task().fail("nobody can refund it").await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct OwnedTask {
    client: Client,
    task_id: String,
    agent: String,
    epoch: u64,
}

impl OwnedTask {
    /// The task.
    #[must_use]
    pub fn task_id(&self) -> &str {
        &self.task_id
    }

    /// The agent that acts.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// The owner epoch that it acts with.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Changes the task; what is not given stays.
    pub fn update(&self) -> UpdateTask {
        self.client.update_task(&self.task_id).agent(&self.agent).owner_epoch(self.epoch)
    }

    /// Begins, or begins again after a hand-off.
    pub fn start(&self) -> UpdateTask {
        self.update().start()
    }

    /// Tells how far the task is, from 0 to 100, and what was last done.
    pub fn progress(&self, percent: u32, note: impl Into<String>) -> UpdateTask {
        self.update().progress(percent, note)
    }

    /// Ends the task as completed; says what came of it, in at most 4 KiB.
    pub fn complete(self, outcome: impl Into<String>) -> FinishOwned {
        let call = self.client.complete_task(&self.task_id).outcome(outcome);
        let call = call.agent(&self.agent).owner_epoch(self.epoch);
        FinishOwned::new(self, Ending::Complete(call))
    }

    /// Ends the task as failed; says why, in at most 4 KiB.
    pub fn fail(self, outcome: impl Into<String>) -> FinishOwned {
        let call = self.client.fail_task(&self.task_id).outcome(outcome);
        let call = call.agent(&self.agent).owner_epoch(self.epoch);
        FinishOwned::new(self, Ending::Fail(call))
    }

    /// Calls the task off; says why, in at most 4 KiB.
    pub fn cancel(self, outcome: impl Into<String>) -> FinishOwned {
        let call = self.client.cancel_task(&self.task_id).outcome(outcome);
        let call = call.agent(&self.agent).owner_epoch(self.epoch);
        FinishOwned::new(self, Ending::Cancel(call))
    }

    /// Hands the task, with all of the agent's state, to `to_agent`.
    pub fn hand_off(self, to_agent: impl Into<String>) -> HandOffOwned {
        let call = self.client.hand_off(&self.task_id, &self.agent, to_agent).owner_epoch(self.epoch);
        HandOffOwned::new(self, call)
    }

    /// Records a hand-off that is [executed](Self::execute_handoff) later. Until then the task stays with its owner.
    pub fn initiate_handoff(&self, to_agent: impl Into<String>) -> InitiateHandoff {
        self.client.initiate_handoff(&self.task_id, &self.agent, to_agent).owner_epoch(self.epoch)
    }

    /// Executes a hand-off that was initiated.
    pub fn execute_handoff(self, handoff_id: impl Into<String>) -> ExecuteOwned {
        let call = self.client.execute_handoff(handoff_id).owner_epoch(self.epoch);
        ExecuteOwned::new(self, call)
    }

    /// Takes back a hand-off that was initiated.
    pub fn withdraw_handoff(&self, handoff_id: impl Into<String>) -> WithdrawHandoff {
        self.client.withdraw_handoff(handoff_id).owner_epoch(self.epoch)
    }
}

impl Client {
    /// Acts as the owner that `task` names, at the epoch that it names. Asks nobody: if it is no longer true, the first write is refused.
    #[must_use]
    pub fn own(&self, task: &Task) -> OwnedTask {
        OwnedTask {
            client: self.clone(),
            task_id: task.task_id.clone(),
            agent: task.assigned_agent.clone(),
            epoch: task.owner_epoch,
        }
    }

    /// Acts as the receiver of a completed hand-off, as a watch or [`get_handoff`](Self::get_handoff) gave it. Asks nobody.
    ///
    /// # Errors
    /// [`Error::WrongHandoffStatus`] if the hand-off is not completed: its receiver does not own the task.
    pub fn receive(&self, handoff: &Handoff) -> Result<OwnedTask, Error> {
        if handoff.status != HandoffStatus::Completed {
            return Err(Error::WrongHandoffStatus {
                handoff_id: handoff.handoff_id.clone(),
                current: handoff.status.to_string(),
                wanted: HandoffStatus::Completed.to_string(),
                status: Status::failed_precondition("only a completed hand-off has a new owner"),
            });
        }
        Ok(OwnedTask {
            client: self.clone(),
            task_id: handoff.task_id.clone(),
            agent: handoff.to_agent.clone(),
            epoch: handoff.owner_epoch,
        })
    }

    /// Asks for the task and acts as its owner, if `agent` is that.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such task; [`Error::NotOwner`] if another agent owns it.
    pub async fn claim(
        &self,
        task_id: impl Into<String>,
        agent: impl Into<String>,
    ) -> Result<OwnedTask, Error> {
        let (task, agent) = (self.get_task(task_id).await?, agent.into());
        if task.assigned_agent == agent {
            return Ok(self.own(&task));
        }
        Err(Error::NotOwner {
            task_id: task.task_id,
            owner: task.assigned_agent,
            epoch: task.owner_epoch,
            agent_id: agent,
            handoff_id: None,
            status: Status::failed_precondition("another agent owns the task"),
        })
    }
}
